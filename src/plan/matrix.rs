//! The combination of a matrix that is run. [`MatrixChoice`] is principal.
//!
//! Source: GitHub's documentation, "Running variations of jobs in a workflow": `exclude` takes combinations away, then each
//! entry of `include` goes to every combination whose own values it does not change, and else is one of its own.

use super::given::find;
use crate::source::Source;
use crate::workflow::DataNode;
use crate::workflow::expr::{Contexts, ExprError, Unresolved, Value};

/// One combination of a matrix, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixChoice {
    /// Its values, by name.
    pub values: Vec<(String, Value)>,
    /// The names whose values nothing here knows, and why.
    pub unknown: Vec<(String, String)>,
    /// Its place among all, from 0.
    pub index: usize,
    /// How many there are, as far as known.
    pub total: usize,
}

/// Why none could be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoCombination {
    /// What was asked for.
    pub(super) wanted: String,
    /// What there is.
    pub(super) known: Vec<String>,
}

impl MatrixChoice {
    /// Returns a value of the combination.
    ///
    /// # Errors
    /// A value that nothing here knows.
    pub(super) fn resolve(&self, path: &[String]) -> Result<Value, Unresolved> {
        let [name, rest @ ..] = path else {
            return match self.unknown.first() {
                Some((name, why)) => Err(self.unresolved(name, why)),
                None => Ok(Value::Object(self.values.clone())),
            };
        };
        if let Some((name, why)) =
            self.unknown.iter().find(|(known, _)| known.eq_ignore_ascii_case(name) || known == "*")
        {
            let known = self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(&path[0]));
            return known.map_or_else(
                || Err(self.unresolved(if name == "*" { &path[0] } else { name }, why)),
                |(_, value)| Ok(value.at(rest)),
            );
        }
        Ok(Value::Object(self.values.clone()).at(path))
    }

    fn unresolved(&self, name: &str, why: &str) -> Unresolved {
        Unresolved::new(format!("matrix.{name}"), format!("is not known: {why}"))
            .supplied_by(format!("give it with `--matrix {name}=VALUE`"))
    }

    /// Says the combination in words: `go: 1.25, os: linux`.
    pub fn words(&self) -> String {
        words(&self.values)
    }
}

fn words(values: &[(String, Value)]) -> String {
    let word = |(name, value): &(String, Value)| match value {
        Value::Object(_) | Value::Array(_) => format!("{name}: …"),
        value => format!("{name}: {}", value.render()),
    };
    values.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Chooses the first combination that has all the values that were asked for.
///
/// # Errors
/// When no combination has them.
pub(super) fn choose(
    matrix: &DataNode,
    contexts: &dyn Contexts,
    source: &Source,
    wanted: &[(String, String)],
) -> Result<MatrixChoice, NoCombination> {
    let mut unknown: Vec<(String, String)> = Vec::new();
    let mut axes: Vec<(String, Value)> = Vec::new();
    let mut take = |name: &str, value: Result<Value, ExprError>| match (value, find(wanted, name)) {
        (Ok(value), _) => axes.push((name.to_owned(), value)),
        (Err(_), Some(text)) => axes.push((name.to_owned(), Value::Array(vec![Value::from(text)]))),
        (Err(error), None) => unknown.push((name.to_owned(), error.to_string())),
    };
    match matrix {
        DataNode::Map(entries) => entries.iter().for_each(|(name, node)| take(name, node.evaluate(contexts, source))),
        node => match node.evaluate(contexts, source) {
            Ok(Value::Object(entries)) => entries.into_iter().for_each(|(name, value)| take(&name, Ok(value))),
            Ok(_) => unknown.push(("*".to_owned(), "the matrix is no mapping".to_owned())),
            Err(error) => {
                for (name, text) in wanted {
                    axes.push((name.clone(), Value::Array(vec![Value::from(text.as_str())])));
                }
                unknown.push(("*".to_owned(), error.to_string()));
            }
        },
    }
    let all = combinations(axes);
    let has = |combination: &Combination| {
        wanted.iter().all(|(name, text)| {
            combination.iter().any(|(known, value)| known.eq_ignore_ascii_case(name) && value.render() == text.as_str())
        })
    };
    let total = all.len();
    match all.iter().position(has) {
        Some(index) => Ok(MatrixChoice { values: all[index].clone(), unknown, index, total }),
        None if wanted.is_empty() => Ok(MatrixChoice { values: Vec::new(), unknown, index: 0, total: 0 }),
        None => Err(NoCombination {
            wanted: wanted.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", "),
            known: all.iter().map(|one| words(one)).collect(),
        }),
    }
}

