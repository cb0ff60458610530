//! Proves whether Docker `RUN --mount=type=cache` caches of a Go build survive from one CI run to the next.
//!
//! The crate is a house of ordered storeys. A storey uses only those below it; `tests/house` holds it so.
//! From the top:
//!
//! | storey | what it is |
//! |---|---|
//! | [`cli`] | arguments, printing, exit codes, environment: the only place that prints, exits or reads the environment |
//! | [`report`] | a [`verify::Report`] becomes text or JSON; pure |
//! | [`catalogue`] | what each scenario expects, held against what the verifier says; pure |
//! | [`lint`] | the third door to the rules: a workflow and its Dockerfiles, before any run; pure |
//! | [`verify`] | a case becomes a report: the one verifier, one file per rule; pure, cannot fail |
//! | [`runner`] | the first door to the verifier: a job on fresh runners, simulated or with the actions themselves (I/O) |
//! | [`log`] | the second door: the CI log parser; a real action's lines go through it, too; pure |
//! | [`engine`] | BuildKit through the Docker API, and a fake |
//! | [`evidence`] | facts, events and the fold over them: the closed vocabulary in the middle |
//! | [`scenario`] | the catalogue and the bundled sample, as data |
//! | [`plan`] | a workflow becomes ordered main and post steps; pure |
//! | [`cache`], [`dance`], [`actions`] | the semantics of actions/cache and of buildkit-cache-dance, and what a runner owes any action; pure |
//! | [`workflow`], [`dockerfile`] | parsers with spans; pure |
//! | [`shell`] | plain shell scripts as lists of commands; pure |
//! | [`source`], [`suggest`] | named text and spans in it; what a misspelt name may have meant |

pub mod actions;
pub mod cache;
pub mod catalogue;
pub mod cli;
pub mod dance;
pub mod dockerfile;
pub mod engine;
pub mod evidence;
pub mod lint;
pub mod log;
pub mod plan;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod shell;
pub mod source;
pub mod suggest;
pub mod verify;
pub mod workflow;
