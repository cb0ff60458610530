//! The report as a compiler prints its errors. [`text`] is principal.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::lint::{LintFinding, LintPlace, LintReport};
use crate::source::Source;
use crate::verify::Severity;

/// How the text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether escape sequences for colour are written.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
}

/// Writes every finding with the lines it is about, and a last line that counts them.
pub fn text(report: &LintReport, style: TextStyle) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width);
    let mut out = String::new();
    for finding in &report.findings {
        let sources: Vec<(Source, Vec<&LintPlace>)> = by_file(report, finding);
        let groups = groups(finding, &sources);
        let _ = writeln!(out, "{}\n", renderer.render(&groups));
    }
    out.push_str(&summary(report));
    out
}

/// Gathers the places of a finding by file, the file to change first, the text fit to be shown.
fn by_file<'f>(report: &LintReport, finding: &'f LintFinding) -> Vec<(Source, Vec<&'f LintPlace>)> {
    let mut found: Vec<(Source, Vec<&LintPlace>)> = Vec::new();
    for place in &finding.places {
        match found.iter_mut().find(|(source, _)| source.name == place.file) {
            Some((_, places)) => places.push(place),
            None => {
                if let Some(source) = report.sources.get(&place.file) {
                    found.push((Source::new(source.name.clone(), shown(&source.text)), vec![place]));
                }
            }
        }
    }
    found
}

fn groups<'a>(finding: &'a LintFinding, sources: &'a [(Source, Vec<&'a LintPlace>)]) -> Vec<Group<'a>> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = level
        .primary_title(shown_words(&finding.title))
        .id(finding.code)
        .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new());
    let mut first = true;
    for (source, places) in sources {
        let mut snippet = Snippet::source(source.text.as_str()).path(source.name.as_str()).fold(true);
        for place in places {
            let kind = if std::mem::take(&mut first) { AnnotationKind::Primary } else { AnnotationKind::Context };
            let span = within(&source.text, place);
            snippet = snippet.annotation(kind.span(span).label(place.label.as_deref().map(std::borrow::Cow::from)));
        }
        group = group.element(snippet);
    }
    let group = group
        .element(Level::NOTE.with_name("why").message(shown_words(&finding.why)))
        .element(Level::HELP.message(shown_words(&finding.help)));
    vec![group]
}

/// Keeps a span inside its text and at the borders of characters, and at least one character wide where there is one.
fn within(text: &str, place: &LintPlace) -> std::ops::Range<usize> {
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = floor(place.span.start);
    let end = floor(place.span.end).max(start);
    start..end
}

/// A text whose control characters cannot act on a terminal, every byte where it was.
fn shown(text: &str) -> String {
    let acts = |char: char| {
        (char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut out, char| {
        match acts(char) {
            // As many bytes as before, so that spans stay true.
            true => out.extend(std::iter::repeat_n('?', char.len_utf8())),
            false => out.push(char),
        }
        out
    })
}

fn shown_words(text: &str) -> String {
    let acts = |char: char| {
        (char.is_control() && char != '\n')
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|char| if acts(char) { '?' } else { char }).collect()
}

/// Counts what was looked at and what was found.
fn summary(report: &LintReport) -> String {
    let several = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let found: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .filter_map(|(severity, word)| {
            Some(report.count(severity)).filter(|count| *count > 0).map(|count| several(count, word))
        })
        .collect();
    let found = if found.is_empty() { "nothing wrong".to_owned() } else { found.join(", ") };
    let ignored = match report.ignored {
        0 => String::new(),
        count => format!(" ({} ignored by a comment)", several(count, "finding")),
    };
    let jobs = match report.jobs {
        0 => "no job builds with cache mounts or carries them".to_owned(),
        count => format!("{} with cache mounts", several(count, "job")),
    };
    format!("{}: {jobs}; {found}{ignored}\n", several(report.workflows, "workflow"))
}
