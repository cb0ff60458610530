//! `scenarios run --record`: the logs of a scenario become what `demo` replays.

use std::fs;
use std::path::Path;

use crate::catalogue::ScenarioForm;
use crate::cli::problem::CliProblem;
use crate::scenario::recording::{EXTENSION, Recording};

/// Writes the logs of one form of a scenario into its recording, and leaves those of the other form as they are.
pub(super) fn record(dir: &Path, name: &str, form: ScenarioForm, evidence: &Path) -> Result<(), CliProblem> {
    let path = dir.join(format!("{name}{EXTENSION}"));
    let failed = |error: std::io::Error| CliProblem::stopped(format!("cannot write {}: {error}", path.display()));
    fs::create_dir_all(dir).map_err(failed)?;
    // A file that is no recording any more is written anew.
    let mut recording = fs::read(&path).ok().and_then(|bytes| Recording::unpack(&bytes).ok()).unwrap_or_default();
    let logs = logs(evidence).map_err(failed)?;
    match form {
        ScenarioForm::Faulty => recording.faulty = logs,
        ScenarioForm::Fixed => recording.fixed = logs,
    }
    fs::write(&path, recording.pack().map_err(failed)?).map_err(failed)
}

/// Reads the logs of an evidence folder, run by run.
fn logs(evidence: &Path) -> std::io::Result<Vec<String>> {
    let paths = (1..).map(|number| evidence.join(format!("run-{number}/job.log")));
    paths.take_while(|path| path.exists()).map(fs::read_to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_own_logs_in_one_recording() {
        let dir = tempfile::tempdir().unwrap();
        let evidence = |word: &str| {
            let place = dir.path().join(word);
            for number in 1..=2 {
                fs::create_dir_all(place.join(format!("run-{number}"))).unwrap();
                fs::write(place.join(format!("run-{number}/job.log")), format!("{word} {number}")).unwrap();
            }
            place
        };
        let recordings = dir.path().join("recordings");
        record(&recordings, "x", ScenarioForm::Fixed, &evidence("right")).unwrap();
        record(&recordings, "x", ScenarioForm::Faulty, &evidence("wrong")).unwrap();
        let read = Recording::unpack(&fs::read(recordings.join("x.tar.zst")).unwrap()).unwrap();
        assert_eq!((read.faulty[1].as_str(), read.fixed[0].as_str()), ("wrong 2", "right 1"));
    }
}
