//! The first screen of the report for people: what came of it, why, what to change, and a line per check. [`first_screen`] is
//! principal.
//!
//! It keeps to 24 lines of 80 characters on a terminal. What does not fit is told in full below it.

use super::quote::{place, plain};
use super::style::{Style, clip, wrap};
use crate::verify::{Check, CheckId, CheckStatus, Finding, Report, Verdict};

/// Where words begin after a label such as `cause`.
const INDENT: usize = 8;

/// How many lines there are beside the heading and the line after it.
const LINES: usize = 22;

/// The most lines that a cause takes here, and the least that a fix gets.
const CAUSE: usize = 3;
const FIX: usize = 2;

/// The words of the trade that a report uses, and what they mean.
const WORDS: [(&[&str], &str); 4] = [
    (&["dance"], "dance: buildkit-cache-dance, which carries mounts in and out"),
    (&["inject"], "inject: the copy into the cache mounts, before the build"),
    (&["extract"], "extract: the copy out of the cache mounts, after the build"),
    (&["entry", "entries"], "entry: one archive that actions/cache saved, under its key"),
];

/// Writes the first screen; `width` is the widest line. `cut` says that a longer one may be cut, as on a terminal.
pub(super) fn first_screen(report: &Report, style: Style, width: usize, cut: bool) -> Vec<String> {
    let mut above = verdict(report, style, width);
    above.push(String::new());
    let mut below: Vec<String> = vec![String::new()];
    below.extend(report.checks.iter().map(|check| line_of(check, style, width, cut)));
    let change = if let Some(first) = report.findings.first() {
        above.extend(cause(first, style, width, cut));
        let more: Vec<&str> = report.findings.iter().skip(1).map(|finding| finding.code.as_str()).collect();
        if !more.is_empty() {
            let more = format!("{} (below)", more.join(", "));
            let more = if cut { clip(&more, width - INDENT) } else { more };
            below.insert(0, format!("{}{more}", style.bold(&format!("{:INDENT$}", "also"))));
        }
        Some(("change", first.fix.as_str()))
    } else if let Some(missing) = report.missing().first().filter(|_| report.verdict == Verdict::Inconclusive) {
        let mount = missing.mount.as_deref().map_or_else(String::new, |mount| format!(" of {mount}"));
        let words = format!("{}{mount}: {}", missing.id, missing.reason);
        above.extend(labelled("missing", &words, style, width, CAUSE, cut));
        Some(("needs", missing.would_show.as_str()))
    } else {
        // Nothing stands between the verdict and the checks.
        below.remove(0);
        None
    };
    let fix = change.map_or("", |(_, words)| words);
    let words = explained(above.iter().chain(&below).map(String::as_str).chain([fix]));
    if !words.is_empty() {
        below.push(String::new());
        below.extend(words.iter().map(|words| style.dim(&format!("  {words}"))));
    }
    if let Some((label, words)) = change {
        let left = LINES.saturating_sub(above.len() + below.len()).max(FIX);
        above.extend(labelled(label, words, style, width, left, cut));
    }
    above.into_iter().chain(below).collect()
}

/// Says the verdict and what it means.
pub(super) fn verdict(report: &Report, style: Style, width: usize) -> Vec<String> {
    let word = report.verdict.as_str();
    let (painted, meaning) = match report.verdict {
        Verdict::Effective => (style.good(word), "the caches survive from one run to the next".to_owned()),
        Verdict::Ineffective => (style.bad(word), "the caches do not survive from one run to the next".to_owned()),
        Verdict::Inconclusive => (style.doubtful(word), cannot_tell(report)),
    };
    let mut lines = wrap(&format!("{word}: {meaning}"), width);
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(word, &painted, 1);
    }
    lines
}

/// Says why there is no verdict: no check failed, and which were not seen.
fn cannot_tell(report: &Report) -> String {
    let unseen = report.checks.iter().filter(|check| check.status == CheckStatus::Unobserved);
    let unseen: Vec<&str> = unseen.map(|check| check.id.as_str()).collect();
    match unseen.as_slice() {
        [] => "cannot tell. No check failed, but not all that this rests on was shown".to_owned(),
        [one] => format!("cannot tell. No check failed, but nothing shows {one}"),
        [most @ .., last] => {
            format!("cannot tell. No check failed, but nothing shows {} and {last}", most.join(", "))
        }
    }
}

fn cause(finding: &Finding, style: Style, width: usize, cut: bool) -> Vec<String> {
    let words = format!("{} [{}]", finding.title, finding.code);
    let mut lines = labelled("cause", &words, style, width, CAUSE, cut);
    if let Some(quote) = finding.evidence.iter().find(|quote| quote.line.is_some()).or(finding.evidence.first()) {
        let text = format!("{}  {}", place(quote), plain(&quote.text));
        let text = if cut { clip(&text, width - INDENT) } else { text };
        lines.push(format!("{:INDENT$}{}", "", style.dim(&text)));
    }
    lines
}

/// Writes words behind a label, so many lines of them at most.
fn labelled(label: &str, words: &str, style: Style, width: usize, most: usize, cut: bool) -> Vec<String> {
    let mut words = wrap(words, width - INDENT);
    // What is indented is code, and longer than it should be; it stands whole in the finding below.
    if cut {
        words.iter_mut().for_each(|line| *line = clip(line, width - INDENT));
    }
    if words.len() > most {
        words.truncate(most - 1);
        words.push("… (in full below)".to_owned());
    }
    let label = |at: usize| if at == 0 { style.bold(&format!("{label:INDENT$}")) } else { " ".repeat(INDENT) };
    words.into_iter().enumerate().map(|(at, words)| format!("{}{words}", label(at))).collect()
}

fn line_of(check: &Check, style: Style, width: usize, cut: bool) -> String {
    let mark = match check.status {
        CheckStatus::Pass => style.good("pass      "),
        CheckStatus::Fail => style.bad("fail      "),
        CheckStatus::Unobserved => style.doubtful("unobserved"),
    };
    let subject = match check.id {
        CheckId::A => "restore",
        CheckId::B => "dance",
        CheckId::C1 => "mounts",
        CheckId::C2 => "go build",
        CheckId::C3 => "downloads",
    };
    let observed = plain(&check.observed);
    let observed = if cut { clip(&observed, width.saturating_sub(29)) } else { observed };
    format!("  {mark}  {:<2}  {subject:<9}  {observed}", check.id.as_str())
}

/// Explains the words of the trade among some lines.
fn explained<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<&'static str> {
    let text = lines.into_iter().collect::<Vec<_>>().join(" ").to_lowercase();
    let used = |words: &&[&str]| words.iter().any(|word| has_word(&text, word));
    WORDS.iter().filter(|(words, _)| used(words)).map(|(_, meaning)| *meaning).collect()
}

/// Tells whether a text has a word or one that begins with it, such as `injected`; `cache-dance` is a name and no such word.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(|char| char.is_alphanumeric() || char == '-' || char == '`')
            && after.is_none_or(|char| char != '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_trade_is_explained_where_it_is_used_and_only_there() {
        let of = |text: &str| explained([text]).len();
        assert_eq!(of("injected each mount; run 2 extracted"), 2);
        assert_eq!(of("the buildkit-cache-dance step, restored 3 MB"), 0);
        assert_eq!(of("an empty entry, and the dance"), 2);
        assert_eq!(of("inject-failed"), 0);
    }
}
