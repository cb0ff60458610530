//! What spoils the way the truth is shown. [`Disguise`] is principal.
//!
//! Some change what happens, so that a cold build looks warm: they fill the mounts before they are measured, or measure
//! another thing. Some change only how lines come to the reader.

use super::chooser::Chooser;
use super::page::Page;
use super::scene::{Act, Building, Look, Ruler, Running, Scene};
use super::story::MountName;

/// One disguise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Disguise {
    /// A build of this job, in sight, ran before on the same mounts.
    BuildBefore,
    /// A quiet one.
    QuietBuildBefore,
    /// One that a tool echoes.
    EchoedBuildBefore,
    /// One drawn for a terminal.
    DrawnBuildBefore,
    /// The build is tried again.
    Retried,
    /// Another stage compiles before.
    StageBefore,
    /// Another stage compiles at the same time, in silence.
    StageBeside,
    /// A tool compiles in the same step, before the sizes.
    ToolBefore,
    /// A script does all that, and the sizes come late.
    ToolBeforeInScript,
    /// The modules are downloaded before the sizes.
    DownloadBefore,
    /// The sizes are printed after the compile.
    SizesLate,
    /// The sizes are of the disk.
    SizesOfDisk,
    /// The sizes are of other directories.
    SizesElsewhere,
    /// Another stage measures, on mounts of other names.
    MeasuredElsewhere,
    /// The time is another command's.
    TimeOfAnother,
    /// A helper is measured; the product is built by another tool.
    HelperMeasured,
    /// A fast machine: the whole compile takes few seconds.
    FastMachine,
    /// Each line of the step has a prefix.
    Prefixed,
    /// The entry was found by prefix.
    ByPrefix,
    /// An older run's warm log is printed by a step.
    OldLog,
    /// The readme with sizes is printed by a step.
    Readme,
    /// Lines are lost.
    LostLines,
    /// Neighbours change places.
    SwappedLines,
    /// Lines come twice.
    RepeatedLines,
    /// The log ends early.
    CutOff,
    /// The head of the log is lost.
    NoHead,
}

/// Every disguise.
pub(crate) const DISGUISES: [Disguise; 26] = [
    Disguise::BuildBefore,
    Disguise::QuietBuildBefore,
    Disguise::EchoedBuildBefore,
    Disguise::DrawnBuildBefore,
    Disguise::Retried,
    Disguise::StageBefore,
    Disguise::StageBeside,
    Disguise::ToolBefore,
    Disguise::ToolBeforeInScript,
    Disguise::DownloadBefore,
    Disguise::SizesLate,
    Disguise::SizesOfDisk,
    Disguise::SizesElsewhere,
    Disguise::MeasuredElsewhere,
    Disguise::TimeOfAnother,
    Disguise::HelperMeasured,
    Disguise::FastMachine,
    Disguise::Prefixed,
    Disguise::ByPrefix,
    Disguise::OldLog,
    Disguise::Readme,
    Disguise::LostLines,
    Disguise::SwappedLines,
    Disguise::RepeatedLines,
    Disguise::CutOff,
    Disguise::NoHead,
];

const GO_TEST: [&str; 3] = ["ok  \texample.org/app/store\t0.412s", "ok  \texample.org/app/api\t1.203s", "PASS"];

/// Tools that compile or load packages and leave them in the mounts.
const TOOLS: [(&str, &[&str]); 9] = [
    ("go test ./...", &GO_TEST),
    ("go vet ./...", &[]),
    ("go generate ./... && go vet ./...", &[]),
    ("govulncheck ./...", &["No vulnerabilities found."]),
    ("golangci-lint run", &["0 issues."]),
    ("staticcheck ./...", &[]),
    ("gotestsum -- ./...", &["DONE 41 tests in 38.114s"]),
    ("ginkgo -r", &["Test Suite Passed"]),
    ("make check", &GO_TEST),
];

fn tool(choose: &mut Chooser) -> Act {
    let (command, prints) = choose.one(&TOOLS);
    Act::Tool { command, prints, compiles: true }
}

