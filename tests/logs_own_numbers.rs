//! Logs whose own numbers have to do: small projects, first logs that show too little, programs without modules.
//!
//! Each that is healthy has twins: as like it as can be, and cold. None of them may be called effective.

#[path = "support/hostile/mod.rs"]
mod hostile;
#[path = "support/hostile_judge.rs"]
mod judge;

use hostile::page::{FORMS, Form, Page};
use hostile::story::{Compiling, Story};
use judge::{judged, looks_effective};
use verify_buildkit_cache::verify::{Profile, Report, Verdict};

/// A later run of a small project.
fn small() -> Compiling {
    Compiling { before: [40, 30], seconds: 1.2, after: [40, 30], ..Compiling::default() }
}

/// A run that restored so many megabytes.
fn warm(megabytes: u64, step: &Compiling) -> Page {
    let mut story = Story::at("image", 40_000_000, None);
    story.buildx().hit(megabytes).inject();
    story.build(step).post();
    story.page().clone()
}

/// A first run.
fn first(step: &Compiling) -> Page {
    let mut story = Story::new("image");
    story.buildx().miss().inject();
    story.build(step).post();
    story.page().clone()
}

fn cold() -> Compiling {
    Compiling { before: [0, 0], downloads: 9, seconds: 40.0, ..Compiling::default() }
}

fn lose(page: &mut Page, text: &str) {
    page.lines.retain(|line| !line.text.contains(text));
}

fn change(page: &mut Page, from: &str, to: &str) {
    page.lines.iter_mut().for_each(|line| line.text = line.text.replace(from, to));
}

