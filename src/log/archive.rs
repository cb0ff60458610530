//! The archive of logs that the web page downloads, packed or unpacked. [`read_archive`] and [`arrange`] are principal.
//!
//! An archive holds a file per job and a folder of files per step; either may be missing. Names inside it are only
//! names: nothing is written, and nothing outside it is opened.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::{LogReader, LoggedJob};

/// How much of an archive is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZipLimits {
    /// How many files.
    pub files: usize,
    /// How many bytes in all, unpacked.
    pub bytes: u64,
    /// How many times larger than packed a file may get. Deflate makes at most 1 032 of one; a log, some thirty.
    pub ratio: u64,
}

impl Default for ZipLimits {
    fn default() -> Self {
        Self { files: 20_000, bytes: 8 << 30, ratio: 500 }
    }
}

/// Packed, a file below this is not asked how much it swells.
const SMALL: u64 = 4 << 10;

/// Why an archive could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// It is no zip archive, or a damaged one.
    #[error("{archive} is not a readable zip archive")]
    NotZip {
        /// The archive.
        archive: String,
        /// What is wrong with it.
        source: zip::result::ZipError,
    },
    /// A file in it could not be unpacked.
    #[error("{entry} in {archive} cannot be unpacked")]
    Entry {
        /// The archive.
        archive: String,
        /// The file.
        entry: String,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// It holds more than a log archive can.
    #[error("{archive} unpacks to more than {limit}")]
    TooLarge {
        /// The archive.
        archive: String,
        /// The limit in words.
        limit: String,
    },
    /// It holds no log.
    #[error("{archive} holds no log file")]
    NoLogs {
        /// The archive.
        archive: String,
    },
}

impl ZipError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotZip { .. } | Self::Entry { .. } => {
                Some("download the log archive again, or unpack it and give the directory".to_owned())
            }
            Self::TooLarge { .. } => Some("unpack it and give the one log that matters".to_owned()),
            Self::NoLogs { .. } => Some("a log archive holds files such as 0_build.txt".to_owned()),
        }
    }
}

/// Reads the logs in a zip archive; `name` is what its files are quoted by, before their own names.
///
/// # Errors
/// When it is no zip archive, is damaged, or goes beyond the limits.
pub fn read_archive(name: &str, archive: impl Read + Seek, limits: ZipLimits) -> Result<Vec<LoggedJob>, ZipError> {
    let not_zip = |source| ZipError::NotZip { archive: name.to_owned(), source };
    let mut archive = zip::ZipArchive::new(archive).map_err(not_zip)?;
    if archive.len() > limits.files {
        return Err(ZipError::TooLarge { archive: name.to_owned(), limit: format!("{} files", limits.files) });
    }
    let names: Vec<String> = archive.file_names().map(|name| name.map(Cow::into_owned).unwrap_or_default()).collect();
    let parts = arrange(&names);
    if parts.is_empty() {
        return Err(ZipError::NoLogs { archive: name.to_owned() });
    }
    let mut reader = LogReader::new(name);
    let mut left = limits.bytes;
    let mut piece = vec![0; 64 * 1024];
    for part in parts {
        let Some(entry) = names.get(part.index) else { continue };
        let failed = |source| ZipError::Entry { archive: name.to_owned(), entry: entry.clone(), source };
        reader.file(&format!("{name}/{entry}"), part.job.as_deref(), part.step.as_deref());
        let mut file = archive.by_index(part.index).map_err(|error| failed(error.into()))?;
        // A small file may be as regular as it likes.
        let swollen = file.compressed_size().max(SMALL).saturating_mul(limits.ratio);
        let mut unpacked = 0u64;
        loop {
            let count = file.read(&mut piece).map_err(failed)?;
            if count == 0 {
                break;
            }
            unpacked += count as u64;
            if unpacked > swollen {
                let limit = format!("{} times its size, in {entry}", limits.ratio);
                return Err(ZipError::TooLarge { archive: name.to_owned(), limit });
            }
            left = left.checked_sub(count as u64).ok_or_else(|| ZipError::TooLarge {
                archive: name.to_owned(),
                limit: format!("{} MiB", limits.bytes >> 20),
            })?;
            reader.feed(&piece[..count]);
        }
    }
    Ok(reader.finish())
}

