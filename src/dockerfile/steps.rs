//! The instructions of a stage in order, each with the variables that are in effect for it. [`StageStep`] is principal.
//!
//! It is for whoever carries a Dockerfile out. What a base image sets is not among the variables, apart from what
//! [`super::scope`] knows.

use std::collections::BTreeMap;

use super::error::DockerfileError;
use super::parse::Dockerfile;
use super::scope::{BuildVariables, image_variables};
use super::words;

/// One instruction of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageStep {
    /// The instruction, in capitals.
    pub keyword: String,
    /// Its arguments as words, variables replaced. Those of a `RUN` are left to its shell.
    pub words: Vec<String>,
    /// For a `RUN`, its place among those of its stage, from 0.
    pub run: Option<usize>,
    /// Every `ARG` and `ENV` in effect, by name.
    pub variables: BTreeMap<String, String>,
}

/// The steps of one stage, and what it starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageSteps {
    /// The image, variables replaced; the earlier stage's name where it starts from one.
    pub image: String,
    /// The earlier stage it starts from, if it does.
    pub base: Option<usize>,
    /// What follows its `FROM`.
    pub steps: Vec<StageStep>,
}

impl Dockerfile {
    /// Returns the steps of every stage, in file order.
    ///
    /// # Errors
    /// A variable that cannot be expanded.
    pub fn steps(&self, build_args: &BTreeMap<String, String>) -> Result<Vec<StageSteps>, DockerfileError> {
        let global = self.global_arguments(build_args)?;
        let bases = self.base_stages(build_args)?;
        let mut left: Vec<BuildVariables> = Vec::with_capacity(self.stages.len());
        let mut stages = Vec::with_capacity(self.stages.len());
        for (stage, base) in self.stages.iter().zip(bases) {
            let image = self.expand(&stage.image, stage.span, &global)?.text;
            let mut variables = base.map_or_else(|| image_variables(&image), |base| left[base].clone());
            let (mut runs, mut steps) = (0, Vec::new());
            for instruction in self.body(stage) {
                let (span, args) = (instruction.span, instruction.args.text.as_str());
                let keyword = instruction.keyword.as_str();
                let mut step =
                    StageStep { keyword: keyword.to_owned(), words: Vec::new(), run: None, variables: BTreeMap::new() };
                match keyword {
                    "ARG" => self.argument(args, span, build_args, Some(&global), &mut variables)?,
                    "ENV" => self.environment(args, span, &mut variables)?,
                    "RUN" => {
                        step.run = Some(runs);
                        runs += 1;
                    }
                    _ => {
                        for word in words::split(args, self.escape) {
                            step.words.push(self.expand(&word, span, &variables)?.text);
                        }
                    }
                }
                step.variables.clone_from(&variables);
                steps.push(step);
            }
            left.push(variables);
            stages.push(StageSteps { image, base, steps });
        }
        Ok(stages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn each_step_has_the_variables_of_its_place() {
        let text = "ARG I=go\nFROM ${I}:1 AS build\nARG FLAGS\nENV HOME=/home/app\nUSER app\nRUN go build\nENV HOME=/root\n\
                    FROM build\nCOPY --from=build a $HOME/\nRUN true\n";
        let file = Dockerfile::parse(&Source::new("Dockerfile", text)).unwrap();
        let stages = file.steps(&BTreeMap::from([("FLAGS".to_owned(), "-trimpath".to_owned())])).unwrap();
        assert_eq!((stages[0].image.as_str(), stages[0].base, stages[1].base), ("go:1", None, Some(0)));
        let run = &stages[0].steps[3];
        assert_eq!((run.keyword.as_str(), run.run), ("RUN", Some(0)));
        assert_eq!((run.variables["HOME"].as_str(), run.variables["FLAGS"].as_str()), ("/home/app", "-trimpath"));
        assert_eq!(stages[1].steps[0].words, ["--from=build", "a", "/root/"]);
    }
}
