//! Scopes: the refs whose entries a run may read. [`Scope`] is principal.
//!
//! Foreign facts: GitHub's documentation, "Dependency caching", restrictions for accessing a cache.

use std::fmt;

/// The ref an entry belongs to, as `refs/heads/main` or `refs/pull/7/merge`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(String);

impl Scope {
    /// Names a scope; a bare name is taken as a branch.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        if name.starts_with("refs/") { Self(name) } else { Self(format!("refs/heads/{name}")) }
    }

    /// Lists what a run may read, in the order the service searches: its own ref, for a pull request the base
    /// branch, and the default branch. A run writes only to the first.
    pub fn readable(current: &Scope, base: Option<&Scope>, default_branch: &Scope) -> Vec<Scope> {
        let mut scopes = vec![current.clone()];
        for scope in base.into_iter().chain([default_branch]) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }

    /// Returns the full ref.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_reads_its_own_ref_then_the_base_then_the_default_branch() {
        let pull = Scope::new("refs/pull/7/merge");
        let (base, main) = (Scope::new("release"), Scope::new("main"));
        let read: Vec<_> = Scope::readable(&pull, Some(&base), &main).iter().map(Scope::to_string).collect();
        assert_eq!(read, ["refs/pull/7/merge", "refs/heads/release", "refs/heads/main"]);
    }

    #[test]
    fn the_default_branch_reads_only_itself() {
        let main = Scope::new("main");
        assert_eq!(Scope::readable(&main, Some(&main), &main), [main]);
    }
}
