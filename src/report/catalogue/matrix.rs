//! The confusion matrix as text. [`matrix`] is principal.
//!
//! One character stands for a scenario, a code and both kinds of evidence, so that the whole catalogue and its diagonal
//! fit 80 columns.

use super::super::style::Style;
use crate::catalogue::{CodeMark, Matrix, MatrixRow};

/// Writes the matrix and what its signs mean.
pub fn matrix(matrix: &Matrix, color: bool) -> String {
    let style = Style::new(color);
    let width = matrix.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = Vec::new();
    for digit in [10, 1] {
        let numbers = (1..=matrix.codes.len()).map(|number| match number / digit {
            0 => " ".to_owned(),
            some => (some % 10).to_string(),
        });
        lines.push(format!("  {:width$}  {}", "", numbers.collect::<String>()).trim_end().to_owned());
    }
    for row in &matrix.rows {
        let cells: String = row.cells.iter().map(|cell| sign(*cell, style)).collect();
        lines.push(format!("  {:width$}  {cells}{}", row.name, verdict(row, style)));
    }
    lines.push(String::new());
    for (sign, meaning) in [
        ("#", "seen live and in the log alone, as the scenario says"),
        ("l", "seen live; the log alone cannot show it, as the scenario says"),
        ("g", "seen in the log alone, as the scenario says"),
        ("-", "missing, live or in the log"),
        ("!", "unexpected, live or in the log"),
    ] {
        lines.push(format!("  {sign}  {meaning}"));
    }
    lines.push(String::new());
    lines.extend(legend(&matrix.codes));
    lines.push(String::new());
    lines.join("\n")
}

fn sign([live, log]: [CodeMark; 2], style: Style) -> String {
    match (live, log) {
        (CodeMark::Unexpected, _) | (_, CodeMark::Unexpected) => style.bad("!"),
        (CodeMark::Missing, _) | (_, CodeMark::Missing) => style.bad("-"),
        (CodeMark::Seen, CodeMark::Seen) => style.good("#"),
        (CodeMark::Seen, CodeMark::Absent) => style.good("l"),
        (CodeMark::Absent, CodeMark::Seen) => style.good("g"),
        (CodeMark::Absent, CodeMark::Absent) => style.dim("."),
    }
}

fn verdict(row: &MatrixRow, style: Style) -> String {
    match row.verdicts {
        Some([true, true]) => String::new(),
        Some([live, log]) => {
            let which = [(live, "live"), (log, "log")].into_iter().filter(|(agrees, _)| !agrees);
            let which: Vec<&str> = which.map(|(_, name)| name).collect();
            format!("  {}", style.bad(&format!("verdict ({})", which.join(", "))))
        }
        None => format!("  {}", style.doubtful("stopped")),
    }
}

/// The numbers of the codes, in two columns.
fn legend(codes: &[&str]) -> Vec<String> {
    let half = codes.len().div_ceil(2);
    let one = |at: usize| codes.get(at).map(|code| format!("{:>2}  {code:<30}", at + 1));
    let line = |at: usize| {
        let other = one(at + half).filter(|_| at + half < codes.len());
        format!("  {}  {}", one(at).unwrap_or_default(), other.unwrap_or_default()).trim_end().to_owned()
    };
    (0..half).map(line).collect()
}
