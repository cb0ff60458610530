//! Any text as a Dockerfile: reading must not panic, places must lie in the text, and the instrumented copy must read again, keep
//! every stage and `RUN`, and be left as it is when it is instrumented again.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use verify_buildkit_cache::dockerfile::{Dockerfile, InstrumentOptions, ProofStep, instrument, proof_states};
use verify_buildkit_cache::source::{Source, Span};

fn parse(text: &str) -> Option<Dockerfile> {
    Dockerfile::parse(&Source::new("Dockerfile", text)).ok()
}

fn copy(file: &Dockerfile) -> Option<String> {
    let options = InstrumentOptions { measure: true, ..InstrumentOptions::default() };
    instrument(file, &options).ok().map(|copy| copy.text)
}

fn runs(file: &Dockerfile) -> Vec<Vec<String>> {
    let own = |run: &&verify_buildkit_cache::dockerfile::RunInstruction| ProofStep::read(&run.text()).is_none();
    let text = |span: Span| file.text_at(span).to_owned();
    file.stages.iter().map(|stage| stage.runs.iter().filter(own).map(|run| text(run.span)).collect()).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Some(file) = parse(&text) else { return };
    let all = file.stages.iter().flat_map(|stage| &stage.runs);
    for span in file.stages.iter().map(|stage| stage.span).chain(all.map(|run| run.span)) {
        assert!(text.get(span.start..span.end).is_some_and(|found| !found.is_empty()), "{span:?}");
    }
    let _ = proof_states(&file, &BTreeMap::new());
    let everything = InstrumentOptions {
        runner_arg: true,
        shell_marker: Some("run-1".to_owned()),
        measure: true,
        build_args: BTreeMap::new(),
    };
    if let Ok(copy) = instrument(&file, &everything) {
        assert!(parse(&copy.text).is_some(), "the copy does not parse: {}", copy.text);
    }
    let Some(once) = copy(&file) else { return };
    let again = parse(&once).expect("the copy parses");
    assert_eq!(runs(&file), runs(&again), "{once}");
    assert_eq!(copy(&again).as_deref(), Some(once.as_str()), "instrumented twice");
});
