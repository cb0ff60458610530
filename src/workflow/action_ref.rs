//! What a step's `uses:` names; [`ActionRef`] is principal.

use crate::source::{Span, Spanned};

/// The action a step uses, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRef {
    /// The whole text, such as `actions/cache/restore@v4`.
    pub text: String,
    /// What kind of reference it is.
    pub form: ActionForm,
    /// The comment behind it on its line, where people note the version of a pinned commit.
    pub comment: Option<String>,
    /// Where it is written.
    pub span: Span,
}

/// The three forms of `uses:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionForm {
    /// `owner/repo[/path]@reference`.
    Repository {
        /// The account.
        owner: String,
        /// The repository.
        repo: String,
        /// The folder in the repository; empty for its root.
        path: String,
        /// The tag, branch or commit.
        reference: String,
    },
    /// `./path` in the checked-out workspace.
    Local {
        /// The path as written.
        path: String,
    },
    /// `docker://image`.
    Image {
        /// The image without the scheme.
        image: String,
    },
}

/// A version as far as it is known: major, minor, patch.
pub type ActionVersion = (u32, Option<u32>, Option<u32>);

/// Why a `uses:` names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadRef {
    NoReference,
    NoRepository,
}

impl ActionRef {
    pub(super) fn parse(text: &Spanned<String>, source: &str) -> Result<Self, BadRef> {
        let written = text.value.trim();
        let form = if let Some(image) = written.strip_prefix("docker://") {
            ActionForm::Image { image: image.to_owned() }
        } else if written.starts_with("./") || written.starts_with("../") || written == "." {
            ActionForm::Local { path: written.to_owned() }
        } else {
            let (name, reference) = written.split_once('@').ok_or(BadRef::NoReference)?;
            let mut names = name.splitn(3, '/');
            let (owner, repo) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
            if reference.trim().is_empty() {
                return Err(BadRef::NoReference);
            }
            if owner.is_empty() || repo.is_empty() {
                return Err(BadRef::NoRepository);
            }
            ActionForm::Repository {
                owner: owner.to_owned(),
                repo: repo.to_owned(),
                path: names.next().unwrap_or_default().trim_matches('/').to_owned(),
                reference: reference.trim().to_owned(),
            }
        };
        Ok(Self { text: written.to_owned(), form, comment: comment_after(text.span, source), span: text.span })
    }

    /// Tells whether this is the action of that owner, repository and path; case does not matter, as on GitHub.
    pub fn is(&self, owner: &str, repo: &str, path: &str) -> bool {
        self.owner().is_some_and(|own| own.eq_ignore_ascii_case(owner))
            && self.repo().is_some_and(|own| own.eq_ignore_ascii_case(repo))
            && self.path().is_some_and(|own| own.eq_ignore_ascii_case(path))
    }

    /// Returns the account of a repository's action.
    pub fn owner(&self) -> Option<&str> {
        match &self.form {
            ActionForm::Repository { owner, .. } => Some(owner),
            _ => None,
        }
    }

    /// Returns the repository of a repository's action.
    pub fn repo(&self) -> Option<&str> {
        match &self.form {
            ActionForm::Repository { repo, .. } => Some(repo),
            _ => None,
        }
    }

    /// Returns the folder in the repository, empty for its root.
    pub fn path(&self) -> Option<&str> {
        match &self.form {
            ActionForm::Repository { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Returns the tag, branch or commit of a repository's action.
    pub fn reference(&self) -> Option<&str> {
        match &self.form {
            ActionForm::Repository { reference, .. } => Some(reference),
            _ => None,
        }
    }

    /// Returns the version the reference gives (`v4`, `v4.2.3`, `releases/v2`), or that of the comment behind a commit.
    ///
    /// `None` for branches and commits without such a comment: take those for the newest version.
    pub fn version(&self) -> Option<ActionVersion> {
        let reference = self.reference()?;
        let commit = reference.len() >= 7 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !commit {
            return version(reference.rsplit('/').next()?);
        }
        self.comment.as_deref()?.split_whitespace().find_map(version)
    }
}

/// Reads `v4`, `4.2` or `v4.2.3-rc.1`.
fn version(text: &str) -> Option<ActionVersion> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    // A branch such as `4x-fixes` is no version; a pre-release or build suffix is.
    if !text[end..].is_empty() && !text[end..].starts_with(['-', '+', ',', ';', ')']) {
        return None;
    }
    let mut numbers = text[..end].split('.').map(str::parse::<u32>);
    let major = numbers.next()?.ok()?;
    let mut next = || numbers.next().and_then(Result::ok);
    let minor = next();
    Some((major, minor, minor.and_then(|_| next())))
}

/// Returns the comment behind a span on its line.
fn comment_after(span: Span, source: &str) -> Option<String> {
    let rest = source.get(span.end..)?.lines().next()?;
    let comment = rest.trim_start_matches([' ', '\t', '\'', '"']).strip_prefix('#')?;
    Some(comment.trim().to_owned()).filter(|comment| !comment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<ActionRef, BadRef> {
        let end = line.find(" #").unwrap_or(line.len());
        ActionRef::parse(&Spanned::new(line[..end].to_owned(), Span::new(0, end)), line)
    }

    #[test]
    fn references_have_owner_repo_path_and_reference() {
        let action = parsed("Actions/cache/restore@v4").unwrap();
        assert!(action.is("actions", "cache", "restore"));
        assert!(!action.is("actions", "cache", ""));
        assert_eq!(action.reference(), Some("v4"));
        assert_eq!(
            parsed("./.github/actions/x").unwrap().form,
            ActionForm::Local { path: "./.github/actions/x".into() }
        );
        assert_eq!(parsed("docker://alpine:3").unwrap().form, ActionForm::Image { image: "alpine:3".into() });
        assert_eq!(parsed("actions/cache"), Err(BadRef::NoReference));
        assert_eq!(parsed("actions/cache@"), Err(BadRef::NoReference));
        assert_eq!(parsed("cache@v4"), Err(BadRef::NoRepository));
    }

    #[test]
    fn versions_come_from_tags_branches_and_comments() {
        let version = |line: &str| parsed(line).unwrap().version();
        assert_eq!(version("a/b@v4"), Some((4, None, None)));
        assert_eq!(version("a/b@4.2"), Some((4, Some(2), None)));
        assert_eq!(version("a/b@v3.1.1-rc.1"), Some((3, Some(1), Some(1))));
        assert_eq!(version("a/b@releases/v2"), Some((2, None, None)));
        assert_eq!(version("a/b@main"), None);
        assert_eq!(version("a/b@v999999999999"), None);
        let commit = "a/b@1b8ab18fbda5ad3646e3fcc9ed9dd41ce2f297b4";
        assert_eq!(version(commit), None);
        assert_eq!(version(&format!("{commit} # v3.3.2")), Some((3, Some(3), Some(2))));
        assert_eq!(version(&format!("{commit} # ratchet: tag=v3.3.2")), None);
        assert_eq!(version(&format!("{commit} # pin v3.3.2")), Some((3, Some(3), Some(2))));
    }
}
