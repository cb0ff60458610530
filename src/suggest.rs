//! What a person may have meant by a name that is not there. [`meant`] is principal.

/// Names the known words nearest to one that is not known, at most three that are equally near.
///
/// Near is a Damerau-Levenshtein distance of at most a third of the longer word's length; where nothing is so near, it is
/// the words that share a part of the name, as `cache-map-mismatch` does with `cache-map-id-mismatch`.
pub fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_ascii_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let mut near: Vec<(usize, &str)> = Vec::new();
    for name in &known {
        let distance = strsim::damerau_levenshtein(&word, name);
        if distance * 3 <= word.chars().count().max(name.chars().count()) {
            near.push((distance, name));
        }
    }
    near.sort();
    let least = near.first().map(|(distance, _)| *distance);
    near.retain(|(distance, _)| Some(*distance) == least);
    if near.is_empty() {
        let parts: Vec<&str> = word.split(['-', '_', ' ', '.']).filter(|part| part.len() > 2).collect();
        let shared = |name: &str| parts.iter().filter(|part| name.contains(**part)).count();
        near = known.iter().map(|name| (shared(name), *name)).filter(|(count, _)| *count > 0).collect();
        near.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let most = near.first().map(|(count, _)| *count);
        near.retain(|(count, _)| Some(*count) == most);
    }
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Puts the suggestion into words; `None` where nothing is near.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = meant(word, known);
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["cache-locked", "cache-empty", "cache-map-id-mismatch", "cache-map-owner-mismatch"];

    #[test]
    fn the_nearest_word_comes_first_and_a_shared_part_is_the_last_resort() {
        assert_eq!(meant("cache-lokced", KNOWN), ["cache-locked"]);
        assert_eq!(meant("Cache-Empty", KNOWN), ["cache-empty"]);
        assert_eq!(meant("map-owner", KNOWN), ["cache-map-owner-mismatch"]);
        assert_eq!(meant("zzz", KNOWN), [""; 0]);
        assert_eq!(did_you_mean("cache-emty", KNOWN).as_deref(), Some("did you mean cache-empty?"));
        assert_eq!(did_you_mean("??", KNOWN), None);
    }
}
