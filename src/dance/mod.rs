//! The semantics of buildkit-cache-dance as pure functions: versions, cache maps, Dancefiles and log wording.
