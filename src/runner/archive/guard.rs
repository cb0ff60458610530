//! Bounds what a tar stream may have its reader keep. [`HeaderGuard`] is principal.
//!
//! An archive that comes out of a cache mount was packed by the project's own image, so nobody vouches for it. A reader
//! keeps long names, extended headers and the map of a sparse file in memory whatever their size, and reads what pads the
//! stream to its end, which may never come. This stands before the reader, follows the blocks, and breaks the stream where
//! one is too large.

use std::io::{self, Read};

/// The most bytes of one long name or extended header. Linux takes names of 4,096 bytes.
pub const MOST_HEADER_BYTES: u64 = 1 << 20;

/// The most members of one archive; what is known of each directory stays in memory.
pub const MOST_MEMBERS: u64 = 5_000_000;

/// The most bytes after the end mark; `tar` pads to 10 KiB.
pub const MOST_PADDING: u64 = 1 << 20;

/// The most blocks of the map of a sparse file in a row.
const MOST_SPARSE_BLOCKS: u64 = 4096;

const BLOCK: usize = 512;

/// A reader that passes a tar stream on and breaks it where it asks too much.
#[derive(Debug)]
pub(super) struct HeaderGuard<R> {
    inner: R,
    block: [u8; BLOCK],
    filled: usize,
    expects: Expected,
    members: u64,
    /// The size that an extended header states for the member that follows.
    stated: Option<u64>,
    /// The data of the extended header under way, as far as it came.
    extended: Option<Vec<u8>>,
}

/// What the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Header,
    /// So many bytes of data and padding.
    Data(u64),
    /// A block of the map of a sparse file, before so many bytes of data; so many blocks came already.
    SparseMap {
        data: u64,
        blocks: u64,
    },
    /// What pads the stream; so many bytes came already.
    Padding(u64),
}

impl<R> HeaderGuard<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            block: [0; BLOCK],
            filled: 0,
            expects: Expected::Header,
            members: 0,
            stated: None,
            extended: None,
        }
    }

    /// Follows bytes that go by.
    fn follow(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.expects {
                Expected::Data(left) => {
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    if let Some(extended) = &mut self.extended {
                        extended.extend_from_slice(&bytes[..take]);
                    }
                    bytes = &bytes[take..];
                    self.expects = Expected::Data(left - take as u64);
                    if left == take as u64 {
                        self.expects = Expected::Header;
                        if let Some(extended) = self.extended.take() {
                            self.stated = stated_size(&extended).or(self.stated);
                        }
                    }
                }
                Expected::Padding(came) => {
                    let came = came + bytes.len() as u64;
                    if came > MOST_PADDING {
                        return Err(too_much("goes on behind its end"));
                    }
                    self.expects = Expected::Padding(came);
                    return Ok(());
                }
                Expected::Header | Expected::SparseMap { .. } => {
                    let take = (BLOCK - self.filled).min(bytes.len());
                    self.block[self.filled..self.filled + take].copy_from_slice(&bytes[..take]);
                    self.filled += take;
                    bytes = &bytes[take..];
                    if self.filled == BLOCK {
                        self.filled = 0;
                        self.expects = self.after_block()?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads a whole block that is no data, and tells what follows it.
    fn after_block(&mut self) -> io::Result<Expected> {
        if let Expected::SparseMap { data, blocks } = self.expects {
            if blocks >= MOST_SPARSE_BLOCKS {
                return Err(too_much("has a sparse file with too many holes"));
            }
            return Ok(match self.block[504] {
                0 => self.data(data),
                _ => Expected::SparseMap { data, blocks: blocks + 1 },
            });
        }
        if self.block.iter().all(|byte| *byte == 0) {
            return Ok(Expected::Padding(0));
        }
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(&self.block);
        let kind = header.entry_type();
        let names = kind.is_gnu_longname() || kind.is_gnu_longlink();
        let extended = kind.is_pax_local_extensions() || kind.is_pax_global_extensions();
        let own =
            header.entry_size().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a header without a size"))?;
        if names || extended {
            if own > MOST_HEADER_BYTES {
                return Err(too_much(&format!("has a name or extended header of {own} bytes")));
            }
            self.extended = kind.is_pax_local_extensions().then(Vec::new);
            return Ok(self.data(own));
        }
        self.members += 1;
        if self.members > MOST_MEMBERS {
            return Err(too_much(&format!("has more than {MOST_MEMBERS} members")));
        }
        let size = self.stated.take().unwrap_or(own);
        if kind.is_gnu_sparse() && self.block[482] != 0 {
            return Ok(Expected::SparseMap { data: size, blocks: 0 });
        }
        Ok(self.data(size))
    }

    fn data(&mut self, size: u64) -> Expected {
        match size.checked_next_multiple_of(BLOCK as u64) {
            Some(0) | None => Expected::Header,
            Some(padded) => Expected::Data(padded),
        }
    }
}

impl<R: Read> Read for HeaderGuard<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.follow(&into[..read])?;
        Ok(read)
    }
}

fn too_much(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the archive {what}, which this program refuses"))
}

/// Finds the size in the records of an extended header, each `LENGTH NAME=VALUE\n`.
fn stated_size(records: &[u8]) -> Option<u64> {
    let mut rest = records;
    let mut found = None;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        if length <= space || length > rest.len() {
            break;
        }
        let record = &rest[space + 1..length];
        if let Some(value) = record.strip_prefix(b"size=") {
            found = std::str::from_utf8(value).ok().and_then(|text| text.trim_end().parse().ok());
        }
        rest = &rest[length..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_extended_header_counts_for_the_member_behind_it() {
        assert_eq!(stated_size(b"20 atime=1700000000\n17 size=123456789\n"), Some(123_456_789));
        assert_eq!(stated_size(b"20 atime=1700000000\n"), None);
        for damaged in [&b"x size=1\n"[..], b"0 size=1\n", b"99 size=1\n", b""] {
            assert_eq!(stated_size(damaged), None);
        }
    }
}