/// A file to be read, and what its name says of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPart {
    /// Its position in the names given.
    pub index: usize,
    /// The job; `None` for a file that is a log of its own.
    pub job: Option<String>,
    /// The step, for a file of one step.
    pub step: Option<String>,
}

/// Says which files of an archive to read, and in which order, for [`LogReader::file`].
///
/// The names are paths with `/` or `\`, relative to the archive or directory. The file of a whole job is preferred; the
/// files of its steps stand in where it is missing.
pub fn arrange(names: &[String]) -> Vec<LogPart> {
    let paths: Vec<(usize, Vec<&str>)> = names
        .iter()
        .enumerate()
        .map(|(index, name)| (index, name.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect()))
        .filter(|(index, path): &(usize, Vec<&str>)| is_log(&names[*index]) && !path.is_empty())
        .collect();
    // An archive that was unpacked into a folder of its own: every file stands one folder deeper.
    let deep = paths.iter().any(|(_, path)| path.len() > 2);
    let wrapped = deep && paths.iter().all(|(_, path)| path.len() > 1 && path.first() == paths[0].1.first());
    let skip = usize::from(wrapped);

    let mut whole: Vec<(i64, &str, LogPart)> = Vec::new();
    let mut steps: BTreeMap<&str, Vec<(i64, LogPart)>> = BTreeMap::new();
    for (index, path) in &paths {
        let index = *index;
        match path[skip..] {
            [file] => match numbered(file) {
                Some((number, job)) => {
                    whole.push((number, job, LogPart { index, job: Some(job.to_owned()), step: None }));
                }
                None => whole.push((i64::MAX, "", LogPart { index, job: None, step: None })),
            },
            [job, file] => {
                if let Some((number, step)) = numbered(file) {
                    let part = LogPart { index, job: Some(job.to_owned()), step: Some(step.to_owned()) };
                    steps.entry(job).or_default().push((number, part));
                }
            }
            _ => {}
        }
    }
    whole.sort_by_key(|(number, ..)| *number);
    let covered = |job: &str| whole.iter().any(|(_, known, _)| same_job(known, job));
    let missing: Vec<&str> = steps.keys().copied().filter(|job| !covered(job)).collect();
    let mut parts: Vec<LogPart> = whole.into_iter().map(|(.., part)| part).collect();
    for job in missing {
        if let Some(mut files) = steps.remove(job) {
            files.sort_by_key(|(number, _)| *number);
            parts.extend(files.into_iter().map(|(_, part)| part));
        }
    }
    parts
}

fn is_log(name: &str) -> bool {
    let hidden = name.rsplit(['/', '\\']).next().is_some_and(|file| file.starts_with('.'));
    (name.ends_with(".txt") || name.ends_with(".log")) && !hidden && !name.starts_with("__MACOSX")
}

/// Reads `12_name.txt`, or `-123_name.txt` as older archives have it.
fn numbered(file: &str) -> Option<(i64, &str)> {
    let (number, name) = file.strip_suffix(".txt")?.split_once('_')?;
    Some((number.parse().ok()?, name))
}