impl Disguise {
    /// Changes what happens.
    pub(crate) fn apply(self, scene: &mut Scene, choose: &mut Chooser) {
        let mounts = scene.compile().mounts.clone();
        let unit = |choose: &mut Chooser, look| {
            let mut step = Running::doing("unit 2/2", vec![tool(choose)]);
            step.mounts.clone_from(&mounts);
            Building { look, inputs: Vec::new(), steps: vec![step] }
        };
        let first = |scene: &mut Scene, act: Act| scene.compile().acts.insert(0, act);
        match self {
            Self::BuildBefore => {
                let build = unit(choose, Look::Plain);
                scene.builds.insert(0, build);
            }
            Self::QuietBuildBefore => {
                let build = unit(choose, Look::Quiet);
                scene.builds.insert(0, build);
            }
            Self::EchoedBuildBefore => {
                let look = Look::Echoed(choose.one(&["task", "make", "just", "mage"]));
                let build = unit(choose, look);
                scene.builds.insert(0, build);
            }
            Self::DrawnBuildBefore => {
                let build = unit(choose, Look::Drawn);
                scene.builds.insert(0, build);
            }
            Self::Retried => scene.product().look = Look::Retried,
            Self::StageBefore | Self::StageBeside => {
                let mut step = Running::doing("unit 2/2", vec![tool(choose)]);
                step.mounts.clone_from(&mounts);
                step.beside_next = self == Self::StageBeside;
                scene.product().steps.insert(0, step);
            }
            Self::ToolBefore => {
                let act = tool(choose);
                first(scene, act);
            }
            Self::ToolBeforeInScript => {
                let act = tool(choose);
                first(scene, act);
                scene.compile().script =
                    Some(choose.one(&["sh ./build.sh", "bin/check", "./ci/image.sh", "make image"]));
            }
            Self::DownloadBefore => {
                let command =
                    choose.one(&["go mod download", "go mod download -x", "go list -deps ./...", "go get ./..."]);
                first(scene, Act::Tool { command, prints: &[], compiles: false });
            }
            Self::SizesLate => {
                let acts = &mut scene.compile().acts;
                let compile = acts.iter().position(|act| matches!(act, Act::Compile { .. })).unwrap_or(0);
                let sizes = acts.iter().position(|act| matches!(act, Act::Sizes { label: "BEFORE", .. }));
                if let Some(sizes) = sizes.filter(|sizes| *sizes < compile) {
                    let act = acts.remove(sizes);
                    acts.insert(compile, act);
                }
            }
            Self::SizesOfDisk | Self::SizesElsewhere => {
                let new = if self == Self::SizesOfDisk { Ruler::Df } else { Ruler::Elsewhere };
                for act in &mut scene.compile().acts {
                    if let Act::Sizes { ruler, .. } = act {
                        *ruler = new;
                    }
                }
            }
            Self::MeasuredElsewhere => {
                let mut step = Running::measured();
                step.place = "m 2/2".to_owned();
                step.mounts = vec![MountName::usual(0), MountName::usual(1)];
                step.acts.retain(|act| matches!(act, Act::Sizes { label: "BEFORE", .. }));
                scene.compile().acts.retain(|act| !matches!(act, Act::Sizes { .. }));
                scene.product().steps.insert(0, step);
            }
            Self::TimeOfAnother => {
                let command =
                    choose.one(&["make assets", "protoc -I . api.proto", "npm run build", "tar xzf site.tgz"]);
                let acts = &mut scene.compile().acts;
                acts.iter_mut().for_each(|act| {
                    if let Act::Compile { timed, .. } = act {
                        *timed = false;
                    }
                });
                let at = choose.below(acts.len() + 1);
                acts.insert(at, Act::Other { command, tenths: 11 });
            }
            Self::HelperMeasured => {
                let mut step = Running::doing("b 5/5", Vec::new());
                step.mounts.clone_from(&mounts);
                let command = choose.one(&[
                    "goreleaser build --clean",
                    "go build ./cmd/server",
                    "bazel build //app",
                    "make server",
                ]);
                step.acts = vec![Act::Compile { command, timed: false, reads: true }];
                // What the helper needs is a small part of the whole: the product still has most of it to compile.
                let helper = &mut scene.compile().acts;
                for act in helper.iter_mut() {
                    if let Act::Compile { command, timed: true, .. } = act {
                        *act = Act::Other {
                            command: if command.contains("-a") { command } else { "go build ./cmd/probe" },
                            tenths: 8,
                        };
                    }
                }
                scene.product().steps.push(step);
            }
            Self::FastMachine => scene.cold = 7.5,
            Self::Prefixed => scene.compile().prefix = choose.one(&["[app] ", "app | ", "2026/05/06 10:00:12 ", "> "]),
            Self::ByPrefix => scene.by_prefix = true,
            Self::OldLog
            | Self::Readme
            | Self::LostLines
            | Self::SwappedLines
            | Self::RepeatedLines
            | Self::CutOff
            | Self::NoHead => {}
        }
    }

