//! A Dancefile with the marks by which an engine's records tell whose a cache mount is. [`mark_dockerfile`] is principal.

use std::collections::BTreeMap;

use crate::dockerfile::{CommandForm, Dockerfile, RUNNER_ARG};
use crate::source::Source;

/// A marked copy of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedDockerfile {
    /// The copy's text.
    pub text: String,
    /// The identities of its cache mounts.
    pub mounts: Vec<String>,
    /// Its vertexes, nearly as BuildKit names them.
    pub vertexes: Vec<String>,
    /// What of the marks shows in an output, and what to write in its place.
    pub hide: Vec<(String, String)>,
}

/// Marks the shell of every stage with the namespace and a word, and puts other images in the place of some.
///
/// The shell runs the command as it stands, so a `RUN` does and is called what it would be without the mark. `None` for what
/// is no Dockerfile, has a shell of its own, or has cache mounts that BuildKit refuses: that is built as it is.
pub fn mark_dockerfile(
    text: &str,
    namespace: &str,
    word: &str,
    replace: &dyn Fn(&str) -> Option<String>,
) -> Option<MarkedDockerfile> {
    let file = Dockerfile::parse(&Source::new("Dancefile", text)).ok()?;
    let mounts = file.cache_mounts(&BTreeMap::new()).ok()?;
    let keyword = |line: &str| line.split_whitespace().next().map(str::to_ascii_uppercase).unwrap_or_default();
    let plain = file.stages.iter().flat_map(|stage| &stage.runs).all(|run| run.form == CommandForm::Shell);
    if file.escape != '\\' || !plain || text.lines().any(|line| keyword(line) == "SHELL") {
        return None;
    }
    let mark = format!(": {RUNNER_ARG}={namespace} {word}; eval \"$0\"");
    let shell = serde_json::to_string(&["/bin/sh", "-c", &mark]).ok()?;
    let mut hide = vec![(format!("/bin/sh -c {mark} "), "/bin/sh -c ".to_owned())];
    let mut marked = String::new();
    let mut vertexes =
        vec!["[internal] load build context".to_owned(), "[internal] load build definition from Dancefile".to_owned()];
    let mut open = false;
    for line in text.split_inclusive('\n') {
        let first = keyword(line);
        let continues = line.trim_end().ends_with('\\');
        if open || first != "FROM" || continues {
            if !open && ["COPY", "ADD", "WORKDIR", "RUN"].contains(&first.as_str()) {
                vertexes.push(format!("[stage] {}", line.trim()));
            }
            marked.push_str(line);
            open = continues;
            continue;
        }
        vertexes.push(format!("[stage] {}", line.trim()));
        let image = line.split_whitespace().skip(1).find(|word| !word.starts_with("--")).unwrap_or_default();
        match replace(image) {
            Some(other) => {
                marked.push_str(&line.replacen(image, &other, 1));
                for place in ["docker.io/library/", "docker.io/"] {
                    hide.push((format!("{place}{other}:latest"), image.to_owned()));
                    hide.push((format!("{place}{other}"), image.to_owned()));
                }
                hide.push((other, image.to_owned()));
            }
            None => marked.push_str(line),
        }
        if !marked.ends_with('\n') {
            marked.push('\n');
        }
        marked.push_str(&format!("SHELL {shell}\n"));
    }
    let mounts = mounts.iter().map(|mount| mount.options.identity().to_string()).collect();
    Some(MarkedDockerfile { text: marked, mounts, vertexes, hide })
}