/// Compares job names as the archive writes them: long ones are cut.
fn same_job(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short == long || (short.encode_utf16().count() >= 80 && long.starts_with(short))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Cursor<Vec<u8>> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        let mut cursor = zip.finish().unwrap();
        cursor.set_position(0);
        cursor
    }

    fn arranged(names: &[&str]) -> Vec<(String, Option<String>, Option<String>)> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        arrange(&names).into_iter().map(|part| (names[part.index].clone(), part.job, part.step)).collect()
    }

    #[test]
    fn whole_jobs_are_preferred_and_steps_stand_in() {
        let names = ["b/10_Post Cache.txt", "b/2_Cache.txt", "a/1_Set up job.txt", "0_a.txt", "b/system.txt", "x.png"];
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            arranged(&names),
            [
                ("0_a.txt".into(), some("a"), None),
                ("b/2_Cache.txt".into(), some("b"), some("Cache")),
                ("b/10_Post Cache.txt".into(), some("b"), some("Post Cache")),
            ]
        );
        assert_eq!(arranged(&["logs_1/0_a.txt", "logs_1/a/1_x.txt"]).len(), 1);
        assert_eq!(arranged(&["run.log"]), [("run.log".into(), None, None)]);
    }

    #[test]
    fn the_files_of_steps_make_one_job() {
        let zip = packed(&[
            ("build/3_Post Cache.txt", b"Post job cleanup.\nCache saved with key: k\n"),
            ("build/2_Cache.txt", b"##[group]Run actions/cache@v4\nwith:\n  path: p\n  key: k\n##[endgroup]\nCache not found for input keys: k\n"),
        ]);
        let jobs = read_archive("logs.zip", zip, ZipLimits::default()).unwrap();
        assert_eq!(jobs.len(), 1);
        let evidence = jobs[0].evidence();
        assert_eq!(evidence.name, "build");
        assert_eq!(evidence.caches.len(), 1);
        let save = evidence.caches[0].save.as_ref().unwrap();
        assert_eq!((&*save.quote.source, save.quote.line), ("logs.zip/build/3_Post Cache.txt", Some(2)));
    }

    #[test]
    fn a_path_in_an_archive_opens_nothing_and_names_nothing_outside() {
        let names =
            ["../../etc/0_x.txt", "/etc/0_passwd.txt", "C:\\windows\\0_y.txt", "a/../../0_z.txt", "\u{1b}[2J/1_a.txt"];
        let files: Vec<(&str, &[u8])> =
            names.iter().map(|name| (*name, &b"Cache not found for input keys: k\n"[..])).collect();
        for job in read_archive("z.zip", packed(&files), ZipLimits::default()).unwrap() {
            assert!(job.source.starts_with("z.zip/"), "{}", job.source);
        }
        let link = {
            let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
            zip.add_symlink("0_link.txt", "/etc/passwd", zip::write::SimpleFileOptions::default()).unwrap();
            zip.finish().unwrap()
        };
        let jobs = read_archive("z.zip", link, ZipLimits::default()).unwrap();
        assert!(jobs.iter().all(|job| job.events.is_empty()), "a link is a short text and is followed by nobody");
    }

    #[test]
    fn an_archive_is_refused_for_its_files_its_size_and_its_swelling() {
        let refused = |zip, limits| match read_archive("z", zip, limits) {
            Err(ZipError::TooLarge { limit, .. }) => limit,
            other => panic!("{other:?}"),
        };
        let limits = ZipLimits { files: 2, bytes: 3 << 20, ratio: 100 };
        let many = packed(&[("0_a.txt", b"a"), ("1_b.txt", b"b"), ("2_c.txt", b"c")]);
        assert_eq!(refused(many, limits), "2 files");
        let noise: Vec<u8> = (0..4u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(refused(packed(&[("0_x.txt", &noise)]), limits), "3 MiB");
        let bomb = packed(&[("0_x.txt", &vec![b'a'; 2 << 20])]);
        assert_eq!(refused(bomb, limits), "100 times its size, in 0_x.txt");
        // What the archive says of a file's size is not believed.
        let mut lying = packed(&[("0_x.txt", &vec![b'a'; 2 << 20])]).into_inner();
        let size = (2u32 << 20).to_le_bytes();
        while let Some(at) = lying.windows(4).position(|bytes| bytes == size) {
            lying[at..at + 4].copy_from_slice(&7u32.to_le_bytes());
        }
        assert!(read_archive("z", Cursor::new(lying), limits).is_err());
    }

    #[test]
    fn what_is_no_log_archive_is_said_to_be_none() {
        let small = ZipLimits { files: 10, bytes: 1_000, ratio: 10 };
        let none = packed(&[("readme.md", b"a")]);
        assert!(matches!(read_archive("z", none, small), Err(ZipError::NoLogs { .. })));
        let error = read_archive("z.zip", Cursor::new(b"PK nonsense".to_vec()), small).unwrap_err();
        assert_eq!(error.to_string(), "z.zip is not a readable zip archive");
        assert!(error.hint().is_some());
    }
}
