//! Keys of cache entries, compared. [`bumped`] is principal.

/// Tells whether `asked` is `saved` with another version in it, as a person writes to begin anew: `go-v1-ab` and `go-v2-ab`.
///
/// A bare number may be a counter that changes by itself, as `github.run_number` does; it is a version only where restore
/// keys hold it too, since nobody asks for what only one run can have saved.
pub(super) fn bumped(saved: &str, asked: &str, restore_keys: &[String]) -> bool {
    let (old, new) = (parts(saved), parts(asked));
    let Some(at) = old.iter().zip(&new).position(|(old, new)| old != new) else { return false };
    let (old, new) = (old[at], new[at]);
    let reaches = |key: &String| parts(key).get(at) == Some(&new);
    let held = restore_keys.iter().all(reaches);
    match (number(old), number(new)) {
        (Some((true, _)), Some((true, _))) => held,
        (Some((false, _)), Some((false, _))) => held && !restore_keys.is_empty(),
        _ => false,
    }
}

/// Splits a key where its parts meet.
fn parts(key: &str) -> Vec<&str> {
    key.split(['-', '_', '/', '|', ':']).collect()
}

/// Reads `v2` or `2`, and whether a `v` says that it is a version. A commit or a hash is longer.
fn number(part: &str) -> Option<(bool, u32)> {
    let digits = part.strip_prefix(['v', 'V']);
    let short = digits.unwrap_or(part);
    let number = (short.len() <= 5).then(|| short.parse().ok()).flatten()?;
    Some((digits.is_some(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_changed_is_a_new_beginning() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        assert!(bumped("go-v1-ab12", "go-v2-ab12", &[]));
        assert!(bumped("go-v1-ab12", "go-v2-cd34", &keys(&["go-v2-"])));
        assert!(bumped("go-1-ab12", "go-2-ab12", &keys(&["go-2-"])));
        assert!(!bumped("go-v1-ab12", "go-v2-ab12", &keys(&["go-"])), "the old entry was asked for");
        assert!(!bumped("go-41", "go-42", &[]), "a counter");
        assert!(!bumped("go-41", "go-42", &keys(&["go-"])));
        assert!(!bumped("go-ab12", "go-cd34", &[]));
        assert!(!bumped("go-v1", "go-v1", &[]));
    }
}
