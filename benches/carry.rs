//! Measures inject and extract: ours, beside `cp -a` of the same tree and beside the way of the original action, which
//! copies with `cp` inside a `RUN` and takes the image out with `docker cp`.
//!
//! All ways take turns in each round, on the same engine and disk, and the median of the rounds counts. Every way must
//! bring back every file, or the measurement is refused. `cargo bench --bench carry -- a` measures one tree only;
//! `CARRY_ROUNDS` changes the three rounds.
//!
//! What the rounds make is removed when they are over, not between them: an ext4 without a journal does not use an
//! inode again for a minute or more after its file was deleted, and looks each of them over for every new file (Linux,
//! `fs/ext4/ialloc.c`, `recently_deleted`), so that one way's deletions would be the next one's seconds.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the person who started it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use verify_buildkit_cache::engine::{BuildRequest, CopyMount, Docker, Engine, MountCopy, Namespace};
use verify_buildkit_cache::runner::archive::{self, Owner, PackOptions, Times};
use verify_buildkit_cache::runner::stream;
use verify_buildkit_cache::scenario::sample;

const TARGET: &str = "/carry";
const MOUNT: &str = "type=cache,target=/carry,id=carry";
const LEAST_GAIN: f64 = 3.0;
const MOST_MEMORY: u64 = 100 << 20;

/// A tree to carry.
struct Tree {
    name: &'static str,
    files: u64,
    bytes: u64,
}

const TREES: [Tree; 2] =
    [Tree { name: "a", files: 1_600, bytes: 120_000_000 }, Tree { name: "b", files: 20_000, bytes: 400_000_000 }];

/// What one way took.
#[derive(Debug, Clone, Copy)]
struct Took {
    inject: Duration,
    extract: Duration,
}

fn main() -> Result<()> {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    tokio::runtime::Runtime::new()?.block_on(measure(&chosen))
}

async fn measure(chosen: &[String]) -> Result<()> {
    let address = std::env::var("DOCKER_HOST").ok();
    let engine = Docker::connect(address.as_deref()).await.context("the benchmark needs a Docker Engine")?;
    let image = image(&engine).await?;
    let about = engine.describe().await?;
    let rounds = std::env::var("CARRY_ROUNDS").ok().and_then(|count| count.parse().ok()).unwrap_or(3_usize).max(1);
    println!("{}, {}, {} processors; image {image}; {rounds} rounds, medians\n", about.name, about.storage, about.cpus);
    let with_cli = Command::new("docker").arg("version").output().is_ok_and(|output| output.status.success());
    if !with_cli {
        eprintln!("no docker CLI that reaches the engine: cp in RUN is left out");
    }
    println!("{:36} {:>8} {:>9} {:>9} {:>10}", "", "inject", "extract", "both", "to cp -a");
    for tree in TREES.iter().filter(|tree| chosen.is_empty() || chosen.iter().any(|name| name == tree.name)) {
        let dir = tempfile::Builder::new().prefix("verify-buildkit-cache-bench-").tempdir()?;
        grow(tree, &dir.path().join("tree"))?;
        let mut bench = Bench { engine: &engine, image: &image, tree, dir: dir.path(), used: Vec::new(), copies: 0 };
        let measured = bench.rounds(rounds, with_cli).await;
        let cleaned = engine.clean(&bench.used).await;
        let (copied, ours, theirs) = measured?;
        cleaned?;
        show(tree, copied, ours, theirs);
    }
    if let Some(way) = engine.copy_way() {
        println!("our copies went {way}");
    }
    let memory = peak_memory()?;
    println!("peak memory of this program: {} MB (at most {} MB)", memory >> 20, MOST_MEMORY >> 20);
    Ok(())
}

/// The measurement of one tree.
struct Bench<'a> {
    engine: &'a Docker,
    image: &'a str,
    tree: &'a Tree,
    dir: &'a Path,
    /// What has to be cleaned up in the end, also when a way failed.
    used: Vec<Namespace>,
    copies: usize,
}

