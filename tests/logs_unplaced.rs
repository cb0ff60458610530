//! Lines that matter and that nobody could place are counted, with an example: never just "was not seen".

#[path = "support/hostile/mod.rs"]
mod hostile;
#[path = "support/hostile_judge.rs"]
mod judge;

use hostile::page::{Form, Page};
use hostile::story::{Compiling, Story};
use verify_buildkit_cache::log::{LogReader, LoggedJob};
use verify_buildkit_cache::verify::{Case, CaseSource, Note, Profile, Report, Thresholds, Verdict, verify};

fn healthy() -> Page {
    let mut story = Story::new("image");
    story.buildx().hit(191).inject();
    story.build(&Compiling::default()).post();
    story.page().clone()
}

/// Judges a text.
fn report(text: &str) -> Report {
    let mut reader = LogReader::new("pasted.log");
    reader.feed(text.as_bytes());
    let runs = reader.finish().iter().map(LoggedJob::evidence).collect();
    verify(&Case { runs, source: CaseSource::Logs, thresholds: Thresholds::default(), profile: Profile::Auto })
}

fn unplaced(report: &Report) -> Vec<&Note> {
    report.notes.iter().filter(|note| note.text.contains("cannot be placed")).collect()
}

fn raw(page: &Page) -> String {
    page.files(Form::Raw).remove(0).1
}

#[test]
fn a_healthy_log_has_every_line_in_its_place() {
    for form in hostile::page::FORMS {
        let report = judge::judged(&[healthy()], form, Profile::Auto);
        assert_eq!((report.verdict, unplaced(&report).len()), (Verdict::Effective, 0), "{form:?}");
    }
}

#[test]
fn lines_of_json_are_counted_with_an_example() {
    let lines: Vec<String> = raw(&healthy())
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{{\"id\":\"{:x}\",\"line\":{}}}", at * 7919, serde_json::Value::from(line)))
        .collect();
    let report = report(&lines.join("\n"));
    assert_eq!(report.verdict, Verdict::Inconclusive);
    let notes = unplaced(&report);
    let said: Vec<(&str, usize)> = notes
        .iter()
        .map(|note| (note.text.split(" and stand").next().unwrap(), note.evidence[0].line.unwrap()))
        .collect();
    assert_eq!(said.len(), 3, "{said:?}");
    let line = |at: usize| &lines[at - 1];
    assert!(said[0].0.ends_with("lines look like actions/cache") && line(said[0].1).contains("Cache hit for"));
    assert!(said[1].0.ends_with("lines look like the dance") && line(said[1].1).contains("/var/dance-cache"));
    assert!(said[2].0.ends_with("lines look like a build") && line(said[2].1).contains("#1 [internal]"), "{said:?}");
    assert!(notes.iter().all(|note| note.evidence[0].text.starts_with('{')));
}

#[test]
fn a_build_without_the_line_that_names_its_step_is_said_to_be_one() {
    let text = "#12 0.111 84.3M\t/go/pkg/mod\n#12 0.112 61.2M\t/root/.cache/go-build\n#12 1.41 real\t0m 1.21s\n#12 DONE 1.9s\n";
    let report = report(text);
    let [note] = unplaced(&report)[..] else { panic!("{:?}", report.notes) };
    assert!(note.text.starts_with("run 1: 4 lines look like a build"), "{}", note.text);
    assert_eq!(note.evidence[0].text, "#12 0.111 84.3M\t/go/pkg/mod");
}

#[test]
fn a_paste_wrapped_in_the_middle_of_a_line_is_said_to_be_one() {
    let whole = healthy().files(Form::Web).remove(0).1;
    let mut wrapped = String::new();
    for line in whole.lines() {
        let chars: Vec<char> = line.chars().collect();
        for piece in chars.chunks(76) {
            wrapped.extend(piece);
            wrapped.push('\n');
        }
    }
    let report = report(&wrapped);
    assert_ne!(report.verdict, Verdict::Effective);
    assert!(unplaced(&report).iter().any(|note| note.text.contains("look like the dance")), "{:?}", report.notes);
}

#[test]
fn a_cache_that_another_action_wraps_is_said_to_be_one() {
    let mut page = healthy();
    page.lines.iter_mut().for_each(|line| {
        line.text = line.text.replace("##[group]Run actions/cache@v4", "##[group]Run acme/store@v1");
    });
    let report = report(&raw(&page));
    assert_ne!(report.verdict, Verdict::Effective);
    assert!(unplaced(&report).iter().any(|note| note.text.contains("look like actions/cache")), "{:?}", report.notes);
}

#[test]
fn what_a_script_quotes_is_no_line_of_ours() {
    let mut page = healthy();
    let at = page.lines.iter().position(|line| line.text.starts_with("##[group]Run docker/build-push")).unwrap();
    let step = page.lines[at].step;
    let mut quote = Page::new("", page.lines[at].at - 1000);
    quote.script("Show", &["cat docs/caching.md"]);
    quote.say("| Cache restored from key: go-1");
    quote.say("| #12 DONE 1.9s");
    let lines = quote.lines.into_iter().map(|mut line| {
        line.step = step;
        line
    });
    page.lines.splice(at..at, lines);
    page.lines.retain(|line| !line.text.contains("120M\t"));
    let report = report(&raw(&page));
    assert_ne!(report.verdict, Verdict::Effective);
    assert!(unplaced(&report).is_empty(), "{:?}", unplaced(&report));
}

#[test]
fn what_is_counted_does_not_grow() {
    let text = "x #12 0.111 84.3M\t/go/pkg/mod\ny #13 DONE 1.0s\n".repeat(20_000);
    let mut reader = LogReader::new("long.log");
    reader.feed(text.as_bytes());
    let jobs = reader.finish();
    assert!(jobs[0].events.len() < 10, "{}", jobs[0].events.len());
}
