//! The text of a `--mount` flag. [`MountOptions`] is principal.
//!
//! Serves three readers: Dockerfiles, Dancefiles, and vertex names quoted in CI logs. It expands no variables by
//! itself; who knows their values passes them in.

use super::csv::csv_fields;
use super::flags::flags;
use super::identity::{MountIdentity, MountOwner};
use super::mount_error::MountError;
use super::path::clean_path;
use super::words::{self, WordError};

/// What two builds do that want the same cache mount at once. No part of the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Both use it.
    Shared,
    /// The second gets a new one.
    Private,
    /// The second waits.
    Locked,
}

/// The options of one `--mount=type=cache,…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountOptions {
    /// The text after `--mount=`, as written.
    pub raw: String,
    /// Where it is mounted; empty when nothing says so. Also written `dst` or `destination`.
    pub target: String,
    /// The explicit `id`, when it is not empty.
    pub id: Option<String>,
    /// The owner given to a new mount.
    pub uid: Option<String>,
    /// The group given to a new mount.
    pub gid: Option<String>,
    /// The file mode given to a new mount, octal.
    pub mode: Option<String>,
    /// The sharing mode, when given.
    pub sharing: Option<Sharing>,
    /// The stage or image the mount starts from, when given.
    pub from: Option<String>,
    /// The path in `from`, when given.
    pub source: Option<String>,
    /// Whether writes fail.
    pub readonly: bool,
}

impl MountOptions {
    /// Reads the text after `--mount=`; `None` when it is not a cache mount.
    ///
    /// `expand` gets every value and returns it with its variables replaced.
    ///
    /// # Errors
    /// What `BuildKit` refuses in a cache mount. The options of the other mount types are not judged.
    pub fn parse(
        raw: &str,
        expand: &mut dyn FnMut(&str) -> Result<String, WordError>,
    ) -> Result<Option<Self>, MountError> {
        let fields = csv_fields(raw)?;
        let mut pairs = Vec::with_capacity(fields.len());
        for field in &fields {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_ascii_lowercase(), Some(expand(value)?)),
                None => (field.to_ascii_lowercase(), None),
            };
            pairs.push((key, value, field));
        }
        let kind = pairs.iter().rev().find(|(key, ..)| key == "type").and_then(|(_, value, _)| value.clone());
        match kind.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("cache") => {}
            None | Some("bind" | "tmpfs" | "secret" | "ssh") => return Ok(None),
            Some(_) => return Err(MountError::Type(kind.unwrap_or_default())),
        }
        let mut mount = Self {
            raw: raw.to_owned(),
            target: String::new(),
            id: None,
            uid: None,
            gid: None,
            mode: None,
            sharing: None,
            from: None,
            source: None,
            readonly: false,
        };
        for (key, value, field) in pairs {
            mount.set(&key, value, field)?;
        }
        Ok(Some(mount))
    }

    /// Reads the text after `--mount=` where no variable has a value, as in a Dancefile.
    ///
    /// # Errors
    /// What `BuildKit` refuses in a cache mount.
    pub fn parse_without_variables(raw: &str) -> Result<Option<Self>, MountError> {
        Self::parse(raw, &mut |value| words::expand(value, '\\', &|_| None).map(|expanded| expanded.text))
    }

    /// Reads the text after `--mount=` as it stands in a file, quotes and escapes and all, where no variable has a value.
    /// The text ends at the first space outside quotes.
    ///
    /// # Errors
    /// What `BuildKit` refuses in a cache mount.
    pub fn parse_written(written: &str) -> Result<Option<Self>, MountError> {
        let flag = format!("--mount={written}");
        let (flags, _) = flags(&flag, '\\');
        let value = flags.first().and_then(|flag| flag.text.strip_prefix("--mount=")).unwrap_or("");
        Self::parse_without_variables(value)
    }

    fn set(&mut self, key: &str, value: Option<String>, field: &str) -> Result<(), MountError> {
        let Some(value) = value else {
            match key {
                "readonly" | "ro" => self.readonly = true,
                "readwrite" | "rw" => self.readonly = false,
                _ => return Err(MountError::Field(field.to_owned())),
            }
            return Ok(());
        };
        match key {
            "type" => {}
            "target" | "dst" | "destination" => self.target = value,
            "id" => self.id = (!value.is_empty()).then_some(value),
            "from" => self.from = (!value.is_empty()).then_some(value),
            "source" | "src" => self.source = (!value.is_empty()).then_some(value),
            "uid" => self.uid = Some(number("uid", value, 10)?),
            "gid" => self.gid = Some(number("gid", value, 10)?),
            "mode" => self.mode = Some(number("mode", value, 8)?),
            "readonly" | "ro" => self.readonly = boolean(key, &value)?,
            "readwrite" | "rw" => self.readonly = !boolean(key, &value)?,
            "sharing" => {
                self.sharing = Some(match value.to_ascii_lowercase().as_str() {
                    "shared" => Sharing::Shared,
                    "private" => Sharing::Private,
                    "locked" => Sharing::Locked,
                    _ => return Err(MountError::Sharing(value)),
                });
            }
            _ => return Err(MountError::Key(key.to_owned(), field.to_owned())),
        }
        Ok(())
    }

    /// Returns the identity this mount has on a builder.
    pub fn identity(&self) -> MountIdentity {
        let (id, explicit) = match &self.id {
            Some(id) => (id.clone(), true),
            None => (clean_path(&self.target), false),
        };
        // `from=scratch` is what no `from` means; a source inside `from` makes BuildKit ignore the owner.
        let from = self.from.clone().filter(|from| from != "scratch");
        let inside = self.source.as_deref().is_some_and(|source| clean_path(&format!("/{source}")) != "/");
        let owned = !inside && (self.uid.is_some() || self.gid.is_some() || self.mode.is_some());
        let value = |text: &Option<String>, radix, default| {
            text.as_deref().and_then(|text| u32::from_str_radix(text, radix).ok()).unwrap_or(default)
        };
        let owner = owned.then(|| MountOwner {
            uid: value(&self.uid, 10, 0),
            gid: value(&self.gid, 10, 0),
            mode: value(&self.mode, 8, 0o755),
        });
        MountIdentity { id, explicit, owner, from }
    }
}