impl Bench<'_> {
    async fn rounds(&mut self, rounds: usize, with_cli: bool) -> Result<(Vec<Duration>, Vec<Took>, Vec<Took>)> {
        let (mut copied, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            eprintln!("({}) round {} of {rounds}", self.tree.name, round + 1);
            copied.push(self.cp()?);
            ours.push(self.carry().await?);
            if with_cli {
                theirs.push(self.cp_in_run().await?);
            }
            eprintln!("    cp -a {:?}, ours {:?}, cp in RUN {:?}", copied.last(), ours.last(), theirs.last());
        }
        Ok((copied, ours, theirs))
    }

    /// A namespace of its own for the next way.
    fn namespace(&mut self) -> Namespace {
        let namespace = Namespace::new(&format!("vbc-bench-{}", unique()));
        self.used.push(namespace.clone());
        namespace
    }

    /// A place for the next copy.
    fn copy(&mut self) -> PathBuf {
        self.copies += 1;
        self.dir.join(format!("copy-{}", self.copies))
    }

    fn source(&self) -> PathBuf {
        self.dir.join("tree")
    }

    /// The measure of all: one plain copy.
    fn cp(&mut self) -> Result<Duration> {
        let copy = self.copy();
        settle()?;
        let began = Instant::now();
        run(Command::new("cp").arg("-a").arg(self.source()).arg(&copy))?;
        let took = began.elapsed();
        arrived(self.tree, &copy)?;
        Ok(took)
    }

    /// Our way, as a dance step of a run goes it.
    async fn carry(&mut self) -> Result<Took> {
        let (namespace, into) = (self.namespace(), self.copy());
        let stamp = unique();
        let mount = CopyMount { target: TARGET.to_owned(), flag: MOUNT.to_owned() };
        let copy = MountCopy { namespace, image: self.image.to_owned(), mount, owner: None, stamp };
        settle()?;
        let began = Instant::now();
        let options = PackOptions { owner: Owner::Zero, times: Times::default(), trailing_dirs: true };
        let (first, second) = (self.source(), self.source());
        let (files, packed) = stream::produce(move |out| archive::pack_dir(&first, out, &options));
        let (dirs, touched) = stream::produce(move |out| archive::pack_dirs(&second, out, &options));
        let copied = self.engine.inject(&copy, vec![files, dirs]).await?;
        packed.await??;
        touched.await??;
        let inject = began.elapsed();
        ensure!(copied.failed.is_none(), "the inject failed: {:?}", copied.failed);

        settle()?;
        let copy = MountCopy { stamp: unique(), ..copy };
        let place = into.clone();
        let began = Instant::now();
        let (sender, unpacked) = stream::consume(move |input| archive::unpack_dir(input, &place));
        let copied = self.engine.extract(&copy, sender).await?;
        unpacked.await??;
        let extract = began.elapsed();
        ensure!(copied.failed.is_none(), "the extract failed: {:?}", copied.failed);
        arrived(self.tree, &into)?;
        Ok(Took { inject, extract })
    }

    /// The way of the original action (v3.3.2), through the same API: its Dancefiles, `docker create`, `docker cp`, `tar`.
    async fn cp_in_run(&mut self) -> Result<Took> {
        let (namespace, into, image) = (self.namespace(), self.copy(), self.image);
        let stamp = unique();
        // By this the engine knows, at the clean-up, whose mount it was.
        let mark = format!("SHELL [\"/usr/bin/env\", \"VBC_RUNNER={}\", \"/bin/sh\", \"-c\"]\n", namespace.as_str());
        let source = self.source();
        settle()?;
        let began = Instant::now();
        fs::write(source.join("buildstamp"), &stamp)?;
        let dancefile = format!(
            "FROM {image}\n{mark}COPY buildstamp buildstamp\nRUN --mount={MOUNT} \
             --mount=type=bind,source=.,target=/var/dance-cache cp -p -R /var/dance-cache/. {TARGET} || true\n"
        );
        dance(self.engine, &namespace, dancefile, source.clone()).await?;
        let inject = began.elapsed();
        fs::remove_file(source.join("buildstamp"))?;

        settle()?;
        let began = Instant::now();
        let scratch = self.dir.join(format!("scratch-{}", self.copies));
        fs::create_dir_all(&scratch)?;
        fs::write(scratch.join("buildstamp"), &stamp)?;
        let dancefile = format!(
            "FROM {image}\n{mark}COPY buildstamp buildstamp\nRUN --mount={MOUNT} mkdir -p /var/dance-cache/ \
             && cp -p -R {TARGET}/. /var/dance-cache/ || true\n"
        );
        let taken = dance(self.engine, &namespace, dancefile, scratch.clone()).await?;
        let container = run(Command::new("docker").args(["create", &taken, "true"]))?;
        let mut sent = Command::new("docker")
            .args(["cp", "-L", &format!("{container}:/var/dance-cache"), "-"])
            .stdout(Stdio::piped())
            .spawn()?;
        let stream = sent.stdout.take().context("docker cp has no output")?;
        run(Command::new("tar").args(["-H", "posix", "-x", "-C"]).arg(&scratch).stdin(stream))?;
        ensure!(sent.wait()?.success(), "docker cp failed");
        fs::rename(scratch.join("dance-cache"), &into)?;
        let extract = began.elapsed();
        run(Command::new("docker").args(["rm", "-f", &container]))?;
        arrived(self.tree, &into)?;
        Ok(Took { inject, extract })
    }
}

