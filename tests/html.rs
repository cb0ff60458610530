//! The report as a page for a browser: text from logs stays text, what was not seen is no zero, every reference has its
//! target, the colours can be read, and a real browser has nothing to complain of.

#![expect(clippy::unwrap_used, reason = "a test says what it sees and stops where it fails")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use verify_buildkit_cache::evidence::Quote;
use verify_buildkit_cache::log::LogReader;
use verify_buildkit_cache::report::{HtmlSubject, html};
use verify_buildkit_cache::verify::{
    Case, CaseSource, Note, Obligation, ObligationId, ObligationState, Profile, Report, Thresholds, Verdict, verify,
};

/// What somebody may have written into a log to become a part of the page.
const HOSTILE: &str = "</script></style><img src=x onerror=alert(1)>\"'`&lt;<!-- \u{202e}\u{1b}[31m\u{0}";

fn report_of(logs: &[&str]) -> Report {
    let read = |name: &&str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs").join(name);
        let mut reader = LogReader::new(name);
        reader.feed(&std::fs::read(path).unwrap());
        reader.finish().remove(0).evidence()
    };
    let runs = logs.iter().map(read).collect();
    let case = Case { runs, source: CaseSource::Logs, thresholds: Thresholds::default(), profile: Profile::Checklist };
    verify(&case)
}

/// A report with findings, obligations, notes, steps and vertexes.
fn faulty() -> Report {
    report_of(&["cache-placed-after-the-dance.log"])
}

fn page(report: &Report) -> String {
    html(&[HtmlSubject { subject: "the subject", report, evidence: Some("/tmp/x"), repeat: Some("repeat it") }])
}

/// Puts a text wherever a text of a log can get to.
fn filled_with(mut report: Report, text: &str) -> Report {
    let quote = |quote: &mut Quote| *quote = Quote::line(&text.into(), 7, text);
    for run in &mut report.runs {
        run.name = text.to_owned();
        run.restore.key = Some(text.to_owned());
        run.save.reason = run.save.reason.as_ref().map(|_| text.to_owned());
        run.mounts.iter_mut().for_each(|mount| (mount.target, mount.id) = (text.to_owned(), Some(text.to_owned())));
        for step in &mut run.steps {
            (step.name, step.line) = (text.to_owned(), Quote::line(&text.into(), 7, text));
        }
        for vertex in &mut run.journey.vertexes {
            (vertex.name, vertex.seconds, vertex.began) = (text.to_owned(), Some(9.0), Some(1.0));
        }
        let lines = &mut run.journey.lines;
        for lines in [
            &mut lines.restore,
            &mut lines.inject,
            &mut lines.before,
            &mut lines.build,
            &mut lines.after,
            &mut lines.save,
        ] {
            lines.iter_mut().for_each(quote);
        }
    }
    for check in &mut report.checks {
        (check.title, check.observed, check.threshold) = (text.to_owned(), text.to_owned(), text.to_owned());
        check.evidence.iter_mut().for_each(quote);
    }
    for finding in &mut report.findings {
        (finding.title, finding.why, finding.fix) = (text.to_owned(), text.to_owned(), text.to_owned());
        finding.evidence.iter_mut().for_each(quote);
    }
    report.obligations = vec![Obligation {
        id: ObligationId::Freshness,
        mount: Some(text.to_owned()),
        state: ObligationState::Missing,
        evidence: vec![Quote::line(&text.into(), 7, text)],
        reason: text.to_owned(),
        would_show: text.to_owned(),
    }];
    report.notes = vec![Note { text: text.to_owned(), evidence: vec![Quote::line(&text.into(), 7, text)] }];
    report
}

/// The tags of a page in order, without the text between them.
fn tags(page: &str) -> Vec<String> {
    let (_, body) = page.split_once("</style>").unwrap();
    body.split('<').skip(1).filter_map(|part| part.split_once('>')).map(|(tag, _)| tag.to_owned()).collect()
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.split(start.as_str()).skip(1).filter_map(|rest| rest.split_once('"')).map(|(value, _)| value).collect()
}

