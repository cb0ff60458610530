//! Straight from GitHub: the logs of a run and of those before it, fetched by the person's own `gh`. [`fetch`] is principal.
//!
//! `gh` holds the authentication, so that no token is ever asked for here. Only `gh api` is called, with the endpoints of
//! GitHub's REST API (docs.github.com/en/rest/actions): what it prints has kept its shape over its releases.

mod answer;
mod caches;
mod client;
mod fetch;
mod target;

pub(super) use fetch::{RunsWanted, fetch};
pub(super) use target::GithubTarget;
