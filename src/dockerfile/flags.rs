//! The `--name=value` words in front of an instruction's arguments. [`flags`] is principal.
//!
//! Follows `extractBuilderFlags` of moby/buildkit's `frontend/dockerfile/parser/line_parsers.go`: it reads words, not what they mean.

/// One flag in front of an instruction's arguments.
pub(super) struct FlagText {
    /// With quotes and escapes removed.
    pub(super) text: String,
    /// Where it starts in the text.
    pub(super) start: usize,
    /// Where it ends in the text.
    pub(super) end: usize,
}

/// Takes the flags off the front; returns them and where the rest starts.
pub(super) fn flags(args: &str, escape: char) -> (Vec<FlagText>, usize) {
    let mut flags = Vec::new();
    let mut at = 0;
    loop {
        let rest = &args[at..];
        let start = at + (rest.len() - rest.trim_start().len());
        if !args[start..].starts_with("--") {
            return (flags, start);
        }
        let mut text = String::new();
        let mut quote = None;
        let mut end = args.len();
        let mut chars = args[start..].char_indices();
        while let Some((offset, char)) = chars.next() {
            if char == escape {
                text.extend(chars.next().map(|(_, char)| char));
            } else if let Some(open) = quote {
                if char == open { quote = None } else { text.push(char) }
            } else if matches!(char, '"' | '\'') {
                quote = Some(char);
            } else if char.is_whitespace() {
                end = start + offset;
                break;
            } else {
                text.push(char);
            }
        }
        at = end;
        if text == "--" {
            return (flags, end);
        }
        if !text.starts_with("--") {
            // Quotes in front of the dashes: `BuildKit` sees a flag where no name can be read.
            return (flags, start);
        }
        flags.push(FlagText { text, start, end });
    }
}