#[test]
fn text_from_logs_stays_text() {
    let about = |text: &str| {
        let report = filled_with(faulty(), text);
        assert!(!report.findings.is_empty() && !report.runs.is_empty() && !report.runs[0].steps.is_empty());
        html(&[HtmlSubject { subject: text, report: &report, evidence: Some(text), repeat: Some(text) }])
    };
    // Backticks alone make our own text code; so the harmless text has none, and the hostile one an odd number.
    let (harmless, hostile) = (about("harmless"), about(HOSTILE));
    let names = |page: &str| tags(page).iter().map(|tag| tag.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&harmless), names(&hostile), "a text of a log became a part of the page");
    assert!(!hostile.contains("<img") && !hostile.contains("<script") && !hostile.contains("<!--"));
    let acts = |char: char| {
        (char.is_control() && char != '\n') || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
    };
    let found: BTreeSet<char> = hostile.chars().filter(|char| acts(*char)).collect();
    assert!(found.is_empty(), "{found:?}");
    assert!(hostile.contains("\\u{1b}[31m"), "what acts on a terminal is shown as text");
}

#[test]
fn a_page_stands_alone_and_runs_nothing() {
    let page = page(&faulty());
    assert!(page.contains("Content-Security-Policy") && page.contains("default-src 'none'"));
    let tags = tags(&page);
    assert!(!tags.iter().any(|tag| tag.starts_with("script") || tag.contains(" onclick")), "{tags:?}");
    for word in ["http://", "https://", "url(", "@import"] {
        assert!(!page.contains(word), "the page asks for something: {word}");
    }
}

#[test]
fn every_reference_has_its_target_and_every_name_is_given_once() {
    let report = faulty();
    let twice = html(&[
        HtmlSubject { subject: "one", report: &report, evidence: None, repeat: None },
        HtmlSubject { subject: "two", report: &report, evidence: None, repeat: None },
    ]);
    let ids = values(&twice, "id");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id stands twice in a document");
    let references: Vec<&str> =
        ["popovertarget", "aria-labelledby"].iter().flat_map(|name| values(&twice, name)).collect();
    assert!(references.len() > 30, "{references:?}");
    for reference in references {
        assert!(unique.contains(reference), "no element has the id {reference}");
    }
    let links = values(&twice, "href").into_iter().filter_map(|link| link.strip_prefix('#'));
    assert!(links.into_iter().all(|link| unique.contains(link)));
}

#[test]
fn headings_tell_the_order_of_the_page() {
    let page = page(&faulty());
    let levels: Vec<u32> =
        tags(&page).iter().filter_map(|tag| tag.strip_prefix('h')?.split(' ').next()?.parse().ok()).collect();
    assert_eq!(levels.first(), Some(&1));
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "a level is left out: {levels:?}");
    for attribute in ["lang=\"en\"", "<caption", "scope=\"row\"", "scope=\"col\"", "name=\"viewport\""] {
        assert!(page.contains(attribute), "{attribute}");
    }
}

#[test]
fn what_was_not_seen_is_drawn_as_unknown_and_never_as_zero() {
    let report = report_of(&["cut-off-before-the-build.log"]);
    let page = page(&report);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(page.contains("arrow unknown") && page.contains("pipe unseen") && page.contains("size not seen"));
    let cells = |page: &str| page.matches("aria-label=\"not seen\"").count();
    assert!(cells(&page) > 2, "the table says what was not seen");
    assert!(!page.contains(">0 B<"), "nothing that was not seen is a zero");
}

#[test]
fn a_finding_breaks_its_arrow_of_the_judged_run_only() {
    let report = report_of(&["cache-placed-after-the-dance.log", "cache-placed-after-the-dance.log"]);
    assert!(
        report.findings.iter().any(|finding| finding.code.as_str() == "cache-after-dance"),
        "{:?}",
        report.findings
    );
    let page = page(&report);
    let lanes: Vec<&str> = page.split("<section class=\"lane").skip(1).collect();
    assert_eq!(lanes.len(), 2);
    assert!(!lanes[0].contains("cache-after-dance"));
    assert!(lanes[1].contains("arrow broken") && lanes[1].split("</ol>").next().is_some());
}

