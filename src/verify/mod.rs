//! The one verifier: evidence in, report out. It does no I/O, cannot fail, and does not know who produced the evidence.
