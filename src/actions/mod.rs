//! The contract between a runner and an action that it runs for real: variables, files and lines. Pure.
//!
//! [`ActionOutput`] is principal: what an action prints becomes lines of the log. Beside it stand the files into which an
//! action writes ([`file_command`]), the names of its inputs ([`input_variable`]), what the program inside a runner is asked
//! for ([`PhaseRequest`]), and what becomes of the `docker` commands of an action ([`DockerSetting`]).
//!
//! Source of the contract: actions/runner `src/Runner.Worker` (`ActionCommandManager.cs`, `FileCommandManager.cs`,
//! `Handlers/NodeScriptActionHandler.cs`).

mod docker;
mod file_command;
mod output;
mod request;

pub use docker::{
    CommandRefusal, DockerPlan, DockerRun, DockerSetting, DockerTrace, DockerWorld, LABEL, MarkedDockerfile,
    TracedBuild, mark_dockerfile,
};
pub use file_command::{FileCommandError, file_command};
pub use output::ActionOutput;
pub use request::{Forward, PhaseRequest, SudoReply, SudoRequest, input_variable};
