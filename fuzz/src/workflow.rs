//! Any text as a workflow and as a template with expressions: both end, and in an answer or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use verify_buildkit_cache::source::Source;
use verify_buildkit_cache::workflow::Workflow;
use verify_buildkit_cache::workflow::expr::{Contexts, HashFilesError, JobStatus, Template, Value};

/// Contexts in which everything is a text.
struct Texts;

impl Contexts for Texts {
    fn lookup(&self, path: &[String]) -> Value {
        Value::String(path.join("."))
    }

    fn hash_files(&self, patterns: &[String]) -> Result<String, HashFilesError> {
        Ok(patterns.concat())
    }

    fn status(&self) -> JobStatus {
        JobStatus::Success
    }
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let _ = Workflow::parse(&Source::new("workflow.yml", text.clone()));
    if let Ok(template) = Template::unplaced(&text) {
        let _ = template.evaluate(&Texts);
    }
});
