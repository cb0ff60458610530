//! Plays a scene: what is in which mount at which time, and what of it the log shows. [`play`] is principal.
//!
//! Sizes and times in the log follow from the contents, so no disguise can lie with a number; it can only hide or add.

use std::collections::BTreeMap;

use super::page::Page;
use super::scene::{Act, Building, Dancing, Look, Ruler, Running, Scene, Stored};
use super::story::{MountName, StepClock, Story, megabytes, real};

/// How much of one cache is in a mount, each as a share of the full one.
#[derive(Debug, Clone, Copy, Default)]
struct Stock {
    /// By this run's inject, from an entry.
    carried: f64,
    /// By inject too, but of no use to this code.
    misfit: f64,
    /// By something else, in this job or before it.
    made: f64,
}

impl Stock {
    fn useful(self) -> f64 {
        (self.carried + self.made).min(1.0)
    }

    fn fill(&mut self) {
        self.made = 1.0 - self.carried;
    }
}

/// The truth of one compile of the product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompileTruth {
    /// The share of what it needs that this run's inject had brought: modules, compiled packages.
    pub(crate) carried: [f64; 2],
    /// Whether it read the build cache at all.
    pub(crate) reads: bool,
}

/// What is true of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    /// Each compile of the product that really ran.
    pub(crate) compiles: Vec<CompileTruth>,
}

impl Truth {
    /// Tells whether nobody may call this run effective: a compile did without what should have been carried, or there was none.
    pub(crate) fn is_cold(&self) -> bool {
        let cold = |one: &CompileTruth| !one.reads || one.carried.iter().any(|share| *share < 0.5);
        self.compiles.is_empty() || self.compiles.iter().any(cold)
    }
}

/// A machine and its mounts: builder, identity.
struct World<'a> {
    scene: &'a Scene,
    mounts: BTreeMap<(String, String), Stock>,
    truth: Truth,
}

/// The builder that is active before `setup-buildx` made one.
const OTHER_BUILDER: &str = "default";

fn identity(mount: &MountName) -> String {
    let name = mount.id.clone().unwrap_or_else(|| mount.target.clone());
    format!("{name} {}", mount.more)
}

/// Tells which of the two caches a mount holds: 1 is the build cache.
fn which(mount: &MountName) -> usize {
    usize::from(mount.target.contains("build"))
}

/// Plays a scene that begins at a time of day.
pub(crate) fn play(scene: &Scene, clock: u64) -> (Story, Truth) {
    let mut world = World { scene, mounts: BTreeMap::new(), truth: Truth::default() };
    let mut story = Story::at("image", clock, scene.own_machine.then_some("build-01"));
    story.driver.clone_from(&scene.driver);
    story.map = scene.map.clone();
    story.dance_builder.clone_from(&scene.dance_builder);
    if scene.keeps_mounts {
        for mount in scene.builds.iter().flat_map(|build| &build.steps).flat_map(|step| &step.mounts) {
            world.stock(&story.builder, mount).made = 1.0;
        }
    }
    let early = scene.dancing == Dancing::BeforeBuildx;
    if !early {
        story.buildx();
    }
    match scene.stored {
        Stored::Missing => story.miss(),
        Stored::Held(shares) if scene.by_prefix => story.hit_by_prefix(world.archive(shares)),
        Stored::Held(shares) => story.hit(world.archive(shares)),
    };
    match scene.dancing {
        Dancing::Before | Dancing::BeforeBuildx => world.inject(&mut story),
        Dancing::Fails => {
            story.inject_fails();
        }
        Dancing::After | Dancing::Absent => {}
    }
    if early {
        story.buildx();
    }
    for build in &scene.builds {
        world.build(&mut story, build);
    }
    if scene.dancing == Dancing::After {
        world.inject(&mut story);
    }
    story.post();
    (story, world.truth)
}

