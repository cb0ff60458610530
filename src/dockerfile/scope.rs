//! The cache mounts of a Dockerfile with their variables replaced. [`CacheMount`] is principal.
//!
//! `ARG` and `ENV` count in the order they stand, a stage inherits from the stage it starts from, and a given build
//! argument beats a default. What a base image sets is not known here, apart from the `GOPATH` of the official `golang`
//! images; a variable that nothing sets is reported, because the engine may know better.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{DockerfileError, DockerfileProblem};
use super::identity::MountIdentity;
use super::mount::MountOptions;
use super::parse::{Dockerfile, pairs};
use super::words::{self, WordError};
use crate::source::Span;

pub(super) type BuildVariables = BTreeMap<String, String>;

/// One `RUN --mount=type=cache,…` of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMount {
    /// Its options, variables replaced.
    pub options: MountOptions,
    /// The value of the flag as written, variables and quotes and all.
    pub written: String,
    /// The stage, from 0.
    pub stage: usize,
    /// The name of the stage.
    pub stage_name: Option<String>,
    /// The place of the `RUN` among those of its stage, from 0.
    pub run: usize,
    /// Where the flag stands.
    pub span: Span,
    /// Variables it uses that nothing in the file or the build arguments sets.
    pub unresolved: BTreeSet<String>,
}

impl CacheMount {
    /// Returns the identity this mount has on a builder.
    pub fn identity(&self) -> MountIdentity {
        self.options.identity()
    }
}

impl Dockerfile {
    /// Returns every cache mount of every stage, in file order.
    ///
    /// # Errors
    /// A mount that `BuildKit` refuses, or a variable that cannot be expanded.
    pub fn cache_mounts(&self, build_args: &BTreeMap<String, String>) -> Result<Vec<CacheMount>, DockerfileError> {
        let global = self.global_arguments(build_args)?;
        let bases = self.base_stages(build_args)?;
        let mut found = Vec::new();
        let mut left: Vec<BuildVariables> = Vec::with_capacity(self.stages.len());
        for (stage, base) in self.stages.iter().zip(bases) {
            let image = self.expand(&stage.image, stage.span, &global)?.text;
            let mut variables = base.map_or_else(|| image_variables(&image), |base| left[base].clone());
            let mut runs = stage.runs.iter();
            for instruction in self.body(stage) {
                let (span, args) = (instruction.span, instruction.args.text.as_str());
                match instruction.keyword.as_str() {
                    "ARG" => self.argument(args, span, build_args, Some(&global), &mut variables)?,
                    "ENV" => self.environment(args, span, &mut variables)?,
                    "RUN" => {
                        let Some(run) = runs.next() else { continue };
                        for flag in run.flags.iter().filter(|flag| flag.name == "mount") {
                            let mut unresolved = BTreeSet::new();
                            let options = MountOptions::parse(&flag.value, &mut |value| {
                                let expanded = expand(value, self.escape, &variables)?;
                                unresolved.extend(expanded.unset);
                                Ok(expanded.text)
                            });
                            let options = options
                                .map_err(|error| DockerfileError::in_span(&self.source, flag.span, error.into()))?;
                            let Some(options) = options else { continue };
                            found.push(CacheMount {
                                options,
                                written: flag.written.clone(),
                                stage: stage.index,
                                stage_name: stage.name.clone(),
                                run: run.index,
                                span: flag.span,
                                unresolved,
                            });
                        }
                    }
                    _ => {}
                }
            }
            left.push(variables);
        }
        Ok(found)
    }

    /// Returns the error of whoever has to know a variable of a cache mount that nothing sets.
    pub fn unknown_variable(&self, mount: &CacheMount, name: &str) -> DockerfileError {
        DockerfileError::in_span(&self.source, mount.span, DockerfileProblem::UnknownVariable(name.to_owned()))
    }

