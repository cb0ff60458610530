//! The JSON arrays of exec forms and of `SHELL`. [`json_words`] is principal.

/// Reads a JSON array of strings; what follows it does not count, as in `BuildKit`.
pub(super) fn json_words(text: &str) -> Option<Vec<String>> {
    if !text.trim_start().starts_with('[') {
        return None;
    }
    serde_json::Deserializer::from_str(text).into_iter::<Vec<String>>().next()?.ok()
}
