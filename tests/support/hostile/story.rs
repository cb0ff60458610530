//! Writes the log of one job from a few readable lines. [`Story`] is principal.
//!
//! It knows how each action prints and nothing of what is true: whoever tells the story says every number.
//!
//! ```text
//! let mut story = Story::new("image");
//! story.buildx().hit(191).inject();
//! story.build(&Compiling { before: [300, 120], seconds: 2.0, after: [300, 120], ..Compiling::default() });
//! story.post();
//! let log = story.page().files(Form::Raw);
//! ```

use super::page::Page;

/// The targets of the two Go mounts: modules first.
pub(crate) const TARGETS: [&str; 2] = ["/go/pkg/mod", "/root/.cache/go-build"];

/// The ids of the two Go mounts.
pub(crate) const IDS: [&str; 2] = ["mod", "obj"];

/// How one cache mount is named: what makes it this one and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountName {
    /// Its target.
    pub(crate) target: String,
    /// Its id, where it has one.
    pub(crate) id: Option<String>,
    /// More options, such as `uid=1000`.
    pub(crate) more: String,
}

impl MountName {
    /// The usual name of a Go mount.
    pub(crate) fn usual(which: usize) -> Self {
        Self { target: TARGETS[which].to_owned(), id: Some(IDS[which].to_owned()), more: String::new() }
    }

    /// Writes it as the options of a mount.
    pub(crate) fn options(&self) -> String {
        let id = self.id.as_ref().map(|id| format!(",id={id}")).unwrap_or_default();
        let comma = if self.more.is_empty() { "" } else { "," };
        format!("type=cache,target={}{id}{comma}{}", self.target, self.more)
    }

    /// Writes it as the entry of a cache map.
    fn entry(&self, source: &str) -> String {
        let id = self.id.as_ref().map(|id| format!(", \"id\": \"{id}\"")).unwrap_or_default();
        let more: String = self
            .more
            .split(',')
            .filter_map(|option| option.split_once('='))
            .fold(String::new(), |text, (name, value)| text + &format!(", \"{name}\": \"{value}\""));
        format!("\"c/{source}\": {{\"target\": \"{}\"{id}{more}}}", self.target)
    }
}

/// A step that compiles and shows its sizes: the common case in one value.
#[derive(Debug, Clone)]
pub(crate) struct Compiling {
    /// The mounts as the `RUN` names them.
    pub(crate) mounts: [MountName; 2],
    /// The command that compiles.
    pub(crate) command: String,
    /// Megabytes before; 0 is an empty mount.
    pub(crate) before: [u64; 2],
    /// Modules that are downloaded.
    pub(crate) downloads: usize,
    /// The time that `time` prints.
    pub(crate) seconds: f64,
    /// Megabytes after.
    pub(crate) after: [u64; 2],
}

impl Default for Compiling {
    fn default() -> Self {
        Self {
            mounts: [MountName::usual(0), MountName::usual(1)],
            command: "go build ./cmd/app".to_owned(),
            before: [300, 120],
            downloads: 0,
            seconds: 2.0,
            after: [300, 120],
        }
    }
}

/// What is left to do when the main steps are over.
#[derive(Debug, Clone)]
enum Post {
    Dance,
    Cache { save: bool },
    Nothing,
}

/// The log of one job, as it is being written.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    page: Page,
    /// The builder that `setup-buildx` makes.
    pub(crate) builder: String,
    /// Its driver.
    pub(crate) driver: String,
    /// The key of the entry.
    pub(crate) key: String,
    /// What the cache map names.
    pub(crate) map: [MountName; 2],
    /// The builder that the dance is given, if any.
    pub(crate) dance_builder: Option<String>,
    /// Whether the posts of dance and cache do what they should.
    pub(crate) carries_on: bool,
    saved: u64,
    posts: Vec<Post>,
}

impl Story {
    /// Begins a job on a fresh hosted runner, with the code checked out.
    pub(crate) fn new(job: &str) -> Self {
        Self::at(job, 36_000_000, None)
    }

    /// Begins a job at a time of day in milliseconds, on a machine of its own where that has a name.
    pub(crate) fn at(job: &str, clock: u64, machine: Option<&str>) -> Self {
        let mut page = Page::new(job, clock);
        page.say("Current runner version: '2.331.0'");
        match machine {
            Some(name) => {
                page.say(&format!("Runner name: '{name}'"));
                page.say("Runner group name: 'Default'");
                page.trace();
                page.say(&format!("Machine name: '{name}'"));
            }
            None => {
                page.say("##[group]Runner Image");
                page.say("Image: ubuntu-24.04");
                page.say("Version: 20260420.1.0");
                page.say("##[endgroup]");
            }
        }
        page.say(&format!("Complete job name: {job}"));
        page.group("Checkout", "actions/checkout@v4", &["repository: acme/app".to_owned()]);
        page.say("[command]/usr/bin/git checkout --progress --force -B main refs/remotes/origin/main");
        Self {
            page,
            builder: "builder-7".to_owned(),
            driver: "docker-container".to_owned(),
            key: "mounts-Linux-5be1c0".to_owned(),
            map: [MountName::usual(0), MountName::usual(1)],
            dance_builder: None,
            carries_on: true,
            saved: 191,
            posts: vec![Post::Nothing],
        }
    }

