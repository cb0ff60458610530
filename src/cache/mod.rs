//! The semantics of actions/cache as pure functions: keys, versions, scopes, outcomes and log wording.
