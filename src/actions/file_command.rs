//! The files into which an action writes its outputs, variables and state. [`file_command`] is principal.

/// A line of such a file that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileCommandError {
    /// A line is neither `name=value` nor `name<<delimiter`.
    #[error("Invalid format '{0}'")]
    Format(String),
    /// A value of several lines has no end.
    #[error("Invalid value. Matching delimiter not found '{0}'")]
    Delimiter(String),
}

/// Reads the lines `name=value` and `name<<delimiter` with the lines up to the delimiter, in their order.
///
/// # Errors
/// In the runner's words; a step whose file has such a line fails.
pub fn file_command(text: &str) -> Result<Vec<(String, String)>, FileCommandError> {
    let mut pairs = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        let several = heredoc.filter(|heredoc| equals.is_none_or(|equals| *heredoc < equals));
        if let Some(at) = several {
            let (name, delimiter) = (&line[..at], &line[at + 2..]);
            if name.is_empty() || delimiter.is_empty() {
                return Err(FileCommandError::Format(line.to_owned()));
            }
            let mut value: Vec<&str> = Vec::new();
            loop {
                match lines.next() {
                    Some(line) if line == delimiter => break,
                    Some(line) => value.push(line),
                    None => return Err(FileCommandError::Delimiter(delimiter.to_owned())),
                }
            }
            pairs.push((name.to_owned(), value.join("\n")));
            continue;
        }
        match line.split_once('=') {
            Some((name, value)) if !name.is_empty() => pairs.push((name.to_owned(), value.to_owned())),
            _ => return Err(FileCommandError::Format(line.to_owned())),
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn both_forms_are_read_in_their_order() {
        let text = "POST=true\ncache-map<<ghadelimiter_1\n{\n  \"a=b\": \"<<c\"\n}\nghadelimiter_1\n\nempty=\nx=a<<b\n";
        let map = "{\n  \"a=b\": \"<<c\"\n}";
        assert_eq!(
            file_command(text).unwrap(),
            [pair("POST", "true"), pair("cache-map", map), pair("empty", ""), pair("x", "a<<b")]
        );
    }

    #[test]
    fn what_is_no_such_line_is_refused() {
        assert_eq!(file_command("x\n").unwrap_err().to_string(), "Invalid format 'x'");
        assert_eq!(file_command("=x\n").unwrap_err().to_string(), "Invalid format '=x'");
        let open = file_command("x<<END\na\n").unwrap_err();
        assert_eq!(open.to_string(), "Invalid value. Matching delimiter not found 'END'");
    }
}