    /// Sets up a builder.
    pub(crate) fn buildx(&mut self) -> &mut Self {
        let driver = format!("driver: {}", self.driver);
        self.page.group("Buildx", "docker/setup-buildx-action@v3", &[driver]);
        self.posts.push(Post::Nothing);
        self
    }

    fn cache(&mut self) {
        let inputs = [
            "path: c".to_owned(),
            format!("key: {}", self.key),
            "restore-keys: mounts-Linux-".to_owned(),
            "enableCrossOsArchive: false".to_owned(),
            "fail-on-cache-miss: false".to_owned(),
            "lookup-only: false".to_owned(),
        ];
        self.page.group("Cache", "actions/cache@v4", &inputs);
    }

    /// Restores an entry of so many megabytes; with 0 it is an empty archive.
    pub(crate) fn hit(&mut self, megabytes: u64) -> &mut Self {
        let key = self.key.clone();
        self.restore(&key, megabytes)
    }

    /// Restores an older entry by its prefix.
    pub(crate) fn hit_by_prefix(&mut self, megabytes: u64) -> &mut Self {
        self.restore("mounts-Linux-4aa0b9", megabytes)
    }

    fn restore(&mut self, key: &str, megabytes: u64) -> &mut Self {
        self.cache();
        let exact = key == self.key;
        let bytes = if megabytes == 0 { 198 } else { megabytes << 20 };
        let kind = if exact { "Cache hit for" } else { "Cache hit for restore-key" };
        self.page.say(&format!("{kind}: {key}"));
        self.page.say(&format!("Received {bytes} of {bytes} (100.0%), 75.2 MBs/sec"));
        self.page.say(&format!("Cache Size: ~{megabytes} MB ({bytes} B)"));
        self.page.say("[command]/usr/bin/tar -xf /home/runner/work/_temp/x/cache.tzst -P -C /home/runner/work/app/app --use-compress-program unzstd");
        self.page.wait(2.0);
        self.page.say("Cache restored successfully");
        self.page.say(&format!("Cache restored from key: {key}"));
        self.posts.push(Post::Cache { save: !exact });
        self
    }

    /// Finds no entry.
    pub(crate) fn miss(&mut self) -> &mut Self {
        self.cache();
        self.page.say(&format!("Cache not found for input keys: {}, mounts-Linux-", self.key));
        self.posts.push(Post::Cache { save: true });
        self
    }

    /// Injects both mounts.
    pub(crate) fn inject(&mut self) -> &mut Self {
        self.dance_head();
        for mount in self.map.clone() {
            self.page.say("");
            self.page.say("FROM ghcr.io/containerd/busybox:latest");
            self.page.say("COPY buildstamp buildstamp");
            self.page.say(&format!(
                "RUN --mount={}     --mount=type=bind,source=.,target=/var/dance-cache     cp -p -R /var/dance-cache/. {}  || true",
                mount.options(),
                mount.target
            ));
            self.page.say("");
            self.page.wait(4.0);
        }
        self
    }

    /// Begins the dance's step, and fails in it.
    pub(crate) fn inject_fails(&mut self) -> &mut Self {
        self.dance_head();
        self.page
            .say("Error running command: docker buildx build -f scratch/Dancefile.inject --tag dance:inject c/mod");
        self.page.say("ERROR: failed to solve: ghcr.io/containerd/busybox:latest: failed to resolve source metadata");
        self.page.trace();
        self
    }

    fn dance_head(&mut self) {
        let [modules, objects] = [self.map[0].entry("mod"), self.map[1].entry("obj")];
        let mut inputs = vec![format!("cache-map: {{\n  {modules},\n  {objects}\n}}\n")];
        if let Some(builder) = &self.dance_builder {
            inputs.push(format!("builder: {builder}"));
        }
        inputs.push("scratch-dir: scratch".to_owned());
        inputs.push("skip-extraction: false".to_owned());
        inputs.push("utility-image: ghcr.io/containerd/busybox:latest".to_owned());
        let from = self.page.lines.len();
        self.page.group("Dance", "reproducible-containers/buildkit-cache-dance@v3.3.2", &inputs);
        self.page.lines[from..].iter_mut().for_each(|line| line.trace = true);
        self.posts.push(Post::Dance);
    }

    /// Begins a build by docker's own action, its output drawn as plain lines.
    pub(crate) fn build_begins(&mut self, more: &[&str]) -> &mut Self {
        let mut inputs = vec!["context: .".to_owned(), "load: true".to_owned()];
        inputs.extend(more.iter().map(|input| (*input).to_owned()));
        self.page.group("Build", "docker/build-push-action@v6", &inputs);
        self.posts.push(Post::Nothing);
        let flags = more.contains(&"no-cache: true");
        let flags = if flags { " --no-cache" } else { "" };
        self.page.say(&format!("[command]/usr/bin/docker buildx build{flags} --load ."));
        self.output_begins();
        self
    }

