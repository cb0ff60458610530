//! Archives as actions/cache keeps them: the manifest's paths, relative to the workspace, compressed in one file.
//! [`create`] and [`extract`] are principal.
//!
//! As `tar --posix` with `zstdmt` (or gzip), so that sizes are what they would be on GitHub.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread;

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use zstd::stream::raw::CParameter;

use super::layout::below_root;
use super::pack::Packer;
use super::unpack::{UnpackedModes, unpack};
use super::{ArchiveError, ArchiveTally, Layout, Manifest, Owner, PackOptions, Times};
use crate::cache::Compression;

/// The level `zstd` uses by default.
const ZSTD_LEVEL: i32 = 3;
/// Each worker holds a few jobs, so these two bound the memory.
const MAX_WORKERS: usize = 4;
const JOB_BYTES: u32 = 1024 * 1024;
/// An eighth of the default job with twice the default overlap compresses as well as `zstdmt`, to within a few per cent.
const OVERLAP: u32 = 7;

/// A finished archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its size in bytes, compressed.
    pub bytes: u64,
    /// What is in it.
    pub tally: ArchiveTally,
}

/// Archives the manifest's paths into a new file. A file left half-written by a failure is removed.
///
/// # Errors
/// [`ArchiveError`] naming the path, or saying that the archive could not be written.
pub fn create(
    manifest: &Manifest,
    layout: &Layout,
    compression: Compression,
    file: &Path,
) -> Result<Created, ArchiveError> {
    write(manifest, layout, compression, file).inspect_err(|_| {
        // The first failure is the one to tell.
        let _ = fs::remove_file(file);
    })
}

fn write(manifest: &Manifest, layout: &Layout, compression: Compression, path: &Path) -> Result<Created, ArchiveError> {
    let on_disk = ArchiveError::write;
    let file = File::create(path).map_err(on_disk(path))?;
    // Only what the stream itself says is a failure of this file.
    let named = |error| match error {
        ArchiveError::Stream { source } => ArchiveError::Write { path: path.to_owned(), source },
        other => other,
    };
    let (tally, mut file) = match compression {
        Compression::Zstd => {
            let encoder = zstd_encoder(BufWriter::new(file)).map_err(on_disk(path))?;
            let (tally, encoder) = pack(manifest, layout, encoder).map_err(named)?;
            (tally, encoder.finish().map_err(on_disk(path))?)
        }
        Compression::Gzip => {
            let encoder = GzEncoder::new(BufWriter::new(file), flate2::Compression::default());
            let (tally, encoder) = pack(manifest, layout, encoder).map_err(named)?;
            (tally, encoder.finish().map_err(on_disk(path))?)
        }
    };
    file.flush().map_err(on_disk(path))?;
    let bytes = file.get_ref().metadata().map_err(on_disk(path))?.len();
    Ok(Created { bytes, tally })
}

fn zstd_encoder<W: Write>(writer: W) -> std::io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(writer, ZSTD_LEVEL)?;
    let workers = thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
    encoder.multithread(u32::try_from(workers).unwrap_or(1))?;
    encoder.set_parameter(CParameter::JobSize(JOB_BYTES))?;
    encoder.set_parameter(CParameter::OverlapSizeLog(OVERLAP))?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}

fn pack<W: Write>(manifest: &Manifest, layout: &Layout, writer: W) -> Result<(ArchiveTally, W), ArchiveError> {
    let options = PackOptions { owner: Owner::Keep, times: Times::Nanoseconds, trailing_dirs: false };
    let workspace = layout.real(&layout.workspace);
    let mut packer = Packer::new(writer, options);
    for path in manifest.without_nested(layout) {
        packer.add(&workspace.join(path), path.as_os_str().as_bytes())?;
    }
    packer.finish()
}

/// Unpacks an archive into a runner's file system, relative to its workspace, which is made if it is missing.
///
/// # Errors
/// [`ArchiveError`] naming the entry or path; what was unpacked before stays, as with tar.
pub fn extract(file: &Path, compression: Compression, layout: &Layout) -> Result<ArchiveTally, ArchiveError> {
    extract_as(file, compression, layout, UnpackedModes::Kept)
}

/// As [`extract`], with the modes that somebody's `tar` gives.
///
/// # Errors
/// As [`extract`].
pub fn extract_as(
    file: &Path,
    compression: Compression,
    layout: &Layout,
    modes: UnpackedModes,
) -> Result<ArchiveTally, ArchiveError> {
    let archive = File::open(file).map_err(ArchiveError::read(file))?;
    let workspace = layout.real(&layout.workspace);
    fs::create_dir_all(&workspace).map_err(ArchiveError::write(&workspace))?;
    let base = below_root(&layout.workspace);
    match compression {
        Compression::Zstd => {
            let decoder = zstd::Decoder::new(archive).map_err(ArchiveError::read(file))?;
            unpack(decoder, &layout.root, base, modes)
        }
        Compression::Gzip => unpack(MultiGzDecoder::new(archive), &layout.root, base, modes),
    }
}