    /// Changes how lines come to the reader. `warm` is a warm run's page.
    pub(crate) fn spoil(self, page: &mut Page, warm: &Page, choose: &mut Chooser) {
        let count = page.lines.len();
        match self {
            Self::LostLines => {
                let share = 2 + choose.below(12);
                page.lines.retain(|line| line.trace || choose.below(share) > 0);
            }
            Self::SwappedLines => {
                for _ in 0..=choose.below(6) {
                    let at = choose.below(count - 1);
                    let step = page.lines[at].step;
                    if page.lines[at + 1].step == step {
                        page.lines.swap(at, at + 1);
                    }
                }
            }
            Self::RepeatedLines => {
                for _ in 0..=choose.below(6) {
                    let at = choose.below(page.lines.len());
                    let line = page.lines[at].clone();
                    page.lines.insert(at, line);
                }
            }
            Self::CutOff => {
                let last = page.lines.iter().rposition(|line| line.trace).unwrap_or(0);
                let keep = last + 1 + choose.below(count - last);
                page.lines.truncate(keep);
            }
            Self::NoHead => {
                let first = page.lines.iter().position(|line| line.trace).unwrap_or(count);
                let drop = choose.below(first.min(count / 2) + 1);
                page.lines.drain(..drop);
            }
            Self::OldLog => {
                let build = |line: &&super::page::PageLine| line.text.starts_with('#') && !line.text.starts_with("##");
                let old: Vec<String> = warm.lines.iter().filter(build).map(|line| line.text.clone()).collect();
                let place = choose.one(&["cat ci/last-run.log", "python3 tools/lastlog.py", "gh run view --log 7731"]);
                insert_script(page, place, &old);
            }
            Self::Readme => {
                let text = [
                    "A warm run looks like this:",
                    "=== BEFORE ===",
                    "300M\t/go/pkg/mod",
                    "120M\t/root/.cache/go-build",
                    "real\t0m2.000s",
                ];
                let text: Vec<String> = text.iter().map(|line| (*line).to_owned()).collect();
                insert_script(page, "cat docs/caching.md", &text);
            }
            _ => {}
        }
    }
}

/// Puts a step that prints some lines before the last build of a page.
fn insert_script(page: &mut Page, command: &str, lines: &[String]) {
    let Some(step) = page.steps.iter().rposition(|name| name == "Build") else { return };
    let Some(at) = page.lines.iter().position(|line| line.step == step) else { return };
    let clock = page.lines[at].at;
    let mut other = Page::new("", clock.saturating_sub(100));
    other.script("Show", &[command]);
    for line in lines {
        other.say(line);
        other.trace();
    }
    for line in &mut page.lines {
        line.step += usize::from(line.step >= step);
    }
    page.steps.insert(step, "Show".to_owned());
    let new = other.lines.into_iter().map(|mut line| {
        line.step = step;
        line.at = clock;
        line
    });
    page.lines.splice(at..at, new.collect::<Vec<_>>());
}
