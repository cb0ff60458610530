//! What an action prints, and what of it stands in the log. [`ActionOutput`] is principal.

/// The commands that become a tagged line.
const TAGS: [(&str, &str); 5] = [
    ("warning", "##[warning]"),
    ("error", "##[error]"),
    ("notice", "##[notice]"),
    ("group", "##[group]"),
    ("endgroup", "##[endgroup]"),
];

/// Reads the lines of an action, and keeps what its commands ask for.
#[derive(Debug, Clone, Default)]
pub struct ActionOutput {
    /// The outputs set by a line, in order.
    pub outputs: Vec<(String, String)>,
    /// The state saved by a line, in order.
    pub state: Vec<(String, String)>,
    masks: Vec<String>,
    /// The word that ends a stretch without commands.
    stopped: Option<String>,
}

impl ActionOutput {
    /// Hides a value from now on.
    pub fn mask(&mut self, value: &str) {
        // A mask of several lines hides each of them.
        let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
        self.masks.extend(lines.map(str::to_owned));
        self.masks.sort_by_key(|mask| std::cmp::Reverse(mask.len()));
        self.masks.dedup();
    }

    /// Takes a line and returns what the log shows of it; `None` for a command that shows nothing.
    pub fn line(&mut self, line: &str) -> Option<String> {
        let line = line.trim_end_matches(['\r', '\n']);
        let Some((name, properties, value)) = command(line) else { return Some(self.masked(line)) };
        if let Some(word) = &self.stopped {
            if name == word {
                self.stopped = None;
                return None;
            }
            return Some(self.masked(line));
        }
        if let Some((_, tag)) = TAGS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
            return Some(self.masked(&format!("{tag}{value}")));
        }
        let property = || properties.split(',').find_map(|pair| Some(unescape(pair.trim().strip_prefix("name=")?)));
        match name.to_ascii_lowercase().as_str() {
            "add-mask" => self.mask(&value),
            "set-output" => self.outputs.extend(property().map(|name| (name, value))),
            "save-state" => self.state.extend(property().map(|name| (name, value))),
            "stop-commands" => self.stopped = Some(value),
            "debug" | "echo" | "add-matcher" | "remove-matcher" | "add-path" | "set-env" => {}
            // The runner does not know it either.
            _ => return Some(self.masked(line)),
        }
        None
    }

    fn masked(&self, line: &str) -> String {
        self.masks.iter().fold(line.to_owned(), |line, mask| line.replace(mask, "***"))
    }
}

/// Splits `::name properties::value`; the value is unescaped.
fn command(line: &str) -> Option<(&str, &str, String)> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, value) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let plain = !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "-_".contains(char));
    plain.then(|| (name, properties, unescape(value)))
}

fn unescape(text: &str) -> String {
    let text = text.replace("%0D", "\r").replace("%0A", "\n");
    text.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_the_lines_of_a_log() {
        let mut output = ActionOutput::default();
        for (printed, shown) in [
            ("::warning::Failed to save: x%0Ay", Some("##[warning]Failed to save: x\ny")),
            ("::error file=a.js,line=1::100%25", Some("##[error]100%")),
            ("::notice::Error while cleaning", Some("##[notice]Error while cleaning")),
            ("::group::Docker info", Some("##[group]Docker info")),
            ("::endgroup::", Some("##[endgroup]")),
            ("::debug::hidden", None),
            ("plain ::warning:: text", Some("plain ::warning:: text")),
            ("::unknown-command::x", Some("::unknown-command::x")),
            ("[command]/usr/bin/tar -xf a", Some("[command]/usr/bin/tar -xf a")),
        ] {
            assert_eq!(output.line(printed).as_deref(), shown, "{printed}");
        }
    }

    #[test]
    fn a_mask_hides_its_value_from_then_on() {
        let mut output = ActionOutput::default();
        assert_eq!(output.line("secret").unwrap(), "secret");
        assert_eq!(output.line("::add-mask::secret"), None);
        assert_eq!(output.line("a secret, ::warning::secret").unwrap(), "a ***, ::warning::***");
        assert_eq!(output.line("::warning::secret").unwrap(), "##[warning]***");
    }

    #[test]
    fn outputs_and_state_may_be_set_by_lines() {
        let mut output = ActionOutput::default();
        output.line("::set-output name=cache-hit::true");
        output.line("::save-state name=POST::yes");
        assert_eq!(output.outputs, [("cache-hit".to_owned(), "true".to_owned())]);
        assert_eq!(output.state, [("POST".to_owned(), "yes".to_owned())]);
    }

    #[test]
    fn commands_may_be_stopped() {
        let mut output = ActionOutput::default();
        assert_eq!(output.line("::stop-commands::word"), None);
        assert_eq!(output.line("::warning::x").unwrap(), "::warning::x");
        assert_eq!(output.line("::word::"), None);
        assert_eq!(output.line("::warning::x").unwrap(), "##[warning]x");
    }
}