fn number(key: &'static str, value: String, radix: u32) -> Result<String, MountError> {
    let digits = !value.is_empty() && value.chars().all(|char| char.is_digit(radix));
    if digits && u32::from_str_radix(&value, radix).is_ok() { Ok(value) } else { Err(MountError::Number(key, value)) }
}

fn boolean(key: &str, value: &str) -> Result<bool, MountError> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(MountError::Boolean(key.to_owned(), value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mount(raw: &str) -> MountOptions {
        MountOptions::parse_without_variables(raw).unwrap().unwrap()
    }

    fn identity(raw: &str) -> MountIdentity {
        mount(&format!("type=cache,{raw}")).identity()
    }

    #[test]
    fn the_identity_is_the_id_or_else_the_cleaned_target() {
        assert_eq!(identity("target=/q2/"), identity("target=/q2"));
        assert_eq!(identity("target=/q2/"), identity("id=/q2,target=/elsewhere"));
        assert_ne!(identity("target=/q2/"), identity("id=/q2/,target=/q2/"));
        assert_eq!(identity("target=rel"), identity("id=rel,target=/x"));
        assert_eq!(identity("dst=/x"), identity("destination=/x"));
        assert_eq!(identity("target=/x,id="), identity("target=/x"));
    }

    #[test]
    fn owner_and_from_make_another_cache_and_sharing_does_not() {
        let plain = identity("target=/x");
        for other in ["uid=0", "gid=0", "mode=0755", "from=base"] {
            assert_ne!(plain, identity(&format!("target=/x,{other}")), "{other}");
        }
        for same in ["sharing=locked", "ro", "readonly=false", "from=scratch", "source=/"] {
            assert_eq!(plain, identity(&format!("target=/x,{same}")), "{same}");
        }
        assert_eq!(identity("target=/x,uid=0"), identity("target=/x,gid=0,mode=755"));
        assert_eq!(identity("target=/x,from=a,source=/s"), identity("target=/x,from=a,source=/s,uid=3"));
    }

    #[test]
    fn identities_read_well() {
        assert_eq!(identity("id=go-mod,target=/go/pkg/mod").to_string(), "id=go-mod");
        assert_eq!(identity("target=/go/pkg/mod/").to_string(), "target /go/pkg/mod");
        assert_eq!(identity("id=a,target=/x,uid=7").to_string(), "id=a with uid=7,gid=0,mode=0755");
        assert_eq!(identity("target=/x,from=base").to_string(), "target /x from base");
    }

    #[test]
    fn options_are_read_as_buildkit_reads_them() {
        let all = mount("Type=cache,TARGET=/x,id=a,uid=1,gid=2,mode=0700,sharing=Locked,from=b,src=/s,ro");
        assert_eq!((all.target.as_str(), all.id.as_deref()), ("/x", Some("a")));
        assert_eq!((all.uid.as_deref(), all.gid.as_deref(), all.mode.as_deref()), (Some("1"), Some("2"), Some("0700")));
        assert_eq!((all.sharing, all.readonly), (Some(Sharing::Locked), true));
        assert_eq!((all.from.as_deref(), all.source.as_deref()), (Some("b"), Some("/s")));
        assert_eq!(mount("type=cache,\"target=/a,b\"").target, "/a,b");
        assert_eq!(MountOptions::parse_without_variables("type=bind,nonsense=1").unwrap(), None);
        for bad in ["type=cache,colour=red", "type=cache,target", "type=disk", "type=cache,uid=x", "type=cache,mode=9"]
        {
            MountOptions::parse_without_variables(bad).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}|[\"\\\\=,a-z-]{0,60}") {
            let _ = MountOptions::parse_without_variables(&text);
        }
    }
}
