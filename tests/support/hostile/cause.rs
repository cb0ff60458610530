//! Why a build is cold although a dance is there. [`Cause`] is principal.

use super::scene::{Act, Dancing, Running, Scene, Stored};
use super::story::MountName;

/// One reason for a cold build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// The entry is empty.
    EmptyEntry,
    /// There is no entry.
    NoEntry,
    /// There is no dance.
    NoDance,
    /// The dance fails.
    DanceFails,
    /// The dance comes after the build.
    DanceAfter,
    /// The dance comes before its builder.
    DanceBeforeBuildx,
    /// The dance is given another builder.
    OtherBuilder,
    /// Only the modules were ever saved.
    ModulesOnly,
    /// Only the compiled packages were ever saved.
    ObjectsOnly,
    /// The build cache has another id in the `RUN`.
    OtherId,
    /// The module cache has another id in the `RUN`.
    OtherIdOfModules,
    /// The build cache has an owner in the `RUN`.
    OtherOwner,
    /// The build cache has a mode in the cache map.
    OtherMode,
    /// The build cache starts from a stage.
    From,
    /// The cache map names another directory.
    OtherTarget,
    /// The build throws the mounts away.
    NoCache,
    /// Everything is compiled again by flag.
    RebuildAll,
    /// The build cache is cleaned first.
    CleanFirst,
    /// GOCACHE lies in the layer.
    OtherGocache,
    /// What was carried is of other flags.
    Misfit,
    /// The builder is a remote one that keeps its mounts; nothing is carried.
    Remote,
    /// The machine's own engine keeps its mounts; nothing is carried.
    OwnMachine,
    /// The step comes from the layer cache.
    LayerCached,
    /// A step without the mounts compiles.
    WithoutMounts,
}

/// Every cause.
pub(crate) const CAUSES: [Cause; 24] = [
    Cause::EmptyEntry,
    Cause::NoEntry,
    Cause::NoDance,
    Cause::DanceFails,
    Cause::DanceAfter,
    Cause::DanceBeforeBuildx,
    Cause::OtherBuilder,
    Cause::ModulesOnly,
    Cause::ObjectsOnly,
    Cause::OtherId,
    Cause::OtherIdOfModules,
    Cause::OtherOwner,
    Cause::OtherMode,
    Cause::From,
    Cause::OtherTarget,
    Cause::NoCache,
    Cause::RebuildAll,
    Cause::CleanFirst,
    Cause::OtherGocache,
    Cause::Misfit,
    Cause::Remote,
    Cause::OwnMachine,
    Cause::LayerCached,
    Cause::WithoutMounts,
];

impl Cause {
    /// Makes a healthy scene cold.
    pub(crate) fn apply(self, scene: &mut Scene) {
        match self {
            Self::EmptyEntry => scene.stored = Stored::Held([0, 0]),
            Self::NoEntry => scene.stored = Stored::Missing,
            Self::NoDance => scene.dancing = Dancing::Absent,
            Self::DanceFails => scene.dancing = Dancing::Fails,
            Self::DanceAfter => scene.dancing = Dancing::After,
            Self::DanceBeforeBuildx => scene.dancing = Dancing::BeforeBuildx,
            Self::OtherBuilder => scene.dance_builder = Some("default".to_owned()),
            Self::ModulesOnly => scene.stored = Stored::Held([100, 0]),
            Self::ObjectsOnly => scene.stored = Stored::Held([0, 100]),
            Self::OtherId => every_mount(scene, 1, |mount| mount.id = Some("obj-app".to_owned())),
            Self::OtherIdOfModules => every_mount(scene, 0, |mount| mount.id = None),
            Self::OtherOwner => every_mount(scene, 1, |mount| mount.more = "uid=1000,gid=1000".to_owned()),
            Self::OtherMode => scene.map[1].more = "mode=0755".to_owned(),
            Self::From => {
                every_mount(scene, 1, |mount| mount.more = "from=warm,source=/root/.cache/go-build".to_owned());
            }
            Self::OtherTarget => {
                scene.map[1] =
                    MountName { target: "/home/app/.cache/go-build".to_owned(), id: None, more: String::new() }
            }
            Self::NoCache => scene.product().inputs.push("no-cache: true"),
            Self::RebuildAll => compiles_by(scene, "go build -a ./cmd/app"),
            Self::CleanFirst => compiles_by(scene, "go clean -cache && go build ./cmd/app"),
            Self::OtherGocache => compiles_by(scene, "GOCACHE=/tmp/gc go build ./cmd/app"),
            Self::Misfit => scene.misfit = 100,
            Self::Remote => {
                scene.driver = "remote".to_owned();
                scene.keeps_mounts = true;
                scene.dance_builder = Some("default".to_owned());
            }
            Self::OwnMachine => {
                scene.own_machine = true;
                scene.driver = "docker".to_owned();
                scene.keeps_mounts = true;
                scene.stored = Stored::Held([0, 0]);
            }
            Self::LayerCached => scene.product().steps.iter_mut().for_each(|step| step.cached = true),
            Self::WithoutMounts => {
                let mut step = Running::measured();
                step.place = "b 5/5".to_owned();
                step.mounts.clear();
                step.acts.retain(|act| matches!(act, Act::Compile { .. }));
                step.acts.iter_mut().for_each(|act| {
                    if let Act::Compile { command, timed, .. } = act {
                        *command = "go build -o /out/server ./cmd/server";
                        *timed = false;
                    }
                });
                scene.product().steps.push(step);
            }
        }
    }
}

fn every_mount(scene: &mut Scene, at: usize, change: impl Fn(&mut MountName)) {
    let usual = MountName::usual(at);
    let mounts = scene.builds.iter_mut().flat_map(|build| &mut build.steps).flat_map(|step| &mut step.mounts);
    mounts.filter(|mount| mount.target == usual.target).for_each(change);
}

fn compiles_by(scene: &mut Scene, by: &'static str) {
    for act in &mut scene.compile().acts {
        if let Act::Compile { command, reads, .. } = act {
            (*command, *reads) = (by, false);
        }
    }
}
