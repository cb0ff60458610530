//! Comments that silence findings: `# verify-buildkit-cache: ignore[code, code]`. [`Ignores`] is principal.
//!
//! Behind a line it speaks of that line. On a line of its own it speaks of the next one and of what belongs to it: the lines
//! below that are indented deeper, or that continue it.

use std::ops::Range;

const MARK: &str = "# verify-buildkit-cache: ignore[";

/// The comments of one file.
pub(super) struct Ignores {
    silenced: Vec<(Range<usize>, Vec<String>)>,
}

impl Ignores {
    /// Reads the comments of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut silenced = Vec::new();
        if !text.contains(MARK) {
            return Self { silenced };
        }
        let mut lines: Vec<(usize, &str)> = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            lines.push((at, line));
            at += line.len();
        }
        for (index, (start, line)) in lines.iter().enumerate() {
            let Some((before, after)) = line.split_once(MARK) else { continue };
            let Some((codes, _)) = after.split_once(']') else { continue };
            let codes: Vec<String> = codes.split(',').map(|code| code.trim().to_owned()).collect();
            let range = match before.trim().is_empty() {
                false => *start..start + line.len(),
                true => block(&lines[index + 1..]),
            };
            silenced.push((range, codes));
        }
        Self { silenced }
    }

    /// Tells whether a comment silences a code at a place.
    pub(super) fn silence(&self, code: &str, at: usize) -> bool {
        self.silenced.iter().any(|(range, codes)| range.contains(&at) && codes.iter().any(|known| known == code))
    }
}

/// Returns the bytes of the next line that says something, and of what belongs to it.
fn block(lines: &[(usize, &str)]) -> Range<usize> {
    let says = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let mut rest = lines.iter().skip_while(|(_, line)| !says(line));
    let Some((start, first)) = rest.next() else { return 0..0 };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (depth, mut end, mut continues) = (indent(first), start + first.len(), first.trim_end().ends_with('\\'));
    for (at, line) in rest {
        if says(line) && indent(line) <= depth && !continues {
            break;
        }
        if says(line) {
            continues = line.trim_end().ends_with('\\');
            end = at + line.len();
        }
    }
    *start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_speaks_of_its_line_or_of_the_block_below() {
        let text = "steps:\n  - a: 1 # verify-buildkit-cache: ignore[x]\n    b: 2\n  # verify-buildkit-cache: ignore[y, z]\n  - c: 3\n    d: 4\n  - e: 5\n";
        let ignores = Ignores::of(text);
        let at = |word: &str| text.find(word).unwrap();
        assert!(
            ignores.silence("x", at("a: 1")) && !ignores.silence("x", at("b: 2")) && !ignores.silence("y", at("a: 1"))
        );
        assert!(
            ignores.silence("y", at("c: 3")) && ignores.silence("z", at("d: 4")) && !ignores.silence("y", at("e: 5"))
        );
    }

    #[test]
    fn in_a_dockerfile_it_speaks_of_the_whole_instruction() {
        let text = "FROM a\n# verify-buildkit-cache: ignore[x]\nRUN b \\\nc \\\n  d\nRUN e\n";
        let ignores = Ignores::of(text);
        assert!(ignores.silence("x", text.find("c \\").unwrap()) && ignores.silence("x", text.find("  d").unwrap()));
        assert!(!ignores.silence("x", text.find("RUN e").unwrap()));
        assert!(!Ignores::of("# verify-buildkit-cache: ignore[x]").silence("x", 0));
    }
}