/// Names with their values.
type Combination = Vec<(String, Value)>;

/// GitHub allows no more either (`strategy.matrix`, 256 jobs).
const MOST: usize = 256;

fn combinations(axes: Vec<(String, Value)>) -> Vec<Combination> {
    let special = |name: &str| name.eq_ignore_ascii_case("include") || name.eq_ignore_ascii_case("exclude");
    let objects = |wanted: &str| -> Vec<Combination> {
        let found = axes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let Some((_, Value::Array(items))) = found else { return Vec::new() };
        items
            .iter()
            .filter_map(|item| if let Value::Object(entries) = item { Some(entries.clone()) } else { None })
            .collect()
    };
    let own: Vec<&(String, Value)> = axes.iter().filter(|(name, _)| !special(name)).collect();
    let mut all: Vec<Combination> = if own.is_empty() { Vec::new() } else { vec![Vec::new()] };
    for (name, values) in &own {
        let Value::Array(values) = values else { continue };
        let with = |one: &Combination| -> Vec<Combination> {
            values.iter().map(|value| [one.clone(), vec![(name.clone(), value.clone())]].concat()).collect()
        };
        all = all.iter().flat_map(with).take(MOST).collect();
    }
    let agrees = |one: &Combination, other: &[(String, Value)]| {
        other.iter().all(|(name, value)| {
            one.iter()
                .any(|(known, own)| known.eq_ignore_ascii_case(name) && (own.loosely_equals(value) || own == value))
        })
    };
    let excluded = objects("exclude");
    all.retain(|one| !excluded.iter().any(|other| agrees(one, other)));
    let original = all.clone();
    for extra in objects("include") {
        let changes = |one: &Combination| {
            extra.iter().any(|(name, value)| {
                one.iter().any(|(known, own)| {
                    known.eq_ignore_ascii_case(name) && !(own.loosely_equals(value) || own == value)
                })
            })
        };
        let mut joined = false;
        for (at, one) in original.iter().enumerate() {
            if !changes(one) {
                joined = true;
                for (name, value) in &extra {
                    all[at].retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                    all[at].push((name.clone(), value.clone()));
                }
            }
        }
        if !joined {
            all.push(extra);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::scope::Nothing;
    use crate::workflow::Workflow;

    fn chosen(matrix: &str, wanted: &[(&str, &str)]) -> Result<MatrixChoice, NoCombination> {
        let text = format!("jobs:\n  a:\n    strategy:\n      matrix:\n{matrix}    steps:\n      - run: x\n");
        let workflow = Workflow::parse(&Source::new("ci.yml", text)).unwrap();
        let wanted: Vec<_> = wanted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let job = workflow.job(None).unwrap();
        choose(job.matrix.as_ref().unwrap(), &Nothing, workflow.source(), &wanted)
    }

    const TWO: &str = "        go: ['1.24', '1.25']\n        os: [linux, windows]\n        exclude:\n          - go: '1.24'\n            os: linux\n        include:\n          - os: windows\n            slow: true\n          - go: tip\n            os: linux\n";

    #[test]
    fn the_first_combination_is_chosen_unless_another_is_asked_for() {
        let first = chosen(TWO, &[]).unwrap();
        assert_eq!((first.words().as_str(), first.total), ("go: 1.24, os: windows, slow: true", 4));
        assert_eq!(chosen(TWO, &[("os", "linux")]).unwrap().words(), "go: 1.25, os: linux");
        assert_eq!(chosen(TWO, &[("go", "tip")]).unwrap().words(), "go: tip, os: linux");
        assert_eq!(chosen(TWO, &[("go", "9")]).unwrap_err().known.len(), 4);
    }

    #[test]
    fn a_name_whose_values_another_job_computes_is_unknown_until_it_is_given() {
        let matrix = "        go: ${{ fromJSON(needs.a.outputs.go) }}\n        os: [linux]\n";
        let choice = chosen(matrix, &[]).unwrap();
        assert_eq!(choice.resolve(&["os".into()]), Ok(Value::from("linux")));
        let unknown = choice.resolve(&["go".into()]).unwrap_err();
        assert_eq!(unknown.supply.as_deref(), Some("give it with `--matrix go=VALUE`"));
        assert_eq!(chosen(matrix, &[("go", "1.25")]).unwrap().words(), "go: 1.25, os: linux");
    }
}
