//! The closed vocabulary in the middle: facts, events, and the fold over them.
