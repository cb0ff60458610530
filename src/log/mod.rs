//! Reads CI logs: the door to the verifier for people who have nothing but a log. Pure.
