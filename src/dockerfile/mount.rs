//! The text of a `--mount` flag and the identity of the cache mount it names. [`MountOptions`] and [`MountIdentity`]
//! are principal.
//!
//! Serves three readers: Dockerfiles, Dancefiles, and vertex names quoted in CI logs. It expands no variables by
//! itself; who knows their values passes them in.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::words::WordError;

/// Why a `--mount` is refused, in the words of `BuildKit`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// An option without a value that needs one.
    #[error("invalid field '{0}' must be a key=value pair")]
    Field(String),
    /// An option that does not exist.
    #[error("unexpected key '{0}' in '{1}'")]
    Key(String, String),
    /// A type that does not exist.
    #[error("unsupported mount type \"{0}\"")]
    Type(String),
    /// A sharing mode that does not exist.
    #[error("unsupported sharing value \"{0}\"")]
    Sharing(String),
    /// A number that is none.
    #[error("invalid value {1} for {0}")]
    Number(&'static str, String),
    /// A `true` or `false` that is neither.
    #[error("invalid value for {0}: {1}")]
    Boolean(String, String),
    /// Quotes in the wrong places.
    #[error("failed to parse csv mounts: {0}")]
    Csv(String),
    /// A variable that cannot be expanded.
    #[error(transparent)]
    Word(#[from] WordError),
}

impl MountError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Key(..) | Self::Field(_) => Some(
                "the options of a cache mount are id, target, readonly, sharing, from, source, mode, uid, gid".into(),
            ),
            Self::Type(_) => Some("the mount types are bind, cache, tmpfs, secret and ssh".into()),
            Self::Sharing(_) => Some("the sharing modes are shared, private and locked".into()),
            _ => None,
        }
    }
}

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
        Self::parse(raw, &mut |value| super::words::expand(value, '\\', &|_| None).map(|expanded| expanded.text))
    }

    /// Reads the text after `--mount=` as it stands in a file, quotes and escapes and all, where no variable has a value.
    /// The text ends at the first space outside quotes.
    ///
    /// # Errors
    /// What `BuildKit` refuses in a cache mount.
    pub fn parse_written(written: &str) -> Result<Option<Self>, MountError> {
        let flag = format!("--mount={written}");
        let (flags, _) = super::parse::flags(&flag, '\\');
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

/// Splits at commas, as Go's `encoding/csv` does for one record.
fn csv_fields(raw: &str) -> Result<Vec<String>, MountError> {
    let mut fields = Vec::new();
    let mut rest = raw;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            let mut from = quoted;
            loop {
                let Some((part, after)) = from.split_once('"') else {
                    return Err(MountError::Csv("extraneous or missing \" in quoted-field".into()));
                };
                field.push_str(part);
                match after.strip_prefix('"') {
                    Some(after) => {
                        field.push('"');
                        from = after;
                    }
                    None => {
                        from = after;
                        break;
                    }
                }
            }
            fields.push(field);
            match from.strip_prefix(',') {
                Some(after) => rest = after,
                None if from.is_empty() => return Ok(fields),
                None => return Err(MountError::Csv("extraneous or missing \" in quoted-field".into())),
            }
            continue;
        }
        let (field, after) = match rest.split_once(',') {
            Some((field, after)) => (field, Some(after)),
            None => (rest, None),
        };
        if field.contains('"') {
            return Err(MountError::Csv("bare \" in non-quoted-field".into()));
        }
        fields.push(field.to_owned());
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// The owner and mode a cache mount is made with, once any of the three is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountOwner {
    /// The user; 0 when only the others are given.
    pub uid: u32,
    /// The group; 0 when only the others are given.
    pub gid: u32,
    /// The file mode; 0755 when only the others are given.
    pub mode: u32,
}

impl fmt::Display for MountOwner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "uid={},gid={},mode={:04o}", self.uid, self.gid, self.mode)
    }
}

/// What makes two cache mounts the same cache on one builder, the namespace left out.
///
/// It is the explicit id, byte for byte, or else the cleaned target; and the owner, when any of uid, gid and mode is
/// given; and `from`. The sharing mode and the platform are no part of it.
#[derive(Debug, Clone)]
pub struct MountIdentity {
    id: String,
    explicit: bool,
    owner: Option<MountOwner>,
    from: Option<String>,
}

