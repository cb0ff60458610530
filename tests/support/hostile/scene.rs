//! What really happens in one run: the machine, the carrying, the builds and their steps. [`Scene`] is principal.

use super::story::MountName;

/// What the entry holds that the run restores: megabytes of modules and of compiled packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// No entry.
    Missing,
    /// An entry with a share of each cache, in percent.
    Held([u64; 2]),
}

/// The carrying by the dance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dancing {
    /// Injects before the build.
    Before,
    /// Injects before the builder is set up, and so into another.
    BeforeBuildx,
    /// Injects after the last build.
    After,
    /// Fails when it injects.
    Fails,
    /// Is not there.
    Absent,
}

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// Whether the machine keeps its mounts from job to job.
    pub(crate) keeps_mounts: bool,
    /// Whether the machine says that it is no hosted one.
    pub(crate) own_machine: bool,
    /// The driver of the builder.
    pub(crate) driver: String,
    /// The builder that the dance is given.
    pub(crate) dance_builder: Option<String>,
    /// What is restored.
    pub(crate) stored: Stored,
    /// Whether it is restored by a prefix.
    pub(crate) by_prefix: bool,
    /// The carrying.
    pub(crate) dancing: Dancing,
    /// The mounts that the cache map names.
    pub(crate) map: [MountName; 2],
    /// Megabytes of both caches when they are full.
    pub(crate) whole: [u64; 2],
    /// Seconds of a cold compile.
    pub(crate) cold: f64,
    /// How much of what was carried no longer fits the code, in percent of the build cache.
    pub(crate) misfit: u64,
    /// The builds, in order.
    pub(crate) builds: Vec<Building>,
}

/// How a build shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Docker's own action, plain lines.
    Plain,
    /// A command of a script, with `--quiet`.
    Quiet,
    /// A tool echoes the command, which is quiet.
    Echoed(&'static str),
    /// Drawn for a terminal.
    Drawn,
    /// An action that builds again when it failed.
    Retried,
}

/// One build.
#[derive(Debug, Clone)]
pub(crate) struct Building {
    /// How it shows itself.
    pub(crate) look: Look,
    /// More inputs of docker's action.
    pub(crate) inputs: Vec<&'static str>,
    /// Its steps with Go's mounts, in order.
    pub(crate) steps: Vec<Running>,
}

/// One `RUN`.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    /// What stands in the brackets.
    pub(crate) place: String,
    /// Its mounts.
    pub(crate) mounts: Vec<MountName>,
    /// What it does.
    pub(crate) acts: Vec<Act>,
    /// The script that hides what it does.
    pub(crate) script: Option<&'static str>,
    /// Whether its result comes from the layer cache.
    pub(crate) cached: bool,
    /// Whether the next step runs while it does.
    pub(crate) beside_next: bool,
    /// What stands in front of each line that it prints.
    pub(crate) prefix: &'static str,
}

/// How sizes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruler {
    /// `du -sh` of the mounts.
    Du,
    /// `df -h` of the mounts: the disk's use.
    Df,
    /// `du -sh` of other directories.
    Elsewhere,
}

/// A thing that a step does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Prints sizes under a label.
    Sizes {
        /// The label.
        label: &'static str,
        /// How.
        ruler: Ruler,
    },
    /// Compiles the product.
    Compile {
        /// The command.
        command: &'static str,
        /// Whether its time is printed.
        timed: bool,
        /// Whether it reads the build cache of the mount.
        reads: bool,
    },
    /// Another tool compiles or downloads on the same mounts.
    Tool {
        /// The command.
        command: &'static str,
        /// Lines that it prints.
        prints: &'static [&'static str],
        /// Whether it compiles, beside downloading.
        compiles: bool,
    },
    /// Something that has nothing to do with Go's caches and is timed.
    Other {
        /// The command.
        command: &'static str,
        /// Its time, in tenths of a second.
        tenths: u32,
    },
}

impl Act {
    /// Writes it as a part of the command line of a step.
    pub(crate) fn command(&self, mounts: &[MountName]) -> String {
        let targets = || mounts.iter().map(|mount| mount.target.as_str()).collect::<Vec<_>>().join(" ");
        match self {
            Self::Sizes { label, ruler: Ruler::Du } => format!("echo {label}; du -sh {}", targets()),
            Self::Sizes { label, ruler: Ruler::Df } => format!("echo {label}; df -h {}", targets()),
            Self::Sizes { label, ruler: Ruler::Elsewhere } => format!("echo {label}; du -sh /usr/local/go /opt/sdk"),
            Self::Compile { command, timed: true, .. } => format!("time {command}"),
            Self::Compile { command, timed: false, .. } | Self::Tool { command, .. } => (*command).to_owned(),
            Self::Other { command, .. } => format!("time {command}"),
        }
    }
}

impl Running {
    /// A step with both usual mounts.
    pub(crate) fn doing(place: &str, acts: Vec<Act>) -> Self {
        Self {
            place: place.to_owned(),
            mounts: vec![MountName::usual(0), MountName::usual(1)],
            acts,
            script: None,
            cached: false,
            beside_next: false,
            prefix: "",
        }
    }

    /// The step of the product: sizes, compile, sizes.
    pub(crate) fn measured() -> Self {
        Self::doing(
            "b 4/4",
            vec![
                Act::Sizes { label: "BEFORE", ruler: Ruler::Du },
                Act::Compile { command: "go build ./cmd/app", timed: true, reads: true },
                Act::Sizes { label: "AFTER", ruler: Ruler::Du },
            ],
        )
    }

    /// What stands behind `RUN` and its mounts.
    pub(crate) fn command(&self) -> String {
        match self.script {
            Some(script) => script.to_owned(),
            None => self.acts.iter().map(|act| act.command(&self.mounts)).collect::<Vec<_>>().join("; "),
        }
    }

    /// Whether it compiles the product.
    pub(crate) fn compiles(&self) -> bool {
        self.acts.iter().any(|act| matches!(act, Act::Compile { .. }))
    }
}

impl Scene {
    /// A healthy run: a full entry, an inject into the builder that builds, one measured build.
    pub(crate) fn healthy() -> Self {
        Self {
            keeps_mounts: false,
            own_machine: false,
            driver: "docker-container".to_owned(),
            dance_builder: None,
            stored: Stored::Held([100, 100]),
            by_prefix: false,
            dancing: Dancing::Before,
            map: [MountName::usual(0), MountName::usual(1)],
            whole: [300, 120],
            cold: 45.0,
            misfit: 0,
            builds: vec![Building { look: Look::Plain, inputs: Vec::new(), steps: vec![Running::measured()] }],
        }
    }

    /// The last build, which is the product's.
    pub(crate) fn product(&mut self) -> &mut Building {
        let last = self.builds.len() - 1;
        &mut self.builds[last]
    }

    /// The step of the product, with the mounts.
    pub(crate) fn compile(&mut self) -> &mut Running {
        let steps = &mut self.product().steps;
        let at = steps.iter().rposition(|step| step.compiles() && !step.mounts.is_empty()).unwrap_or(0);
        &mut steps[at]
    }
}
