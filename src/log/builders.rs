//! Which builder commands without `--builder` work on. [`by_step`] and [`by_command`] are principal.
//!
//! docker/setup-buildx-action makes a builder and chooses it, and so do scripts; what was chosen last counts from there on.

use super::header::Header;
use crate::evidence::Fact;

/// What the block of a step says: setup-buildx chooses its builder unless `use` is false; of a script each command counts.
pub(super) fn by_step(header: &Header) -> Option<Fact> {
    let Some(uses) = header.uses() else {
        let script = if header.script.is_empty() { &header.title } else { &header.script };
        let joined = script.replace("\\\n", " ");
        return joined.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(by_command).next_back();
    };
    let name = uses.split_once('@').map_or(uses, |(name, _)| name);
    let chooses = name.ends_with("/setup-buildx-action") && header.input("use").is_none_or(|used| used != "false");
    chooses.then(|| Fact::BuilderChosen {
        builder: match (header.input("name"), header.input("driver")) {
            (Some(name), _) if !name.is_empty() => Some(name.to_owned()),
            (_, Some("docker")) => Some("default".to_owned()),
            _ => None,
        },
    })
}

/// What one command says: `docker buildx create --name X --use`, or `docker buildx use X`.
pub(super) fn by_command(command: &str) -> Option<Fact> {
    let (_, rest) = command.split_once("buildx ")?;
    let words: Vec<&str> = rest.split_whitespace().take_while(|word| !["&&", "||", ";", "|"].contains(word)).collect();
    let (verb, flags) = words.split_first()?;
    let builder = match *verb {
        "use" => flags.iter().find(|word| !word.starts_with('-')).map(|word| (*word).to_owned()),
        "create" if flags.contains(&"--use") => {
            let joined = flags.iter().find_map(|word| word.strip_prefix("--name="));
            let apart = flags.iter().position(|word| *word == "--name").and_then(|at| flags.get(at + 1)).copied();
            joined.or(apart).map(str::to_owned)
        }
        _ => return None,
    };
    // What the shell puts into a variable was not seen.
    let known = builder.map(|name| name.trim_matches(['"', '\'']).to_owned()).filter(|name| !name.contains('$'));
    Some(Fact::BuilderChosen { builder: known })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_chooses_a_builder_only_where_it_says_so() {
        let chosen = |command: &str| match by_command(command) {
            Some(Fact::BuilderChosen { builder }) => Some(builder),
            _ => None,
        };
        let named = |name: &str| Some(Some(name.to_owned()));
        assert_eq!(chosen("/usr/bin/docker buildx create --name b-7 --driver docker-container --use"), named("b-7"));
        assert_eq!(chosen("docker buildx create --use --name=\"b\" && docker buildx ls"), named("b"));
        assert_eq!(chosen("docker buildx use other"), named("other"));
        assert_eq!(chosen("docker buildx create --use"), Some(None));
        assert_eq!(chosen("docker buildx create --use --name $NAME"), Some(None));
        assert_eq!(chosen("docker buildx create --name b"), None);
        assert_eq!(chosen("docker buildx build --builder b ."), None);
    }
}