/// Prints the medians of one tree.
fn show(tree: &Tree, mut copied: Vec<Duration>, ours: Vec<Took>, theirs: Vec<Took>) {
    copied.sort();
    let base = copied[copied.len() / 2];
    println!("({}) {} MB in {} files", tree.name, tree.bytes / 1_000_000, tree.files);
    println!("    {:32} {:>8} {:>9} {:>8.2}s {:>10}", "cp -a", "", "", base.as_secs_f64(), "1.0");
    let row = |name: &str, took: &[Took]| {
        let inject = median(took, |took| took.inject);
        let extract = median(took, |took| took.extract);
        let both = median(took, |took| took.inject + took.extract);
        println!(
            "    {name:32} {inject:>7.2}s {extract:>8.2}s {both:>8.2}s {:>10.1}",
            both / base.as_secs_f64().max(f64::EPSILON)
        );
        both
    };
    let own = row("verify-buildkit-cache", &ours);
    if !theirs.is_empty() {
        let other = row("cp in RUN, docker cp", &theirs);
        println!("    {:.1} times as fast as cp in RUN (at least {LEAST_GAIN} on b)", other / own);
    }
    println!();
}

fn median(took: &[Took], part: impl Fn(&Took) -> Duration) -> f64 {
    let mut parts: Vec<Duration> = took.iter().map(part).collect();
    parts.sort();
    parts[parts.len() / 2].as_secs_f64()
}

/// The image whose shell and `tar` both ways use.
async fn image(engine: &Docker) -> Result<String> {
    let given = std::env::var("GO_IMAGE").ok().filter(|image| !image.is_empty());
    for image in given.into_iter().chain([sample::official_go_image(), sample::local_go_image()]) {
        if engine.has_image(&image).await? {
            return Ok(image);
        }
    }
    bail!("the engine has no Go image; `make setup` provides one")
}

/// Makes the tree: pseudo-random bytes, so that no way gains from holes or repetition, in 256 directories.
fn grow(tree: &Tree, root: &Path) -> Result<()> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut content = Vec::new();
    for number in 0..tree.files {
        let dir = root.join(format!("{:02x}", number % 256));
        fs::create_dir_all(&dir)?;
        // Sizes from half the mean to one and a half of it.
        let mean = tree.bytes / tree.files;
        let size = mean / 2 + mean * (number * 7919 % 1000) / 1000;
        content.clear();
        while (content.len() as u64) < size {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            content.extend_from_slice(&state.to_le_bytes());
        }
        fs::write(dir.join(format!("{number:06}")), &content)?;
    }
    Ok(())
}

/// Builds a Dancefile with a directory as its context and returns the image.
async fn dance(engine: &Docker, namespace: &Namespace, dancefile: String, dir: PathBuf) -> Result<String> {
    let (context, sent) = stream::produce(move |out| -> Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_path("Dancefile")?;
        header.set_size(dancefile.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        out.write_all(header.as_bytes())?;
        out.write_all(dancefile.as_bytes())?;
        out.write_all(&vec![0; dancefile.len().next_multiple_of(512) - dancefile.len()])?;
        archive::pack_dir(&dir, out, &PackOptions::default())?;
        Ok(())
    });
    let request = BuildRequest {
        namespace: namespace.clone(),
        dockerfile: "Dancefile".to_owned(),
        build_args: std::collections::BTreeMap::new(),
        target: None,
        no_cache: false,
        network: None,
        export: true,
    };
    let outcome = engine.build(request, context, &mut |_| {}).await?;
    sent.await??;
    ensure!(outcome.failure.is_none(), "the Dancefile did not build: {:?}", outcome.failure);
    outcome.image.context("the build left no image")
}

/// Refuses a measurement of a copy that is not whole.
fn arrived(tree: &Tree, copy: &Path) -> Result<()> {
    let mut files = 0;
    for dir in fs::read_dir(copy)? {
        let dir = dir?;
        // Beside the directories lie the stamp and the Dancefile of cp in RUN.
        if dir.file_type()?.is_dir() {
            files += fs::read_dir(dir.path())?.count() as u64;
        }
    }
    ensure!(files == tree.files, "{files} files came back of {}", tree.files);
    Ok(())
}

/// Lets earlier writes reach the disk, so that no way pays for another's.
fn settle() -> Result<()> {
    run(&mut Command::new("sync")).map(drop)
}

/// Runs a command that must succeed and returns what it printed.
fn run(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Makes a text that nothing had before.
fn unique() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", std::process::id(), since.as_nanos())
}

/// The most memory this program ever held.
fn peak_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM on this system")?;
    let kilobytes: u64 = peak.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes << 10)
}
