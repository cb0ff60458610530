//! BuildKit through the Docker API, and a fake that keeps the same contract.
