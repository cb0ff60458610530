//! Whatever a log holds, no format of the report sends a control character to whoever reads it.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::path::Path;

use assert_cmd::Command;

/// What the program prints of the log with escape sequences in its keys and lines.
fn printed(format: &str) -> String {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs/escape-sequences-in-keys-and-lines.log");
    let dir = tempfile::tempdir().unwrap();
    // The name of a file is as foreign as its content.
    let named = dir.path().join("a\u{1b}[2Jb.log");
    std::fs::copy(log, &named).unwrap();
    let mut command = Command::cargo_bin("verify-buildkit-cache").unwrap();
    let output = command.args(["logs", "--format", format]).arg(&named).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stdout).unwrap()
}

/// The characters that could act on a terminal or on the eye.
fn active(text: &str) -> Vec<char> {
    let acts = |char: &char| {
        char.is_control() && *char != '\n' || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(acts).collect()
}

#[test]
fn no_sequence_of_a_log_or_of_its_name_reaches_a_reader() {
    for format in ["json", "github", "markdown"] {
        let text = printed(format);
        assert_eq!(active(&text), [], "{format}: {text:?}");
        assert!(text.contains("cache-locked"), "{format}");
    }
    // Text has colours of its own; without them nothing is left.
    let mut text = printed("text");
    assert!(!text.contains("[2J") || text.contains("\\u{1b}[2J"), "{text:?}");
    while let Some(at) = text.find("\u{1b}[") {
        let end = at + text[at..].find('m').unwrap();
        let parameters = &text[at + 2..end];
        assert!(parameters.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "{parameters:?} is no colour");
        text.replace_range(at..=end, "");
    }
    assert_eq!(active(&text), [], "{text:?}");
}

#[test]
fn a_line_of_a_log_cannot_command_the_runner() {
    let text = printed("github");
    for line in text.lines() {
        assert!(
            line.starts_with("::error title=")
                || line.starts_with("::warning title=")
                || line.starts_with("::notice title="),
            "{line}"
        );
    }
}