impl World<'_> {
    fn stock(&mut self, builder: &str, mount: &MountName) -> &mut Stock {
        self.mounts.entry((builder.to_owned(), identity(mount))).or_default()
    }

    /// The size of an archive: about half of what it holds.
    fn archive(&self, shares: [u64; 2]) -> u64 {
        (self.scene.whole[0] * shares[0] + self.scene.whole[1] * shares[1]) / 210
    }

    fn inject(&mut self, story: &mut Story) {
        let builder = match (&self.scene.dance_builder, self.scene.dancing) {
            (Some(name), _) => name.clone(),
            (None, Dancing::BeforeBuildx) => OTHER_BUILDER.to_owned(),
            (None, _) => story.builder.clone(),
        };
        if let Stored::Held(shares) = self.scene.stored {
            for (at, mount) in self.scene.map.iter().enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "percents")]
                let (share, misfit) = (shares[at] as f64 / 100.0, self.scene.misfit as f64 / 100.0);
                let misfit = if at == 1 { misfit * share } else { 0.0 };
                let stock = self.stock(&builder, mount);
                stock.carried = share - misfit;
                stock.misfit = misfit;
            }
        }
        story.inject();
    }

    fn build(&mut self, story: &mut Story, build: &Building) {
        let builder = story.builder.clone();
        if build.inputs.contains(&"no-cache: true") {
            for mount in build.steps.iter().flat_map(|step| &step.mounts) {
                *self.stock(&builder, mount) = Stock::default();
            }
        }
        match build.look {
            Look::Plain => {
                story.build_begins(&build.inputs);
                self.steps(story.page_mut(), &builder, build);
            }
            Look::Retried => {
                let command = "docker buildx build --progress=plain --load .";
                story.page_mut().group(
                    "Build",
                    "nick-fields/retry@v3",
                    &["max_attempts: 2".to_owned(), format!("command: {command}")],
                );
                story.output_begins();
                self.steps(story.page_mut(), &builder, build);
                let page = story.page_mut();
                // The step itself fails at its end, so that its layer is not kept; its mounts are.
                if let Some(done) = page.lines.iter_mut().rev().find(|line| line.text.contains(" DONE ")) {
                    let number = done.text.split(' ').next().unwrap_or_default();
                    done.text =
                        format!("{number} ERROR: process \"/bin/sh -c …\" did not complete successfully: exit code: 1");
                }
                page.say("##[warning]Attempt 1 failed. Reason: Child_process exited with error code 1");
                page.trace();
                story.output_begins();
                self.steps(story.page_mut(), &builder, build);
            }
            Look::Quiet => {
                let command = "docker buildx build --quiet --target unit .";
                story.page_mut().script("Unit", &[command]);
                story.page_mut().trace();
                self.silently(story.page_mut(), &builder, build);
                story.page_mut().say("sha256:1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c");
            }
            Look::Echoed(tool) => {
                let page = story.page_mut();
                page.script("Unit", &[&format!("{tool} unit")]);
                page.say(&match tool {
                    "task" => "task: [unit] docker buildx build --quiet --target unit .".to_owned(),
                    "mage" => "exec: docker \"buildx\" \"build\" \"--quiet\" \"--target\" \"unit\" \".\"".to_owned(),
                    _ => "docker buildx build --quiet --target unit .".to_owned(),
                });
                page.trace();
                self.silently(story.page_mut(), &builder, build);
                story.page_mut().say("sha256:2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d");
            }
            Look::Drawn => {
                story.page_mut().script("Unit", &["./ci/image"]);
                let page = &mut Page::new("", 0);
                self.steps(page, &builder, build);
                #[expect(clippy::cast_precision_loss, reason = "seconds of a short job")]
                let seconds = page.clock() as f64 / 1000.0;
                let page = story.page_mut();
                page.wait(seconds);
                page.say(&format!("[+] Building {seconds:.1}s (9/9) FINISHED"));
                page.say(" => [internal] load build definition from Dockerfile                       0.1s");
                for step in &build.steps {
                    let name = format!("[{}] RUN --mount={}", step.place, step.mounts[0].options());
                    let name: String = name.chars().take(55).collect();
                    page.say(&format!(" => {name}      {seconds:.1}s"));
                    page.trace();
                }
                page.say(" => exporting to image                                                     0.6s");
            }
        }
    }

    /// Plays the steps of a build of which nothing is to be seen.
    fn silently(&mut self, page: &mut Page, builder: &str, build: &Building) {
        let unseen = &mut Page::new("", page.clock());
        self.steps(unseen, builder, build);
        page.until(unseen.clock());
    }

    fn steps(&mut self, page: &mut Page, builder: &str, build: &Building) {
        let mut open: Option<(StepClock, u64)> = None;
        for (at, step) in build.steps.iter().enumerate() {
            let mounts: String = step.mounts.iter().map(|mount| format!("--mount={} ", mount.options())).collect();
            let number = at + 4;
            page.say(&format!("#{number} [{}] RUN {mounts}{}", step.place, step.command()));
            page.trace();
            if step.cached {
                page.say(&format!("#{number} CACHED"));
                page.say("");
                continue;
            }
            let began = page.clock();
            let mut clock = StepClock { number, seconds: 0.0 };
            if step.beside_next {
                // Its lines would come between; it says nothing, and most of its work is done when the next one looks.
                let unseen = &mut Page::new("", 0);
                let mut taken = clock;
                step.acts.iter().for_each(|act| self.act(unseen, &mut taken, builder, step, act));
                open = Some((taken, began));
                page.say("");
                continue;
            }
            if let Some((taken, _)) = &open {
                let most = taken.seconds * 0.8;
                page.wait(most);
                clock.seconds += most;
            }
            step.acts.iter().for_each(|act| self.act(page, &mut clock, builder, step, act));
            clock.done(page);
            if let Some((mut taken, began)) = open.take() {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a short job")]
                page.until(began + (taken.seconds * 1000.0) as u64);
                #[expect(clippy::cast_precision_loss, reason = "seconds of a short job")]
                let past = (page.clock() - began) as f64 / 1000.0;
                taken.seconds = taken.seconds.max(past);
                taken.done(page);
                page.trace();
            }
        }
    }

    fn act(&mut self, page: &mut Page, clock: &mut StepClock, builder: &str, step: &Running, act: &Act) {
        let prefix = step.prefix;
        match act {
            Act::Sizes { label, ruler } => {
                clock.say(page, 0.1, &format!("{prefix}{label}"));
                match ruler {
                    Ruler::Du => {
                        for mount in &step.mounts {
                            let size = self.size(builder, mount);
                            clock.say(page, 0.1, &format!("{prefix}{}\t{}", megabytes(size), mount.target));
                        }
                    }
                    Ruler::Df => {
                        clock.say(page, 0.0, &format!("{prefix}Filesystem      Size  Used Avail Use% Mounted on"));
                        for mount in &step.mounts {
                            let line = format!("{prefix}/dev/root        72G   51G   22G  71% {}", mount.target);
                            clock.say(page, 0.0, &line);
                        }
                        page.trace();
                    }
                    Ruler::Elsewhere => {
                        clock.say(page, 0.1, &format!("{prefix}267M\t/usr/local/go"));
                        clock.say(page, 0.1, &format!("{prefix}141M\t/opt/sdk"));
                    }
                }
            }
            Act::Compile { command, timed, reads } => {
                if step.script.is_some() {
                    clock.say(page, 0.1, &format!("{prefix}+ {command}"));
                    page.trace();
                }
                let have = self.have(builder, step);
                self.truth.compiles.push(CompileTruth { carried: have.map(|stock| stock.carried), reads: *reads });
                let before = clock.seconds;
                let needs = if *reads { 1.0 - have[1].useful() } else { 1.0 };
                self.downloads(page, clock, prefix, have[0].useful());
                clock.seconds += 0.8 + self.scene.cold * needs;
                page.wait(0.8 + self.scene.cold * needs);
                self.fill(builder, step, *reads);
                if *timed {
                    clock.say(page, 0.0, &format!("{prefix}{}", real(clock.seconds - before)));
                }
            }
            Act::Tool { command, prints, compiles } => {
                if step.script.is_some() {
                    clock.say(page, 0.1, &format!("{prefix}+ {command}"));
                    page.trace();
                }
                let have = self.have(builder, step);
                self.downloads(page, clock, prefix, have[0].useful());
                let needs = if *compiles { 1.0 - have[1].useful() } else { 0.0 };
                clock.seconds += 0.8 + self.scene.cold * needs;
                page.wait(0.8 + self.scene.cold * needs);
                self.fill(builder, step, *compiles);
                for line in *prints {
                    clock.say(page, 0.1, &format!("{prefix}{line}"));
                    page.trace();
                }
            }
            Act::Other { command, tenths } => {
                if step.script.is_some() {
                    clock.say(page, 0.1, &format!("{prefix}+ {command}"));
                }
                let seconds = f64::from(*tenths) / 10.0;
                clock.say(page, seconds, &format!("{prefix}{}", real(seconds)));
            }
        }
    }

    /// What a step finds: modules, compiled packages. A cache without a mount is an empty one.
    fn have(&mut self, builder: &str, step: &Running) -> [Stock; 2] {
        let mut have = [Stock::default(); 2];
        for mount in &step.mounts {
            have[which(mount)] = *self.stock(builder, mount);
        }
        have
    }

    fn fill(&mut self, builder: &str, step: &Running, compiles: bool) {
        for mount in &step.mounts {
            if which(mount) == 0 || compiles {
                self.stock(builder, mount).fill();
            }
        }
    }

    fn downloads(&self, page: &mut Page, clock: &mut StepClock, prefix: &str, have: f64) {
        if have >= 1.0 {
            return;
        }
        for at in 0..12 {
            clock.say(page, 0.8, &format!("{prefix}go: downloading example.org/d{at} v1.{at}.0"));
            page.trace();
        }
    }

    fn size(&mut self, builder: &str, mount: &MountName) -> u64 {
        #[expect(clippy::cast_precision_loss, reason = "megabytes")]
        let whole = self.scene.whole[which(mount)] as f64;
        let stock = self.stock(builder, mount);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "megabytes")]
        let size = (whole * (stock.useful() + stock.misfit)).round() as u64;
        size
    }
}
