//! Host directories as workflows write them, compared. [`covers`] is principal.
//!
//! The workspace's own path is not part of the evidence, so an absolute path is compared with a relative one by its
//! tail. That errs towards "the same", and so never accuses a workflow that is right.

/// Tells whether saving `path` also saves the directory `source` of a dance.
///
/// actions/cache expands a `~`; for the dance it is a name like any other, of a directory in the workspace.
pub(crate) fn covers(path: &str, source: &str) -> bool {
    let literal = format!("./{}", source.trim());
    let source = if source.trim().starts_with('~') { literal.as_str() } else { source };
    let (path, source) = (parts(path), parts(source));
    if path.first() == Some(&"!") {
        return false;
    }
    match (path.as_slice(), source.as_slice()) {
        // Where the home directory lies depends on the runner.
        (["~", path @ ..], ["/", source @ ..]) => below_home(source).is_some_and(|rest| rest.starts_with(path)),
        _ => covers_alike(&path, &source),
    }
}

/// Tells whether saving `path` saves `source` without guessing where the workspace lies.
pub(crate) fn covers_surely(path: &str, source: &str) -> bool {
    covers(path, source) && is_rooted(&parts(path)) == is_rooted(&parts(source))
}

/// Returns what follows a home directory.
fn below_home<'p, 's>(path: &'p [&'s str]) -> Option<&'p [&'s str]> {
    match path {
        ["root", rest @ ..] | ["home" | "Users", _, rest @ ..] | ["github", "home", rest @ ..] => Some(rest),
        _ => None,
    }
}

fn covers_alike(path: &[&str], source: &[&str]) -> bool {
    match (is_rooted(path), is_rooted(source)) {
        // A relative directory may lie anywhere below the workspace, whose depth is unknown.
        (true, false) => (0..=source.len()).any(|end| end > 0 && path.ends_with(&source[..end])),
        (false, true) => path.is_empty() || source.windows(path.len()).any(|window| window == path),
        _ => source.starts_with(path),
    }
}

/// Tells whether one directory is the other or lies inside it.
pub(crate) fn nested(a: &str, b: &str) -> bool {
    let (a, b) = (parts(a), parts(b));
    is_rooted(&a) == is_rooted(&b) && (a.starts_with(&b) || b.starts_with(&a))
}

/// Splits a path into its meaningful parts: rooted ones begin with `/` or `~`, excluded ones with `!`, and a pattern ends
/// before its first wildcard. The usual workspace of a GitHub runner is taken off.
fn parts(path: &str) -> Vec<&str> {
    let path = path.trim();
    if let Some(rest) = path.strip_prefix('!') {
        return [vec!["!"], parts(rest)].concat();
    }
    let mut parts: Vec<&str> = if path.starts_with('/') { vec!["/"] } else { Vec::new() };
    let names = path.split('/').filter(|part| !matches!(*part, "" | "."));
    // Only at the front does a `~` mean the home directory.
    let names = names.map(|part| if part == "~" && !path.starts_with('~') { NAMED_TILDE } else { part });
    parts.extend(names.take_while(|part| !part.replace(MASK, "").contains(['*', '?', '['])));
    let workspace = match parts.as_slice() {
        ["/", "home", "runner", "work", _, _, ..] => 6,
        ["/", "__w", _, _, ..] => 4,
        ["/", "github", "workspace", ..] => 3,
        _ => 0,
    };
    parts.split_off(workspace)
}

/// What the runner writes in place of a secret: a part of a name, and no pattern.
const MASK: &str = "***";

/// A directory whose name is `~`; no other part of a path reads like this.
const NAMED_TILDE: &str = "./~";

fn is_rooted(parts: &[&str]) -> bool {
    matches!(parts.first(), Some(&"/" | &"~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_covers_itself_and_what_lies_below() {
        for (path, source) in [
            (".go-cache", ".go-cache/go-mod"),
            ("./go-mod/", "go-mod"),
            ("go-mod", "./go-mod"),
            ("/home/runner/work/app/app/.go-cache", ".go-cache/go-mod"),
            (".go-cache", "/home/runner/work/app/app/.go-cache/go-mod"),
            ("/srv/work/.go-cache", ".go-cache/go-mod"),
            (".go-cache", "/srv/work/.go-cache/go-mod"),
            (".", "go-mod"),
            ("go-*", "go-mod"),
            ("/home/runner/work/***-app/***-app/c", "c/mod"),
            ("/home/runner/work/***/***/c", "c/mod"),
            ("./~/cache", "~/cache/go"),
            (".", "~/cache"),
            ("~/cache", "/home/runner/cache/go"),
            ("~/cache", "/root/cache"),
            ("/home/runner/work/app/app/~/cache", "~/cache/go"),
        ] {
            assert!(covers(path, source), "{path} covers {source}");
        }
    }

    #[test]
    fn another_directory_is_not_covered() {
        for (path, source) in [
            (".go-cache", "go-mod"),
            ("go-mod", "go-mod2"),
            ("!go-mod", "go-mod"),
            ("/a/go", "go-mod"),
            ("~/go", "/home/runner/cache/go"),
            ("~/cache", "/tmp/cache/go"),
            ("/tmp", "~/cache"),
            ("~/cache", "~/cache/go"),
            ("/home/runner", "~/cache"),
        ] {
            assert!(!covers(path, source), "{path} does not cover {source}");
        }
    }

    #[test]
    fn only_what_needs_no_guess_is_sure() {
        assert!(covers_surely("mod", "mod") && covers_surely("/home/runner/work/a/a/mod", "mod"));
        assert!(covers("~/go/mod", "mod") && !covers_surely("~/go/mod", "mod"));
    }

    #[test]
    fn nesting_goes_by_whole_names() {
        assert!(nested("go", "go/mod") && nested("go/mod", "./go") && nested("a", "a/"));
        assert!(!nested("go", "go-mod") && !nested("a/go", "b/go"));
    }
}
