//! Parses a GitHub workflow with spans, and evaluates its expressions. Pure.