/// The colours of the style sheet: name, light, dark.
fn colours(page: &str) -> Vec<(String, [[f64; 3]; 2])> {
    let channel = |text: &str, at: usize| f64::from(u8::from_str_radix(&text[at..at + 2], 16).unwrap()) / 255.0;
    let colour = |text: &str| {
        let text = text.trim().trim_start_matches('#');
        [channel(text, 0), channel(text, 2), channel(text, 4)]
    };
    let lines = page.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(": light-dark("));
    lines
        .map(|(name, rest)| {
            let (light, dark) = rest.trim_end_matches(");").split_once(',').unwrap();
            (name.to_owned(), [colour(light), colour(dark)])
        })
        .collect()
}

/// The contrast of two colours, by WCAG 2.2 (relative luminance of sRGB).
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let linear =
        |channel: f64| if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) };
    let luminance = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) + 0.05;
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

#[test]
fn every_text_can_be_read_in_light_and_in_dark() {
    let page = page(&faulty());
    let colours = colours(&page);
    let of = |name: &str| colours.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name}")).1;
    let back = ["bg", "panel"];
    let pairs =
        ["ink", "dim", "link", "good", "bad", "doubt"].into_iter().flat_map(|text| back.map(|back| (text, back)));
    let own = [("good", "good-back"), ("bad", "bad-back"), ("doubt", "doubt-back"), ("panel", "ink"), ("panel", "bad")];
    let on_verdicts =
        ["good-back", "bad-back", "doubt-back"].into_iter().flat_map(|back| [("ink", back), ("dim", back)]);
    for (text, back) in pairs.chain(own).chain(on_verdicts) {
        for (at, scheme) in ["light", "dark"].into_iter().enumerate() {
            let ratio = contrast(of(text)[at], of(back)[at]);
            assert!(ratio >= 4.5, "{scheme}: {text} on {back} has a contrast of {ratio:.2}");
        }
    }
    // What is drawn and bears meaning needs 3 to 1.
    for (shape, back) in
        ["flow", "flow-2", "flow-3", "bad", "dim"].into_iter().flat_map(|shape| back.map(|back| (shape, back)))
    {
        for at in [0, 1] {
            let ratio = contrast(of(shape)[at], of(back)[at]);
            assert!(ratio >= 3.0, "{shape} on {back} has a contrast of {ratio:.2}");
        }
    }
}

/// A Chromium of this machine, if it has one.
fn browser() -> Option<String> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .map(str::to_owned)
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()))
}

#[test]
fn a_real_browser_has_nothing_to_complain_of() {
    let Some(browser) = browser() else {
        println!("left out: no Chromium on this machine");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("page.html");
    std::fs::write(&file, page(&filled_with(faulty(), HOSTILE))).unwrap();
    let output = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let (dom, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(dom.contains("The way of the bytes"), "{said}");
    assert!(!dom.contains("<img") && !dom.contains("onerror=\""), "the browser found an element that nobody wrote");
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// Has the program write the catalogue as a site.
fn site(dir: &Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache")).args(["scenarios", "html"]).arg(dir).output().unwrap()
}

#[test]
fn the_catalogue_is_a_site_whose_links_lead_somewhere() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("site");
    let output = site(&place);
    assert!(output.status.success(), "{output:?}");
    let names: BTreeSet<String> =
        std::fs::read_dir(&place).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), verify_buildkit_cache::scenario::names().len() + 1);
    for name in &names {
        let page = std::fs::read_to_string(place.join(name)).unwrap();
        assert!(!page.contains("<script") && page.contains("default-src 'none'"), "{name}");
        let ids = values(&page, "id");
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{name} gives an id twice");
        for link in values(&page, "href").into_iter().filter(|link| *link != "data:,") {
            let known = match link.strip_prefix('#') {
                Some(id) => ids.contains(&id),
                None => names.contains(link),
            };
            assert!(known, "{name} links to {link}");
        }
    }
    let story = std::fs::read_to_string(place.join("cache-locked.html")).unwrap();
    for part in ["What a person sees", "The way of the bytes", "arrow broken", "with the fix: ✓ effective", "fix.diff"]
    {
        assert!(story.contains(part), "{part}");
    }
    let again = site(&place);
    assert_eq!(again.status.code(), Some(2), "a directory that holds something is left alone");
}