    /// Begins the plain output of a build.
    pub(crate) fn output_begins(&mut self) {
        let (builder, driver) = (&self.builder, &self.driver);
        let first = format!("#0 building with \"{builder}\" instance using {driver} driver");
        self.page.say(&first);
        self.page.trace();
        self.page.say("");
        self.page.say("#1 [internal] load build definition from Dockerfile");
        self.page.say("#1 DONE 0.0s");
        self.page.say("");
    }

    /// Tells one compiling step of a build whole.
    pub(crate) fn build(&mut self, step: &Compiling) -> &mut Self {
        self.build_begins(&[]);
        let sizes = |sizes: [u64; 2]| [0, 1].map(|at| format!("{}\t{}", megabytes(sizes[at]), step.mounts[at].target));
        let [modules, objects] = [step.mounts[0].options(), step.mounts[1].options()];
        let (first, second) = (&step.mounts[0].target, &step.mounts[1].target);
        let du = format!("du -sh {first} {second}");
        self.page.say(&format!(
            "#5 [b 4/4] RUN --mount={modules} --mount={objects} echo BEFORE; {du}; time {}; echo AFTER; {du}",
            step.command
        ));
        let mut clock = StepClock { number: 5, seconds: 0.0 };
        clock.say(&mut self.page, 0.1, "BEFORE");
        sizes(step.before).iter().for_each(|size| clock.say(&mut self.page, 0.1, size));
        for at in 0..step.downloads {
            clock.say(&mut self.page, 0.0, &format!("go: downloading example.org/d{at} v1.{at}.0"));
        }
        clock.say(&mut self.page, step.seconds, &real(step.seconds));
        clock.say(&mut self.page, 0.1, "AFTER");
        sizes(step.after).iter().for_each(|size| clock.say(&mut self.page, 0.1, size));
        clock.done(&mut self.page);
        self
    }

    /// Runs the post steps, in reverse, and ends the job.
    pub(crate) fn post(&mut self) -> &mut Self {
        for post in std::mem::take(&mut self.posts).into_iter().rev() {
            // The cache's post step runs only while the job has not failed.
            if matches!(post, Post::Cache { save: true }) && !self.carries_on {
                continue;
            }
            self.page.step("Post");
            self.page.say("Post job cleanup.");
            match post {
                Post::Dance if self.carries_on => self.extract(),
                Post::Dance => {
                    self.page.say("Error running command: docker buildx build -f scratch/Dancefile.extract --tag dance:extract --load scratch");
                    self.page.say("ERROR: failed to build: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF");
                }
                Post::Cache { save: false } => {
                    let key = &self.key;
                    let line = format!("Cache hit occurred on the primary key {key}, not saving cache.");
                    self.page.say(&line);
                }
                Post::Cache { save: true } => {
                    let bytes = self.saved << 20;
                    self.page.say("[command]/usr/bin/tar --posix -cf cache.tzst --exclude cache.tzst -P -C /home/runner/work/app/app --files-from manifest.txt --use-compress-program zstdmt");
                    self.page.say(&format!("Sent {bytes} of {bytes} (100.0%), 60.0 MBs/sec"));
                    self.page.say(&format!("Cache saved with key: {}", self.key.clone()));
                }
                Post::Nothing => {}
            }
        }
        self.page.step("Complete job");
        self.page.say("Cleaning up orphan processes");
        self
    }

    fn extract(&mut self) {
        for mount in self.map.clone() {
            self.page.say("");
            self.page.say("FROM ghcr.io/containerd/busybox:latest");
            self.page.say("COPY buildstamp buildstamp");
            self.page.say(&format!(
                "RUN --mount={}     mkdir -p /var/dance-cache/     && cp -p -R {}/. /var/dance-cache/ || true",
                mount.options(),
                mount.target
            ));
            self.page.say("");
            self.page.wait(4.0);
        }
    }

    /// What has been written.
    pub(crate) fn page(&self) -> &Page {
        &self.page
    }

    /// What has been written, to be written on.
    pub(crate) fn page_mut(&mut self) -> &mut Page {
        &mut self.page
    }
}

/// The clock of one step of a build.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepClock {
    /// The number of the step in the output.
    pub(crate) number: usize,
    /// Seconds since it began.
    pub(crate) seconds: f64,
}

impl StepClock {
    /// Writes a line of the step's output, some seconds after the last.
    pub(crate) fn say(&mut self, page: &mut Page, after: f64, text: &str) {
        self.seconds += after;
        page.wait(after);
        page.say(&format!("#{} {:.2} {text}", self.number, self.seconds));
    }

    /// Ends the step.
    pub(crate) fn done(&mut self, page: &mut Page) {
        page.say(&format!("#{} DONE {:.1}s", self.number, self.seconds + 0.1));
        page.say("");
    }
}

/// Writes a size as `du -sh` does.
pub(crate) fn megabytes(megabytes: u64) -> String {
    if megabytes == 0 { "8.0K".to_owned() } else { format!("{megabytes}M") }
}

/// Writes a time as bash's `time` does.
pub(crate) fn real(seconds: f64) -> String {
    format!("real\t{}m{:.3}s", (seconds / 60.0).floor(), seconds % 60.0)
}