    /// Returns, for every stage, the earlier stage it starts from, if it does.
    pub(super) fn base_stages(&self, build_args: &BuildVariables) -> Result<Vec<Option<usize>>, DockerfileError> {
        let global = self.global_arguments(build_args)?;
        let mut bases = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let image = self.expand(&stage.image, stage.span, &global)?.text.to_ascii_lowercase();
            let earlier = &self.stages[..stage.index];
            bases.push(earlier.iter().rposition(|other| other.name.as_deref() == Some(&image)));
        }
        Ok(bases)
    }

    /// Returns the image that a stage starts from, variables replaced.
    pub(super) fn base_image(&self, stage: usize, build_args: &BuildVariables) -> Result<String, DockerfileError> {
        let stage = &self.stages[stage];
        Ok(self.expand(&stage.image, stage.span, &self.global_arguments(build_args)?)?.text)
    }

    pub(super) fn global_arguments(&self, build_args: &BuildVariables) -> Result<BuildVariables, DockerfileError> {
        let mut global = BuildVariables::new();
        let before = self.instructions.iter().take_while(|instruction| instruction.keyword != "FROM");
        for instruction in before.filter(|instruction| instruction.keyword == "ARG") {
            self.argument(&instruction.args.text, instruction.span, build_args, None, &mut global)?;
        }
        // The platform arguments exist in the global scope without being declared.
        for (name, value) in build_args {
            if PLATFORM_ARGS.contains(&name.as_str()) {
                global.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(global)
    }

    /// Sets what an `ENV` sets. All its values see the variables as they were before it.
    pub(super) fn environment(
        &self,
        args: &str,
        span: Span,
        variables: &mut BuildVariables,
    ) -> Result<(), DockerfileError> {
        let before = variables.clone();
        for (name, value) in pairs(args, self.escape) {
            let name = self.expand(&name, span, &before)?.text;
            variables.insert(name, self.expand(&value, span, &before)?.text);
        }
        Ok(())
    }

    pub(super) fn argument(
        &self,
        args: &str,
        span: Span,
        given: &BuildVariables,
        global: Option<&BuildVariables>,
        variables: &mut BuildVariables,
    ) -> Result<(), DockerfileError> {
        for word in words::split(args, self.escape) {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, Some(default)),
                None => (word.as_str(), None),
            };
            let value = match (given.get(name), default) {
                (Some(value), _) => Some(value.clone()),
                (None, Some(default)) => Some(self.expand(default, span, variables)?.text),
                (None, None) => global.and_then(|global| global.get(name).cloned()),
            };
            if let Some(value) = value {
                variables.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    pub(super) fn expand(
        &self,
        word: &str,
        span: Span,
        variables: &BuildVariables,
    ) -> Result<words::Expanded, DockerfileError> {
        expand(word, self.escape, variables)
            .map_err(|error| DockerfileError::in_span(&self.source, span, DockerfileProblem::Word(error)))
    }
}

fn expand(word: &str, escape: char, variables: &BuildVariables) -> Result<words::Expanded, WordError> {
    words::expand(word, escape, &|name| variables.get(name).cloned())
}

/// What the official `golang` images set; see their Dockerfile template (docker-library/golang).
pub(super) fn image_variables(image: &str) -> BuildVariables {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split([':', '@']).next().unwrap_or(name);
    if name == "golang" {
        BuildVariables::from([("GOPATH".to_owned(), "/go".to_owned())])
    } else {
        BuildVariables::new()
    }
}

const PLATFORM_ARGS: [&str; 8] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
];

/// Returns the build arguments `BuildKit` gives by itself for a native build on a platform such as `linux/amd64`.
pub fn platform_args(platform: &str) -> BTreeMap<String, String> {
    let mut parts = platform.splitn(3, '/');
    let (os, arch, variant) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    PLATFORM_ARGS
        .into_iter()
        .zip([platform, os, arch, variant].into_iter().cycle())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn mounts(text: &str, build_args: &[(&str, &str)]) -> Vec<CacheMount> {
        let build_args = build_args.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Dockerfile::parse(&Source::new("Dockerfile", text)).unwrap().cache_mounts(&build_args).unwrap()
    }

    fn identities(text: &str, build_args: &[(&str, &str)]) -> Vec<String> {
        mounts(text, build_args).iter().map(|mount| mount.identity().to_string()).collect()
    }

    #[test]
    fn every_cache_mount_of_every_stage_is_found_with_its_place() {
        let text = "FROM golang AS deps\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\nFROM deps\n\
                    RUN --mount=type=bind,target=. --mount=type=cache,dst=/root/.cache/go-build,id=b go build\n";
        let found = mounts(text, &[]);
        let places: Vec<_> =
            found.iter().map(|mount| (mount.stage, mount.run, mount.options.target.as_str())).collect();
        assert_eq!(places, [(0, 0, "/go/pkg/mod"), (1, 0, "/root/.cache/go-build")]);
        assert_eq!(found[0].stage_name.as_deref(), Some("deps"));
        assert_eq!(&text[found[1].span.start..found[1].span.end], "--mount=type=cache,dst=/root/.cache/go-build,id=b");
    }

    #[test]
    fn variables_count_in_the_order_they_stand() {
        let text = "ARG V=1\nFROM x\nARG V\nENV K=k-$V\nRUN --mount=type=cache,target=/a,id=$K true\nENV K=z\n\
                    RUN --mount=type=cache,target=/b,id=\"${K:-n}\",sharing=locked true\n";
        assert_eq!(identities(text, &[]), ["id=k-1", "id=z"]);
        assert_eq!(identities(text, &[("V", "9")]), ["id=k-9", "id=z"]);
    }

    #[test]
    fn a_stage_inherits_from_the_stage_it_starts_from_only() {
        let text = "ARG B=base\nFROM x AS base\nARG A=1\nFROM ${B}\nRUN --mount=type=cache,target=/$A true\nFROM x\n\
                    RUN --mount=type=cache,target=/$A true\n";
        assert_eq!(identities(text, &[]), ["target /1", "target /"]);
        assert!(mounts(text, &[])[1].unresolved.contains("A"));
    }

    #[test]
    fn gopath_of_the_golang_image_is_known_and_others_are_reported() {
        let text = "FROM docker.io/library/golang:1.25-alpine\nRUN --mount=type=cache,target=${GOPATH}/pkg/mod true\n\
                    RUN --mount=type=cache,target=$HOME/x true\n";
        let found = mounts(text, &[]);
        assert_eq!(found[0].options.target, "/go/pkg/mod");
        assert!(found[0].unresolved.is_empty());
        assert!(found[1].unresolved.contains("HOME"));
    }

    #[test]
    fn platform_arguments_need_a_declaration_in_the_stage() {
        let text = "FROM x\nARG TARGETARCH\nRUN --mount=type=cache,target=/c,id=c-$TARGETARCH true\n";
        let args = platform_args("linux/arm/v7");
        let file = Dockerfile::parse(&Source::new("Dockerfile", text)).unwrap();
        assert_eq!(file.cache_mounts(&args).unwrap()[0].identity().to_string(), "id=c-arm");
        assert_eq!(args["TARGETVARIANT"], "v7");
    }

    #[test]
    fn a_mount_that_is_refused_is_an_error_at_its_flag() {
        let text = "FROM x\nRUN --mount=type=cache,target=/a \\\n  --mount=type=cache,colour=red true\n";
        let file = Dockerfile::parse(&Source::new("D", text)).unwrap();
        let error = file.cache_mounts(&BTreeMap::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "D:3: unexpected key 'colour' in 'colour=red': --mount=type=cache,colour=red true"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("sharing")));
    }
}
