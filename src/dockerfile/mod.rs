//! Reads a Dockerfile: its cache mounts and their identity, and the instrumented copy. Pure.
