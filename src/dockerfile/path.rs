//! Paths as Go's `path.Clean` leaves them. [`clean_path`] is principal.

/// Cleans a slash-separated path as Go's `path.Clean` does: no `.`, no `//`, no `..` that can be resolved, no trailing
/// slash; the empty path is `.`.
pub fn clean_path(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_cleaned_as_go_cleans_them() {
        for (path, clean) in
            [("", "."), ("/", "/"), ("//a///b/", "/a/b"), ("/../a", "/a"), ("a/../..", ".."), ("./a/./b/..", "a")]
        {
            assert_eq!(clean_path(path), clean);
        }
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing_more(path in "[/.a]{0,20}") {
            let once = clean_path(&path);
            prop_assert_eq!(clean_path(&once), once);
        }
    }
}
