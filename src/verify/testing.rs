//! Hand-built evidence for tests.