impl MountIdentity {
    /// Returns the id: the explicit one, or the cleaned target.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the owner, when it is part of the identity.
    pub fn owner(&self) -> Option<MountOwner> {
        self.owner
    }

    /// Returns the stage or image the mount starts from.
    pub fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }

    fn parts(&self) -> (&str, Option<MountOwner>, Option<&str>) {
        (&self.id, self.owner, self.from.as_deref())
    }
}

// How the id came about is for the reader only: `target=/x` and `id=/x` are one cache.
impl PartialEq for MountIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for MountIdentity {}

impl Hash for MountIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialOrd for MountIdentity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MountIdentity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl fmt::Display for MountIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.explicit {
            true => write!(out, "id={}", self.id)?,
            false => write!(out, "target {}", self.id)?,
        }
        if let Some(owner) = self.owner {
            write!(out, " with {owner}")?;
        }
        if let Some(from) = &self.from {
            write!(out, " from {from}")?;
        }
        Ok(())
    }
}

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

/// Finds the cache mounts of one `RUN` in a piece of text: a Dancefile, or a vertex name from a log such as
/// `[build 5/6] RUN --mount=type=cache,target=/x go build`.
///
/// Lenient, because logs are cut and masked: flags that are no readable cache mount are left out. Variables stay
/// unset; `BuildKit` prints vertex names with its variables replaced.
pub fn parse_run_mounts(text: &str) -> Vec<MountOptions> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let Some(flags) = flags_of_run(&joined) else { return Vec::new() };
    let (flags, _) = super::parse::flags(flags, '\\');
    flags
        .iter()
        .filter_map(|flag| flag.text.strip_prefix("--mount="))
        .filter_map(|raw| MountOptions::parse_without_variables(raw).ok().flatten())
        .collect()
}

/// The text after the first `RUN` that is followed by a flag, or the whole text when it starts with one.
fn flags_of_run(text: &str) -> Option<&str> {
    if text.trim_start().starts_with("--mount=") {
        return Some(text);
    }
    let mut at = 0;
    while let Some(found) = text[at..].find("--mount=") {
        let before = text[..at + found].trim_end();
        let word = before.rsplit(char::is_whitespace).next().unwrap_or("");
        if word.eq_ignore_ascii_case("RUN") {
            return Some(&text[at + found..]);
        }
        // Another flag may stand first: `RUN --network=none --mount=…`.
        if word.starts_with("--") {
            let flags = before.rfind("RUN ").map(|run| &text[run + 4..]);
            if flags.is_some_and(|flags| flags.trim_start().starts_with("--")) {
                return flags;
            }
        }
        at += found + "--mount=".len();
    }
    None
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

    #[test]
    fn mounts_are_found_in_vertex_names_and_dancefiles() {
        let targets = |text| parse_run_mounts(text).into_iter().map(|mount| mount.target).collect::<Vec<_>>();
        let name = "[build 5/6] RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod --mount=type=bind,target=. \
                    --mount=type=cache,target=/root/.cache/go-build go build -o /out ./...";
        assert_eq!(targets(name), ["/go/pkg/mod", "/root/.cache/go-build"]);
        let dance = "\nFROM x\nCOPY buildstamp buildstamp\nRUN --mount=type=cache,target=/m,id=i \\\n    \
                     --mount=type=bind,source=.,target=/var/dance-cache \\\n    cp -p -R /var/dance-cache/. /m  || true\n";
        assert_eq!(targets(dance), ["/m"]);
        assert_eq!(targets("RUN --network=none --mount=type=cache,target=/x true"), ["/x"]);
        assert_eq!(targets("#8 [2/2] RUN echo --mount=type=cache,target=/x"), [""; 0]);
        assert_eq!(targets("--mount=type=cache,target=\"/q\" x"), ["/q"]);
        assert_eq!(targets("RUN --mount=type=cache,tar"), [""; 0]);
    }

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
        fn no_text_makes_the_reader_panic(text in "(RUN )?(--mount=)?.{0,60}|[RUNrun \"\\\\=,a-z-]{0,60}") {
            parse_run_mounts(&text);
            let _ = MountOptions::parse_without_variables(&text);
        }

        #[test]
        fn cleaning_twice_changes_nothing_more(path in "[/.a]{0,20}") {
            let once = clean_path(&path);
            prop_assert_eq!(clean_path(&once), once);
        }
    }
}
