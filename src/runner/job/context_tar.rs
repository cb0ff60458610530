//! The build context: a directory as a tar stream, without what `.dockerignore` leaves out. [`context`] is principal.
//!
//! The engine applies no `.dockerignore` to a tar context; clients do (docker/cli `cli/command/image/build/context.go`).

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::dockerfile::Ignore;

/// Streams a context directory, with one more file in it: the instrumented Dockerfile.
pub(super) fn context(
    dir: &Path,
    ignore: Option<&Ignore>,
    (name, text): (&str, &str),
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut tar = tar::Builder::new(out);
    tar.follow_symlinks(false);
    tar.sparse(false);
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, text.as_bytes())?;
    walk(dir, "", ignore, &mut tar)?;
    tar.finish()
}

fn walk(dir: &Path, below: &str, ignore: Option<&Ignore>, tar: &mut tar::Builder<&mut dyn Write>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(dir)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let path = if below.is_empty() {
            name.to_string_lossy().into_owned()
        } else {
            format!("{below}/{}", name.to_string_lossy())
        };
        let meta = entry.metadata()?;
        let excluded = ignore.is_some_and(|ignore| ignore.excludes(&path));
        if meta.is_dir() {
            if excluded && ignore.is_some_and(|ignore| ignore.prunes(&path)) {
                continue;
            }
            if !excluded {
                let mut header = header(&meta);
                tar.append_data(&mut header, format!("{path}/"), io::empty())?;
            }
            walk(&entry.path(), &path, ignore, tar)?;
        } else if excluded {
        } else if meta.is_symlink() {
            let mut header = header(&meta);
            tar.append_link(&mut header, &path, fs::read_link(entry.path())?)?;
        } else if meta.is_file() {
            let mut header = header(&meta);
            tar.append_data(&mut header, &path, fs::File::open(entry.path())?)?;
        }
    }
    Ok(())
}

/// A header as clients send it: owned by root, with mode and time.
fn header(meta: &fs::Metadata) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_metadata(meta);
    header.set_uid(0);
    header.set_gid(0);
    header
}
