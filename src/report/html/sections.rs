//! The written parts of a report: checks, findings, numbers, obligations, notes. [`findings`] is principal.

use maud::{Markup, html};

use super::super::quote::plain;
use super::super::runs::{RunsRow, rows};
use super::lines::{prose, quotes, spans};
use crate::verify::{CheckStatus, Finding, ObligationState, Report, RunSummary, Severity};

/// Writes the findings with their fixes, in the order in which to fix them.
pub(super) fn findings(report: &Report) -> Markup {
    html! {
        @for (at, finding) in report.findings.iter().enumerate() {
            (one_finding(finding, at + 1, report.findings.len()))
        }
    }
}

fn one_finding(finding: &Finding, number: usize, of: usize) -> Markup {
    let class = match finding.severity {
        Severity::Error => "finding error",
        Severity::Warning => "finding warning",
        Severity::Note => "finding note",
    };
    html! {
        article class=(class) {
            h3 { span.number { (number) " of " (of) } " " (spans(&finding.title)) }
            p.meta { span.severity { (finding.severity.as_str()) } " " code { (finding.code.as_str()) } }
            dl {
                dt { "Why it matters" } dd { (prose(&finding.why)) }
                dt { "Fix" } dd.fix { (prose(&finding.fix)) }
            }
            details open {
                summary { "How we know: " (count(finding.evidence.len(), "line", "lines")) }
                (quotes(&finding.evidence))
            }
        }
    }
}

/// Writes the five checks; the lines of each open on a click.
pub(super) fn checks(report: &Report) -> Markup {
    html! {
        div.scroll role="region" aria-label="The checks" tabindex="0" {
            table.checks {
                caption.sr { "The checks of the last run" }
                thead { tr { th scope="col" { "Answer" } th scope="col" { "Check" } th scope="col" { "Seen, and needed" } } }
                tbody {
                    @for check in &report.checks {
                        @let (class, sign) = match check.status {
                            CheckStatus::Pass => ("pass", "✓"),
                            CheckStatus::Fail => ("fail", "✕"),
                            CheckStatus::Unobserved => ("unobserved", "?"),
                        };
                        tr class=(class) {
                            td.answer { span.sign aria-hidden="true" { (sign) } " " (check.status.as_str()) }
                            th scope="row" { b { (check.id.as_str()) } " " (plain(&check.title)) }
                            td {
                                p { (spans(&check.observed)) }
                                @if !check.threshold.is_empty() { p.needs { "needs " (spans(&check.threshold)) } }
                                @if !check.evidence.is_empty() {
                                    details {
                                        summary { (count(check.evidence.len(), "line", "lines")) " show it" }
                                        (quotes(&check.evidence))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Writes the runs side by side: what the drawing shows, as a table.
pub(super) fn numbers(report: &Report) -> Markup {
    let runs: Vec<&RunSummary> = report.runs.iter().collect();
    html! {
        div.scroll role="region" aria-label="The runs in numbers" tabindex="0" {
            table.numbers {
                caption.sr { "The runs in numbers; a dash stands for what was not seen" }
                thead { tr {
                    td {}
                    @for run in &runs { th scope="col" { "Run " (run.number) } }
                } }
                tbody {
                    @for RunsRow { label, cells } in rows(&runs) {
                        tr {
                            th scope="row" { (if label.is_empty() { "restored archive".to_owned() } else { plain(&label) }) }
                            @for cell in cells {
                                td { @if cell == "-" { span aria-label="not seen" { "–" } } @else { (plain(&cell)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Writes what an effective verdict rests on.
pub(super) fn obligations(report: &Report) -> Markup {
    html! {
        ul.obligations {
            @for one in &report.obligations {
                @let shown = one.state == ObligationState::Shown;
                li class=(if shown { "shown" } else { "missing" }) {
                    p {
                        span.sign aria-hidden="true" { (if shown { "✓" } else { "?" }) } " "
                        b { (one.id.as_str()) }
                        @if let Some(mount) = &one.mount { " of " code { (plain(mount)) } }
                        ": " (if shown { "shown" } else { "missing" })
                    }
                    @if !one.reason.is_empty() {
                        p { (spans(&one.reason)) }
                        p.needs { "would show it: " code { (plain(&one.would_show)) } }
                    }
                    @if !one.evidence.is_empty() {
                        details {
                            summary { (count(one.evidence.len(), "line", "lines")) }
                            (quotes(&one.evidence))
                        }
                    }
                }
            }
        }
    }
}

/// Writes what to keep in mind.
pub(super) fn notes(report: &Report) -> Markup {
    html! {
        ul.notes {
            @for note in &report.notes {
                li {
                    p { (spans(&note.text)) }
                    @if !note.evidence.is_empty() {
                        details {
                            summary { (count(note.evidence.len(), "line", "lines")) }
                            (quotes(&note.evidence))
                        }
                    }
                }
            }
        }
    }
}

/// Says how many of something there are.
pub(super) fn count(count: usize, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}
