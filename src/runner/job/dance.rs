//! The dance steps, executed one by one as the dance storey lists them. What the action gets wrong stays wrong here.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::{StepContext, StepResult};
use crate::dance::{
    self, Behaviour, CacheMap, DanceEntry, DanceStep, DockerfileInput, ExtractMove, RemoveSource, SKIPPED, cache_map,
    dancefile_lines, extract_steps, inject_steps,
};
use crate::dockerfile::{Dockerfile, MountOptions};
use crate::engine::{CopyMount, Engine, MountCopy, Namespace};
use crate::evidence::{CopyTally, DanceInputs, DancePhase, Fact, MountSpec, Quote, StepOutcome};
use crate::plan::PlannedStep;
use crate::runner::archive::{self, FirstRefusal, Owner, PackOptions, Times};
use crate::runner::{RunError, stream};
use crate::source::Source;

/// What a dance step works with.
struct DanceContext {
    behaviour: Behaviour,
    inputs: dance::ResolvedInputs,
    builder: String,
}

impl<E: Engine> StepContext<'_, E> {
    /// The main step: every entry's host directory into its mount.
    pub(super) async fn inject(&mut self, step: &PlannedStep) -> StepResult {
        let stage = self.dance_stage(step)?;
        let quote = self.dance_header(step, &stage)?;
        let cache_map = self.input(step, "cache-map")?.filter(|text| !text.is_empty());
        let skip_extraction = self.input(step, "skip-extraction")?.filter(|text| !text.is_empty());
        self.recorder.fact_at(
            quote,
            Fact::DanceInputs(DanceInputs {
                uses: step.uses.as_ref().map_or_else(String::new, |uses| uses.text.clone()),
                cache_map,
                cache_dir: stage.inputs.cache_dir.clone(),
                skip_extraction,
                builder: Some(stage.builder.clone()),
                known: stage.behaviour.dance.known,
            }),
        );
        if !stage.behaviour.dance.known {
            let uses = step.uses.as_ref().map_or("", |uses| uses.text.as_str());
            self.stands_in(&format!(
                "the code of `{uses}` ({}) is not known here; {} stood in for it, and the two may differ",
                step.place(),
                stage.behaviour.dance
            ))?;
        }
        self.dance(&stage, DancePhase::Inject).await
    }

    /// The post step: every mount back into its host directory.
    pub(super) async fn extract(&mut self, step: &PlannedStep) -> StepResult {
        let stage = self.dance_stage(step)?;
        if stage.inputs.skip_extraction {
            self.recorder.line(SKIPPED)?;
            self.recorder.fact(Fact::DanceExtractSkipped);
            return Ok(StepOutcome::Success);
        }
        self.dance(&stage, DancePhase::Extract).await
    }

    fn dance_stage(&mut self, step: &PlannedStep) -> Result<DanceContext, RunError> {
        let behaviour = step.behaviour.unwrap_or_else(|| Behaviour::identify("", ""));
        let given = self.inputs(step)?;
        let lookup = |name: &str| {
            given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        let inputs = dance::ResolvedInputs::from_with(&lookup, &behaviour);
        let builder = inputs.builder.clone().unwrap_or_else(|| self.builders.active.clone());
        Ok(DanceContext { behaviour, inputs, builder })
    }

    fn dance_header(&mut self, step: &PlannedStep, stage: &DanceContext) -> Result<Quote, RunError> {
        let inputs = &stage.inputs;
        let builder = stage.behaviour.builder_default.unwrap_or("");
        let mut defaults = vec![("cache-map", "{}"), ("scratch-dir", "scratch"), ("skip-extraction", "false")];
        if stage.behaviour.builder_input {
            defaults.push(("builder", builder));
        }
        if stage.behaviour.utility_image_input {
            defaults.push(("utility-image", &inputs.utility_image));
        }
        if stage.behaviour.discovery {
            defaults.push(("dockerfile", "Dockerfile"));
        }
        self.header(step, &defaults)
    }

    /// One half of the dance.
    async fn dance(&mut self, stage: &DanceContext, phase: DancePhase) -> StepResult {
        for line in dance::opening_lines(&stage.inputs, &stage.behaviour) {
            self.recorder.line(&line)?;
        }
        let map = match self.read_map(stage) {
            Ok(map) => map,
            Err(error) => {
                for line in &error.log {
                    self.recorder.line(line)?;
                }
                return self.thrown(&error.thrown, phase);
            }
        };
        for line in &map.log {
            self.recorder.line(line)?;
        }
        let Some(namespace) = self.namespace(&stage.builder)? else {
            let why = format!("ERROR: no builder \"{}\" found", stage.builder);
            return self.thrown(&why, phase);
        };
        for entry in &map.entries {
            let steps = match phase {
                DancePhase::Inject => inject_steps(entry, &stage.inputs, &stage.behaviour),
                DancePhase::Extract => extract_steps(entry, &stage.inputs, &stage.behaviour),
            };
            for step in steps {
                if self.dance_step(&namespace, entry, phase, step, &stage.inputs.scratch_dir).await?
                    == StepOutcome::Failure
                {
                    return Ok(StepOutcome::Failure);
                }
            }
        }
        Ok(StepOutcome::Success)
    }

    fn read_map(&self, stage: &DanceContext) -> Result<CacheMap, dance::CacheMapError> {
        let path = self.real(&stage.inputs.dockerfile);
        let text = fs::read_to_string(path).ok();
        let parsed = text.and_then(|text| Dockerfile::parse(&Source::new(stage.inputs.dockerfile.clone(), text)).ok());
        let dockerfile = parsed.as_ref().map_or(DockerfileInput::Missing, DockerfileInput::Parsed);
        cache_map(&stage.inputs, &stage.behaviour, dockerfile)
    }

    async fn dance_step(
        &mut self,
        namespace: &Namespace,
        entry: &DanceEntry,
        phase: DancePhase,
        step: DanceStep,
        scratch: &str,
    ) -> StepResult {
        match step {
            DanceStep::ClearScratch(dir) => {
                if let Some(thrown) = self.not_allowed(&dir) {
                    return self.thrown(&thrown, phase);
                }
                archive::remove_tree(&self.layout.place(dir.as_ref()))?;
                self.make_dir(&dir)?;
            }
            DanceStep::MakeScratch(dir) | DanceStep::MakeSource(dir) => {
                if let Some(thrown) = self.not_allowed(&dir) {
                    return self.thrown(&thrown, phase);
                }
                self.make_dir(&dir)?;
            }
            DanceStep::Stamp(dir) => {
                let path = self.layout.target(&Path::new(&dir).join("buildstamp"));
                let now = humantime::format_rfc3339_millis(self.clock.now()).to_string();
                if let Err(error) = fs::write(&path, now) {
                    if error.kind() == std::io::ErrorKind::NotFound {
                        let text = format!("Error: ENOENT: no such file or directory, open '{dir}/buildstamp'");
                        return self.thrown(&text, phase);
                    }
                    return Err(RunError::io("write", path)(error));
                }
            }
            DanceStep::Dancefile { text, .. } => self.print_dancefile(entry, phase, &text)?,
            DanceStep::CopyIn { source, mount, chown, .. } => {
                self.copy_in(namespace, &source, entry, &mount, chown).await?;
            }
            DanceStep::RemoveSource { source, how } => {
                let began = self.clock.now();
                let removed = self.remove_source(&source, how);
                self.copied_since(began);
                return removed;
            }
            DanceStep::CopyOut { mount, into, source, .. } => {
                self.copy_out(namespace, &source, entry, &mount, into, scratch.to_owned()).await?;
            }
            DanceStep::ClearSource { source, sudo } => {
                let began = self.clock.now();
                let removed = self.remove(&source, sudo)?;
                self.copied_since(began);
                if let Err(refusal) = removed {
                    let thrown = format!("Error: {refusal}");
                    return self.thrown(&thrown, phase);
                }
            }
            DanceStep::MoveIntoPlace { source, .. } => {
                let from = self.real(scratch).join("dance-cache");
                let into = self.layout.place(source.as_ref());
                let moved = match on_second_disk(scratch) == on_second_disk(&source) {
                    true => fs::rename(&from, &into),
                    false => Err(std::io::ErrorKind::CrossesDevices.into()),
                };
                if let Err(error) = moved {
                    let text = match error.kind() {
                        std::io::ErrorKind::NotFound => "ENOENT: no such file or directory",
                        std::io::ErrorKind::CrossesDevices => "EXDEV: cross-device link not permitted",
                        _ => return Err(RunError::io("rename", from)(error)),
                    };
                    let thrown = format!("Error: {text}, rename '{scratch}/dance-cache' -> '{source}'");
                    return self.thrown(&thrown, phase);
                }
            }
            DanceStep::Refused { command, why } => {
                for line in dance::command_failed(&command, &why) {
                    self.recorder.line(&line)?;
                }
                self.recorder.fact(Fact::DanceFailed { phase, reason: why });
                return Ok(StepOutcome::Failure);
            }
            DanceStep::Fail(thrown) => return self.thrown(&thrown, phase),
        }
        Ok(StepOutcome::Success)
    }

    fn print_dancefile(&mut self, entry: &DanceEntry, phase: DancePhase, text: &str) -> Result<(), RunError> {
        let mut quote = None;
        for line in dancefile_lines(text) {
            let written = self.recorder.line(&line)?;
            if line.contains("--mount=type=cache") {
                quote = Some(written);
            }
        }
        if let (Some(quote), Ok(mount)) = (quote, entry.mount()) {
            let mount = MountSpec::from(&mount);
            self.recorder.fact_at(quote, Fact::DanceEntry { phase, source: Some(entry.source.clone()), mount });
        }
        Ok(())
    }

    async fn copy_in(
        &mut self,
        namespace: &Namespace,
        source: &str,
        entry: &DanceEntry,
        mount: &MountOptions,
        chown: Option<String>,
    ) -> Result<(), RunError> {
        let began = self.clock.now();
        let dir = self.real(source);
        let (links, options) =
            (dir.clone(), PackOptions { owner: Owner::Zero, times: Times::default(), trailing_dirs: true });
        let (first, packed) = stream::produce(move |out| archive::pack_dir(&dir, out, &options));
        let (second, touched) = stream::produce(move |out| archive::pack_dirs(&links, out, &options));
        let copy = self.copy(namespace, entry, mount, chown, began);
        self.name_mounts(namespace, std::iter::once(mount));
        let copied = self.engine.inject(&copy, vec![first, second]).await?;
        let (packed, touched) = (stream::join(packed).await?, stream::join(touched).await?);
        self.copied_since(began);
        let phase = DancePhase::Inject;
        if let Some(reason) = copied.failed {
            // Whoever packs for a copy that fails finds nobody who listens, and that is no failure of its own.
            self.recorder.fact_at(Quote::measured("engine", reason.clone()), Fact::DanceFailed { phase, reason });
        } else {
            touched?;
            self.moved(phase, source, mount, &packed?);
        }
        Ok(())
    }

    async fn copy_out(
        &mut self,
        namespace: &Namespace,
        source: &str,
        entry: &DanceEntry,
        mount: &MountOptions,
        into: ExtractMove,
        scratch: String,
    ) -> Result<(), RunError> {
        let began = self.clock.now();
        let dir = match into {
            ExtractMove::Scratch => self.real(&scratch).join("dance-cache"),
            ExtractMove::Local | ExtractMove::Rsync { .. } => self.real(source),
        };
        archive::remove_tree(&self.real(&scratch).join("dance-cache"))?;
        let modes = match into {
            // `docker cp … | tar -x` of the runner's user; the others carry modes by themselves.
            ExtractMove::Scratch => self.setting.user.modes(),
            ExtractMove::Local | ExtractMove::Rsync { .. } => archive::UnpackedModes::Kept,
        };
        let (sender, unpacked) = stream::consume(move |input| archive::unpack_dir_as(input, &dir, modes));
        let copy = self.copy(namespace, entry, mount, None, began);
        self.name_mounts(namespace, std::iter::once(mount));
        let copied = self.engine.extract(&copy, sender).await?;
        let tally = stream::join(unpacked).await?;
        self.copied_since(began);
        let phase = DancePhase::Extract;
        match (copied.failed, tally) {
            (Some(reason), _) => {
                self.recorder.fact_at(Quote::measured("engine", reason.clone()), Fact::DanceFailed { phase, reason });
                let empty = self.real(&scratch).join("dance-cache");
                fs::create_dir_all(&empty).map_err(RunError::io("make", empty))?;
            }
            (None, tally) => {
                let tally = tally?;
                self.moved(phase, source, mount, &tally);
            }
        }
        Ok(())
    }

    fn copy(
        &self,
        namespace: &Namespace,
        entry: &DanceEntry,
        mount: &MountOptions,
        owner: Option<String>,
        began: SystemTime,
    ) -> MountCopy {
        let since = began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        MountCopy {
            namespace: namespace.clone(),
            image: self.setting.copy_image.clone(),
            mount: CopyMount { target: mount.target.clone(), flag: entry.expanded_args(mount) },
            owner,
            stamp: format!("{}-{}", self.number, since.as_nanos()),
        }
    }

    /// Emits what was moved, without the buildstamp, which every inject adds.
    fn moved(&mut self, phase: DancePhase, source: &str, mount: &MountOptions, tally: &archive::ArchiveTally) {
        const STAMP: u64 = 24;
        let tally = match tally.files {
            0 => CopyTally::default(),
            files => CopyTally { files: files - 1, bytes: tally.bytes.saturating_sub(STAMP) },
        };
        let word = if phase == DancePhase::Inject { "injected" } else { "extracted" };
        let words = format!("{word} {} files, {} bytes ({source}, mount {})", tally.files, tally.bytes, mount.target);
        let fact = Fact::DanceMoved { phase, source: source.to_owned(), mount: mount.into(), tally };
        self.recorder.fact_at(Quote::measured("engine", words), fact);
    }

    /// Removes a directory, as root or as the runner's user, who may be refused.
    fn remove(&self, dir: &str, sudo: bool) -> Result<Result<(), FirstRefusal>, RunError> {
        let path = self.layout.place(dir.as_ref());
        if sudo {
            archive::remove_tree(&path)?;
            return Ok(Ok(()));
        }
        Ok(archive::remove_tree_unprivileged(&path, Path::new(dir)))
    }

    fn remove_source(&mut self, source: &str, how: RemoveSource) -> StepResult {
        let Err(refusal) = self.remove(source, how == RemoveSource::Sudo)? else { return Ok(StepOutcome::Success) };
        if how == RemoveSource::Fatal {
            return self.thrown(&format!("Error: {refusal}"), DancePhase::Inject);
        }
        let notice = dance::cleaning_notice(&format!("Error: {refusal}"));
        self.recorder.line(&notice.replacen("::notice::", "##[notice]", 1))?;
        Ok(StepOutcome::Success)
    }

    /// An exception is printed and the step fails; its first line shows what it ended.
    fn thrown(&mut self, thrown: &str, phase: DancePhase) -> StepResult {
        let reason = thrown.lines().next().unwrap_or_default().to_owned();
        let fact = match dance::ends_a_copy(&reason, phase == DancePhase::Extract) {
            true => Fact::DanceFailed { phase, reason },
            false => Fact::DanceCrashed { reason },
        };
        let mut first = None;
        for line in dance::fatal(thrown) {
            first.get_or_insert(self.recorder.line(&line)?);
        }
        match first {
            Some(quote) => self.recorder.fact_at(quote, fact),
            None => self.recorder.fact(fact),
        }
        self.recorder.error("Process completed with exit code 1.")?;
        Ok(StepOutcome::Failure)
    }

    /// Returns the error of a directory that the runner's user may not make.
    fn not_allowed(&self, dir: &str) -> Option<String> {
        let ran = self.ids.keys().filter_map(|index| self.plan.steps.get(*index)).filter(|step| step.uses.is_none());
        let scripts: Vec<&str> =
            ran.filter_map(|step| self.plan.source().text.get(step.span.start..step.span.end)).collect();
        self.setting.user.refuses(&self.layout, dir, &scripts)
    }

    fn make_dir(&self, dir: &str) -> Result<(), RunError> {
        let path = self.real(dir);
        fs::create_dir_all(&path).map_err(RunError::io("make", path))
    }
}

/// Tells whether a path lies on the second disk of GitHub's Linux runners, which is mounted at `/mnt`.
fn on_second_disk(path: &str) -> bool {
    Path::new(path).starts_with("/mnt")
}
