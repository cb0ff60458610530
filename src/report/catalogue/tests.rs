//! What the catalogue's renderers write.
