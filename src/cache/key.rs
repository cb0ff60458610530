//! Keys and restore keys, checked as the client of actions/cache checks them. [`Keys`] is principal.
//!
//! The error texts are the action's own, so that they can go into a job log as they are. Foreign facts:
//! actions/toolkit `packages/cache/src/cache.ts`, `checkKey` and `restoreCache`.

use std::fmt;

/// The most keys (primary and restore keys together) one lookup may name.
const MAX_KEYS: usize = 10;
/// The longest key, in UTF-16 units, as JavaScript counts.
const MAX_UNITS: usize = 512;

/// A key that actions/cache accepts: at most 512 characters and no comma.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// Checks a key.
    ///
    /// # Errors
    /// [`KeyError`] with the action's own wording when the key is too long or contains a comma.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        if text.encode_utf16().count() > MAX_UNITS {
            return Err(KeyError::TooLong { key: text });
        }
        if text.contains(',') {
            return Err(KeyError::Comma { key: text });
        }
        Ok(Self(text))
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The keys of one lookup: the primary key, then the restore keys in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The key that a save would use.
    pub primary: Key,
    /// The prefixes tried after it, in order.
    pub restore: Vec<Key>,
}

impl Keys {
    /// Checks the keys of one lookup, first their number and then each.
    ///
    /// # Errors
    /// [`KeyError`] for the first rule broken, in the order the action checks them.
    pub fn new<S: Into<String>>(
        primary: impl Into<String>,
        restore: impl IntoIterator<Item = S>,
    ) -> Result<Self, KeyError> {
        let primary = primary.into();
        let restore: Vec<String> = restore.into_iter().map(Into::into).collect();
        if restore.len() >= MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let primary = Key::new(primary)?;
        let restore = restore.into_iter().map(Key::new).collect::<Result<_, _>>()?;
        Ok(Self { primary, restore })
    }

    /// Goes through all keys, the primary first.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.primary).chain(&self.restore)
    }
}

/// A key the action refuses; displays the action's exact message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// More than ten keys in one lookup.
    #[error("Key Validation Error: Keys are limited to a maximum of 10.")]
    TooMany,
    /// A key longer than 512 characters.
    #[error("Key Validation Error: {key} cannot be larger than 512 characters.")]
    TooLong {
        /// The refused key.
        key: String,
    },
    /// A key with a comma.
    #[error("Key Validation Error: {key} cannot contain commas.")]
    Comma {
        /// The refused key.
        key: String,
    },
}

impl KeyError {
    /// Says what to change in the workflow.
    pub fn hint(&self) -> String {
        match self {
            Self::TooMany => "name at most nine restore-keys beside the key".to_owned(),
            Self::TooLong { .. } => "shorten the key; hash long parts with hashFiles()".to_owned(),
            Self::Comma { .. } => "join the parts of the key with '-' and not with ','".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_of_512_characters_passes_and_one_more_does_not() {
        assert!(Key::new("k".repeat(512)).is_ok());
        let long = "k".repeat(513);
        assert_eq!(
            Key::new(long.clone()).unwrap_err().to_string(),
            format!("Key Validation Error: {long} cannot be larger than 512 characters.")
        );
    }

    #[test]
    fn length_counts_utf16_units_as_javascript_does() {
        assert!(Key::new("é".repeat(512)).is_ok());
        assert!(Key::new("𝄞".repeat(256)).is_ok());
        assert!(Key::new("𝄞".repeat(257)).is_err());
    }

    #[test]
    fn a_comma_is_refused_in_the_words_of_the_action() {
        assert_eq!(Key::new("a,b").unwrap_err().to_string(), "Key Validation Error: a,b cannot contain commas.");
    }

    #[test]
    fn ten_keys_pass_and_eleven_do_not() {
        let restore = |count: usize| (0..count).map(|at| format!("r{at}"));
        assert!(Keys::new("k", restore(9)).is_ok());
        assert_eq!(
            Keys::new("k,", restore(10)).unwrap_err().to_string(),
            "Key Validation Error: Keys are limited to a maximum of 10."
        );
    }

    proptest! {
        #[test]
        fn any_text_is_either_kept_as_it_is_or_refused(text in ".*") {
            if let Ok(key) = Key::new(text.clone()) {
                prop_assert_eq!(key.as_str(), text);
            }
        }
    }
}
