//! Recorded runs of the catalogue, as a part of the program. [`Recording`] is principal.
//!
//! A recording is the logs that a real engine's runs of a scenario wrote, and those of the same runs with the fault undone. No
//! verdict is part of it: whoever shows one has it computed from the logs. One file for each scenario, `recordings/NAME.tar.zst`,
//! holds `faulty/run-N.log` and `fixed/run-N.log`.

use std::io::{self, Read};
use std::path::Path;

use include_dir::{Dir, include_dir};

static RECORDINGS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/recordings");

/// How a recording's file is called after the scenario's name.
pub const EXTENSION: &str = ".tar.zst";

/// How hard to compress: they are written once and read often.
const LEVEL: i32 = 19;

/// More than any recording holds, so that a damaged file cannot fill the memory.
const LIMIT: u64 = 64 << 20;

/// The recorded logs of one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// The logs of its runs, oldest first.
    pub faulty: Vec<String>,
    /// Those with its fault undone; none where it has no fault, or where they were not recorded.
    pub fixed: Vec<String>,
}

/// Lists the scenarios of which a recording is bundled, in order.
pub fn recorded() -> Vec<String> {
    let files = RECORDINGS.files().filter_map(|file| file.path().to_str()?.strip_suffix(EXTENSION));
    let mut names: Vec<String> = files.map(str::to_owned).collect();
    names.sort();
    names
}

/// Returns the bundled recording of a scenario; `None` where there is none.
///
/// # Errors
/// Of a file that is no recording.
pub fn recording(name: &str) -> io::Result<Option<Recording>> {
    match RECORDINGS.get_file(Path::new(&format!("{name}{EXTENSION}"))) {
        Some(file) => Recording::unpack(file.contents()).map(Some),
        None => Ok(None),
    }
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// Of bytes that are no recording: another compression, another archive, another file in it, no text.
    pub fn unpack(bytes: &[u8]) -> io::Result<Self> {
        let mut numbered = [Vec::new(), Vec::new()];
        let mut archive = tar::Archive::new(zstd::Decoder::new(bytes)?.take(LIMIT));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            let (form, number) = place(&path).ok_or_else(|| invalid(format!("a recording holds no `{path}`")))?;
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            numbered[form].push((number, text));
        }
        let [faulty, fixed] = numbered.map(|mut runs: Vec<(u32, String)>| {
            runs.sort_by_key(|(number, _)| *number);
            runs.into_iter().map(|(_, text)| text).collect()
        });
        Ok(Self { faulty, fixed })
    }

    /// Writes it as [`Self::unpack`] reads it; the same logs are the same bytes.
    ///
    /// # Errors
    /// Of the compression.
    pub fn pack(&self) -> io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(zstd::Encoder::new(Vec::new(), LEVEL)?);
        for (form, logs) in FORMS.into_iter().zip([&self.faulty, &self.fixed]) {
            for (log, number) in logs.iter().zip(1u32..) {
                let mut header = tar::Header::new_ustar();
                header.set_size(log.len() as u64);
                header.set_mode(0o644);
                header.set_mtime(0);
                archive.append_data(&mut header, format!("{form}/run-{number}.log"), log.as_bytes())?;
            }
        }
        archive.into_inner()?.finish()
    }
}

/// The two folders of a recording.
const FORMS: [&str; 2] = ["faulty", "fixed"];

/// Reads `faulty/run-2.log`: which of the two folders, and which run.
fn place(path: &str) -> Option<(usize, u32)> {
    let (form, file) = path.split_once('/')?;
    let form = FORMS.iter().position(|known| *known == form)?;
    let number = file.strip_prefix("run-")?.strip_suffix(".log")?.parse().ok()?;
    Some((form, number))
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_again() {
        let logs = |text: &str, count: usize| (1..=count).map(|number| format!("{text} {number}\n")).collect();
        let recording = Recording { faulty: logs("a", 11), fixed: logs("b", 2) };
        let bytes = recording.pack().unwrap();
        assert_eq!(Recording::unpack(&bytes).unwrap(), recording);
        assert_eq!(recording.pack().unwrap(), bytes);
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        assert!(Recording::unpack(b"no archive").is_err());
        let mut other = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        other.append_data(&mut header, "faulty/other.log", &b""[..]).unwrap();
        let bytes = other.into_inner().unwrap().finish().unwrap();
        assert!(Recording::unpack(&bytes).unwrap_err().to_string().contains("faulty/other.log"));
    }
}