fn auto(pages: &[Page]) -> Report {
    judged(pages, Form::Raw, Profile::Auto)
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn never_effective(name: &str, pages: &[Page]) {
    for form in FORMS {
        assert!(!looks_effective(pages, form), "{name}: {form:?}");
    }
}

#[test]
fn a_small_project_is_judged_by_what_it_found_and_left() {
    let report = auto(&[warm(30, &small())]);
    assert_eq!(report.verdict, Verdict::Effective, "{:#?} {:#?}", report.checks, report.missing());
    let strict = judged(&[warm(30, &small())], Form::Raw, Profile::Checklist);
    assert_eq!(strict.verdict, Verdict::Ineffective, "the checklist's numbers are the checklist's numbers");
    let grown = Compiling { after: [40, 36], ..small() };
    let report = auto(&[warm(30, &grown)]);
    assert_eq!((report.verdict, codes(&report).len()), (Verdict::Inconclusive, 0), "{:#?}", report.checks);
}

#[test]
fn a_small_project_that_lost_something_is_not_effective() {
    for (name, step) in [
        ("nothing was there", Compiling { before: [0, 0], ..small() }),
        ("the modules were not there", Compiling { before: [0, 30], ..small() }),
        ("half of the objects were there", Compiling { before: [40, 15], ..small() }),
        ("two thirds of the objects were there", Compiling { before: [40, 20], ..small() }),
        ("a module was downloaded", Compiling { downloads: 1, ..small() }),
        ("all modules were downloaded", Compiling { downloads: 9, ..small() }),
        ("it was slow", Compiling { seconds: 17.0, ..small() }),
        ("its objects are none of a build", Compiling { before: [40, 3], after: [40, 3], ..small() }),
        ("it compiles all again", Compiling { command: "go build -a ./cmd/app".to_owned(), ..small() }),
    ] {
        never_effective(name, &[warm(30, &step)]);
    }
    never_effective("the archive cannot hold what was there", &[warm(1, &small())]);
    let mut untimed = warm(30, &small());
    change(&mut untimed, "time go build", "go build");
    lose(&mut untimed, "real\t");
    never_effective("nothing timed it", &[untimed]);
    let mut unmeasured = warm(30, &small());
    let after = unmeasured.lines.iter().position(|line| line.text.contains("AFTER") && line.text.contains("#5 1."));
    unmeasured.lines.drain(after.unwrap_or(0)..=after.unwrap_or(0) + 2);
    never_effective("what it left was not printed", &[unmeasured]);
}

#[test]
fn a_first_log_that_shows_little_takes_nothing_from_the_second() {
    let mut bare = first(&cold());
    change(&mut bare, "echo BEFORE; du -sh /go/pkg/mod /root/.cache/go-build; time go build", "go build");
    change(&mut bare, "go build ./cmd/app; echo AFTER; du -sh /go/pkg/mod /root/.cache/go-build", "go build ./cmd/app");
    for line in ["#5 0.10 BEFORE", "8.0K\t", "real\t", " AFTER", "M\t/"] {
        lose(&mut bare, line);
    }
    let second = warm(191, &Compiling::default());
    let report = auto(&[bare.clone(), second.clone()]);
    assert_eq!(report.verdict, Verdict::Effective, "{:#?} {:#?}", report.checks, report.missing());
    // Below the numbers nothing failed, as nothing was there to compare with.
    let little = Compiling { before: [60, 40], after: [60, 46], ..Compiling::default() };
    let report = auto(&[bare.clone(), warm(191, &little)]);
    assert_eq!((report.verdict, codes(&report).len()), (Verdict::Inconclusive, 0), "{:#?}", report.checks);
    never_effective("it is hardly faster", &[bare.clone(), warm(191, &Compiling { seconds: 23.0, ..second_step() })]);
    let mut quick = bare.clone();
    change(&mut quick, "#5 DONE 40.", "#5 DONE 9.");
    never_effective("it is no faster", &[quick, warm(191, &Compiling { seconds: 8.5, ..second_step() })]);
    for step in [
        Compiling { before: [0, 0], ..second_step() },
        Compiling { before: [300, 0], ..second_step() },
        Compiling { before: [300, 60], ..second_step() },
        Compiling { downloads: 9, ..second_step() },
    ] {
        never_effective("the second is cold", &[bare.clone(), warm(191, &step)]);
    }
}

fn second_step() -> Compiling {
    Compiling::default()
}

/// A first run that lost the race for its key.
fn lost_the_race() -> Page {
    let mut page = first(&cold());
    lose(&mut page, "Sent ");
    let refused =
        "Failed to save: Unable to reserve cache with key mounts-Linux-5be1c0, another job may be creating this cache.";
    change(&mut page, "Cache saved with key: mounts-Linux-5be1c0", refused);
    page
}

#[test]
fn an_entry_of_a_parallel_job_counts_as_the_first_runs_own() {
    let report = auto(&[lost_the_race(), warm(191, &Compiling::default())]);
    assert_eq!(report.verdict, Verdict::Effective, "{:#?} {:#?}", report.checks, report.missing());
    for (name, step) in [
        ("half of it is there", Compiling { before: [300, 60], ..second_step() }),
        ("a part of the modules is missing", Compiling { before: [150, 120], ..second_step() }),
        ("it is cold", cold()),
    ] {
        never_effective(name, &[lost_the_race(), warm(191, &step)]);
    }
}

/// A first run of another branch, which saved under a key of its own.
fn of_another_key() -> Page {
    let mut page = first(&cold());
    change(&mut page, "mounts-Linux-5be1c0", "mounts-Linux-feature");
    page
}

#[test]
fn what_a_run_of_another_key_left_is_no_measure() {
    let smaller = Compiling { before: [262, 101], after: [265, 104], ..Compiling::default() };
    let mut second = Story::at("image", 40_000_000, None);
    second.buildx().hit_by_prefix(176).inject();
    second.build(&smaller).post();
    let report = auto(&[of_another_key(), second.page().clone()]);
    assert_ne!(report.verdict, Verdict::Ineffective, "{:#?}", report.findings);
    never_effective("it is cold", &[of_another_key(), warm(176, &Compiling { before: [262, 0], ..cold() })]);
    never_effective("half is there", &[of_another_key(), warm(176, &Compiling { before: [262, 50], ..smaller })]);
}

#[test]
fn a_run_that_found_the_same_entry_says_what_it_brings() {
    // Each commit adds to the build cache, and none of it is saved while the key stays the same.
    let grows = Compiling { before: [300, 120], after: [300, 150], ..Compiling::default() };
    let runs = [lost_the_race(), warm(191, &grows), warm(191, &grows)];
    let report = auto(&runs[1..]);
    assert_eq!(report.verdict, Verdict::Effective, "{:#?} {:#?}", report.checks, report.missing());
    let half = Compiling { before: [300, 60], after: [300, 120], ..Compiling::default() };
    never_effective("both found half", &[warm(191, &half), warm(191, &half)]);
    never_effective("the second found half", &[warm(191, &grows), warm(191, &half)]);
}

/// A step of a program that needs no module.
fn without_modules() -> Compiling {
    Compiling { before: [0, 120], after: [0, 120], seconds: 1.9, ..Compiling::default() }
}

#[test]
fn an_idle_module_cache_is_no_fault() {
    let vendored = Compiling { command: "go build -mod=vendor ./cmd/app".to_owned(), ..without_modules() };
    for step in [vendored, without_modules()] {
        let alone = auto(&[warm(191, &step)]);
        assert_eq!((alone.verdict, codes(&alone).len()), (Verdict::Inconclusive, 0), "{:#?}", alone.findings);
        let cold = Compiling { before: [0, 0], seconds: 9.0, ..step.clone() };
        let after_first = auto(&[first(&cold), warm(191, &step)]);
        assert_ne!(after_first.verdict, Verdict::Ineffective, "{:#?}", after_first.findings);
    }
}

#[test]
fn an_idle_module_cache_that_is_not_idle_is_no_pass() {
    for (name, step) in [
        ("modules were downloaded", Compiling { downloads: 4, ..without_modules() }),
        ("the mount was filled", Compiling { after: [300, 120], ..without_modules() }),
        ("the build cache is empty, too", Compiling { before: [0, 0], ..without_modules() }),
        ("it is slow", Compiling { seconds: 30.0, ..without_modules() }),
    ] {
        never_effective(name, &[warm(191, &step)]);
        assert_eq!(auto(&[warm(191, &step)]).verdict, Verdict::Ineffective, "{name}");
    }
    let mut fetched = warm(191, &without_modules());
    let at = fetched.lines.iter().position(|line| line.text.starts_with("#5 [b 4/4] RUN")).unwrap_or(0);
    let line = |text: &str| hostile::page::PageLine { text: text.to_owned(), ..fetched.lines[at].clone() };
    let step = [line("#4 [b 3/4] RUN go mod download"), line("#4 DONE 21.0s")];
    fetched.lines.splice(at..at, step);
    never_effective("a step fetched the modules", &[fetched.clone()]);
    assert!(codes(&auto(&[fetched])).contains(&"build-not-faster"), "Go keeps its modules elsewhere");
}

/// Puts a step that downloads the modules before the one that compiles, and lets some seconds pass.
fn with_download(mut page: Page, seconds: u64, ends: &str, prints: &[&str]) -> Page {
    let at = page.lines.iter().position(|line| line.text.starts_with("#5 [b 4/4] RUN")).unwrap_or(0);
    let line = |text: String| hostile::page::PageLine { text, ..page.lines[at].clone() };
    let named = "#4 [b 3/4] RUN --mount=type=cache,target=/go/pkg/mod,id=mod go mod download";
    let mut lines = vec![line(named.to_owned())];
    lines.extend(prints.iter().map(|text| line(format!("#4 0.1 {text}"))));
    page.lines[at..].iter_mut().for_each(|line| line.at += seconds * 1000);
    lines.push(hostile::page::PageLine { text: format!("#4 {ends}"), ..page.lines[at].clone() });
    page.lines.splice(at..at, lines);
    page
}

#[test]
fn a_download_that_had_nothing_to_do_filled_nothing() {
    let page = with_download(warm(191, &Compiling::default()), 0, "DONE 0.5s", &[]);
    let report = auto(&[page]);
    assert_eq!(report.verdict, Verdict::Effective, "{:#?} {:#?}", report.checks, report.missing());
}

#[test]
fn a_download_that_may_have_filled_the_mount_did() {
    let full = || warm(191, &Compiling::default());
    never_effective("it took its time", &[with_download(full(), 29, "DONE 29.0s", &[])]);
    never_effective("it took two seconds", &[with_download(full(), 2, "DONE 2.0s", &[])]);
    never_effective("its end is lost", &[with_download(full(), 29, "...", &[])]);
    never_effective("it failed", &[with_download(full(), 4, "ERROR: exit code: 1", &[])]);
    let downloads = ["go: downloading example.org/d v1.0.0"];
    never_effective("it printed a download", &[with_download(full(), 0, "DONE 0.5s", &downloads)]);
    never_effective("it spoke", &[with_download(full(), 0, "DONE 0.5s", &["# get https://proxy.golang.org/x"])]);
    never_effective("the mount is small", &[with_download(warm(30, &small()), 0, "DONE 0.9s", &[])]);
}
