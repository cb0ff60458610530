//! Lines that belong to a cache, a dance or a build and stand in a form that nobody could place. [`Unplaced`] is principal.
//!
//! A log that was wrapped at eighty columns, put into JSON or prefixed line by line still holds what was asked for. To say
//! "was not seen" of it would be wrong; so such lines are counted, and the first of each sort is kept as an example.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::cache_lines::third_party;
use super::inputs::StepKind;
use super::sink::{EventLog, LineContext};
use crate::evidence::{Fact, LineSort, Quote, UnplacedLines};

/// What every line of a cache or a dance has in it; its search is prepared once.
static ACHE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("ache"));

/// Words that only actions/cache prints.
const CACHE: [&str; 7] = [
    "Cache restored from key: ",
    "Cache not found for input keys: ",
    "Cache saved with key: ",
    "Cache hit for: ",
    "Cache hit for restore-key: ",
    "Cache hit occurred on the primary key ",
    "Cache Size: ~",
];

/// The lines of one job that could not be placed.
#[derive(Debug, Default)]
pub(super) struct Unplaced {
    sorts: [Option<(usize, Quote)>; 3],
}

impl Unplaced {
    /// Takes a line of which no reader of its step knew anything.
    pub(super) fn line(&mut self, text: &str, kind: StepKind, spot: &LineContext<'_>) {
        let Some(sort) = sort(text, kind) else { return };
        match &mut self.sorts[sort as usize] {
            Some((count, _)) => *count += 1,
            first => *first = Some((1, spot.quote())),
        }
    }

    /// Tells what has been counted.
    pub(super) fn tell(self, sink: &mut EventLog) {
        for (sort, counted) in [LineSort::Cache, LineSort::Dance, LineSort::Build].into_iter().zip(self.sorts) {
            let Some((count, quote)) = counted else { continue };
            let fact = Fact::LinesUnplaced(UnplacedLines { sort, count });
            sink.push(crate::evidence::Event { step: None, at: None, quote, fact });
        }
    }
}

/// Says what a line that nobody read looks like.
fn sort(text: &str, kind: StepKind) -> Option<LineSort> {
    // What a script prints of other files is a quotation, wherever it comes from.
    if kind == StepKind::Printing {
        return None;
    }
    let caches = matches!(kind, StepKind::Cache(_) | StepKind::Post | StepKind::Unknown);
    let dances = matches!(kind, StepKind::Dance(_) | StepKind::Post);
    if ACHE.find(text.as_bytes()).is_some() {
        let words = CACHE.iter().find_map(|words| text.find(words).map(|at| (at, &text[at + words.len()..])));
        if let Some((at, rest)) = words {
            // At its front the step's own reader has weighed it, and let it go as another action's.
            let others = kind == StepKind::OtherCache && text.starts_with("Cache Size: ~") || third_party(rest);
            return (!(others || caches && at == 0)).then_some(LineSort::Cache);
        }
        let dancefile = text.contains("/var/dance-cache") || text.contains("Dancefile.");
        if dancefile {
            let own = dances || text.starts_with('#') || (kind == StepKind::Unknown && text.starts_with("RUN "));
            return (!own).then_some(LineSort::Dance);
        }
        if dances && text.starts_with("RUN --mount=type=cache") {
            return Some(LineSort::Dance);
        }
        // `=> [build 4/4] RUN` is drawn for a terminal, and `> [build 4/4] RUN` repeats what failed; both are known.
        let repeats = text.trim_start().starts_with(['>', '=']);
        if text.contains("] RUN --mount=type=cache") && !repeats {
            return Some(LineSort::Build);
        }
    }
    let builds = memchr::memchr_iter(b'#', text.as_bytes()).any(|at| of_a_vertex(&text[at + 1..]));
    (builds && !dances).then_some(LineSort::Build)
}

/// Tells whether a text after `#` is that of a vertex: `5 [build 2/3] RUN …`, `5 0.123 …`, `5 DONE 1.0s`.
fn of_a_vertex(text: &str) -> bool {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let Some(said) = text[end..].strip_prefix(' ').filter(|_| (1..=6).contains(&end)) else { return false };
    let number = said.split(' ').next().unwrap_or_default();
    let seconds = number.contains('.') && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    seconds || said.starts_with("DONE ") || said.starts_with("CACHED") || (said.starts_with('[') && said.contains(']'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{CacheMode, DancePhase};

    #[test]
    fn a_line_in_a_form_of_its_own_is_known_by_its_words() {
        let cache = StepKind::Cache(CacheMode::RestoreAndSave);
        let dance = StepKind::Dance(DancePhase::Inject);
        for (text, kind, found) in [
            (r#"{"line":"Cache restored from key: go-1\n"}"#, StepKind::Build, Some(LineSort::Cache)),
            ("12:20 INFO Cache not found for input keys: go-1", cache, Some(LineSort::Cache)),
            ("Cache saved with key: go-1", StepKind::Other, Some(LineSort::Cache)),
            ("Cache saved with key: setup-go-Linux", StepKind::OtherCache, None),
            ("Cache hit for: another", cache, None),
            ("web> #12 1.41 real\t0m 1.21s", StepKind::Build, Some(LineSort::Build)),
            ("#12 0.111 84.3M\t/go/pkg/mod", StepKind::Other, Some(LineSort::Build)),
            ("<li>#12 [b 5/5] RUN go build .</li>", StepKind::Unknown, Some(LineSort::Build)),
            (
                "<li>#12 [b 5/5] RUN --mount=type=cache,target=/x go build .</li>",
                StepKind::Unknown,
                Some(LineSort::Build),
            ),
            ("cp -p -R /var/dance-cache/. /go/pkg/mod", StepKind::Build, Some(LineSort::Dance)),
            (
                "RUN --mount=type=cache,target=/go/pkg/mod     --mount=type=bind,source=.,targ",
                dance,
                Some(LineSort::Dance),
            ),
            (" => [b 5/5] RUN --mount=type=cache,target=/x go build .", StepKind::Build, None),
            (" > [b 5/5] RUN --mount=type=cache,target=/x go build .:", StepKind::Build, None),
            ("  12 | >>> RUN --mount=type=cache,target=/x go build .", StepKind::Build, None),
            ("Cache Size: ~150 MB (157286400 B)", StepKind::OtherCache, None),
            ("fixes #12 and #14.", StepKind::Build, None),
            ("the cache is warm", StepKind::Build, None),
            ("#12 1.0 x", StepKind::Printing, None),
        ] {
            assert_eq!(sort(text, kind), found, "{text}");
        }
    }
}
