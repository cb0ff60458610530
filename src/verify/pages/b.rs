//! Pages of what goes wrong at the dance.

use crate::verify::CodePage;

pub(crate) const DANCE_MISSING: CodePage = CodePage {
    what: "The job has cache mounts and no buildkit-cache-dance step.",
    why: "Cache mounts live in the builder and vanish with the runner; only the dance carries them to where actions/cache can save them.",
    example: "RUN --mount=type=cache,target=/go/pkg/mod go build …   (and no step that uses buildkit-cache-dance)",
    fix: "Add a step after actions/cache and before the build:\n\
          \x20 - uses: reproducible-containers/buildkit-cache-dance@v3.3.2\n\
          \x20   with:\n\
          \x20     cache-map: '{\"go-mod\": \"/go/pkg/mod\", \"go-build\": \"/root/.cache/go-build\"}'",
};

pub(crate) const DANCE_SKIPPED: CodePage = CodePage {
    what: "The job has a buildkit-cache-dance step, and its `if:` skipped it.",
    why: "Every runner starts with empty cache mounts, so the inject has to run in every run, most of all after a hit.",
    example: "Download action repository 'reproducible-containers/buildkit-cache-dance@v3.3.2'   (and no step of it)",
    fix: "Remove the `if:` of the dance step. To spare the copy out after a hit, use `skip-extraction: ${{ steps.cache.outputs.cache-hit }}`.",
};

pub(crate) const DANCE_CRASHED: CodePage = CodePage {
    what: "The dance ended with an error of its own before its work was done.",
    why: "Without inject and extract nothing moves between the cache directory and the cache mounts.",
    example: "Error: Failed to parse cache map. Expected JSON, got:",
    fix: "Read the message: a cache map that is not JSON, a missing Dockerfile (check out first), a missing docker, buildx, tar or sudo.",
};

pub(crate) const DANCE_HUNG: CodePage = CodePage {
    what: "The dance was still at work when the job was stopped.",
    why: "A post step that hangs holds the runner for hours and saves nothing.",
    example: "##[error]The operation was canceled.   (in the post step of buildkit-cache-dance v3.3.1)",
    fix: "Use buildkit-cache-dance v3.3.0, or v3.3.2 and later; v3.3.1 hangs at its extract.",
};

pub(crate) const BUILDER_MISMATCH: CodePage = CodePage {
    what: "The dance works on one builder and the build on another.",
    why: "Every builder has cache mounts of its own, so inject fills mounts that the build never sees.",
    example: "#0 building with \"builder-5f3a…\" instance using docker-container driver   (while the dance used `default`)",
    fix: "Give the dance the build's builder: `builder: ${{ steps.setup-buildx.outputs.name }}`, or use v3.3.2 and later, whose default \
          is the active one.",
};

pub(crate) const CACHE_MAP_ID_MISMATCH: CodePage = CodePage {
    what: "The cache map and the Dockerfile name the same directory under different cache ids.",
    why: "BuildKit tells cache mounts apart by id, so inject fills a cache that the build never mounts and extract reads an empty one.",
    example: "RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod go build …\ncache-map: {\"go-mod\": \"/go/pkg/mod\"}",
    fix: "Give the entry the Dockerfile's id: `{\"go-mod\": {\"target\": \"/go/pkg/mod\", \"id\": \"go-mod\"}}`; then change the key, since an \
          empty entry may be frozen under it.",
};

pub(crate) const CACHE_MAP_TARGET_MISMATCH: CodePage = CodePage {
    what: "The cache map names another target than the Dockerfile's cache mount, and no id ties them together.",
    why: "Without an id the target is the cache's identity, so inject fills a cache that the build never mounts.",
    example: "RUN --mount=type=cache,target=/go/pkg/mod go build …\ncache-map: {\"go-mod\": \"/go/pkg\"}",
    fix: "Write the Dockerfile's target into the cache map: `{\"go-mod\": \"/go/pkg/mod\"}`; then change the key.",
};

pub(crate) const CACHE_MAP_OWNER_MISMATCH: CodePage = CodePage {
    what: "The Dockerfile's cache mount and the cache map's entry differ in uid, gid or mode.",
    why: "BuildKit keeps a separate cache for every uid, gid and mode, so both sides see different directories.",
    example: "RUN --mount=type=cache,target=/go/pkg/mod,uid=1000 go build …\ncache-map: {\"go-mod\": \"/go/pkg/mod\"}",
    fix: "Repeat them in the entry: `{\"go-mod\": {\"target\": \"/go/pkg/mod\", \"uid\": 1000}}`; then change the key.",
};

pub(crate) const CACHE_MAP_COLLISION: CodePage = CodePage {
    what: "Two entries of the cache map share a directory: the same one, or one inside the other.",
    why: "The dance deletes each directory after its inject and replaces it at its extract, so one entry destroys the other's data.",
    example: "cache-map: {\"go\": \"/root/.cache/go-build\", \"go/mod\": \"/go/pkg/mod\"}",
    fix: "Give every entry a directory of its own beside the others: `{\"go-mod\": …, \"go-build\": …}`.",
};

pub(crate) const CACHE_AFTER_DANCE: CodePage = CodePage {
    what: "actions/cache stands after the dance in the job.",
    why: "It restores too late to be injected, and as post steps run in reverse it saves before the extract has put anything there.",
    example: "Post job cleanup.   (actions/cache: Cache saved with key …)\nPost job cleanup.   (buildkit-cache-dance: extract)",
    fix: "Move the actions/cache step before the buildkit-cache-dance step; then change the key, since the entry saved so far is empty.",
};

pub(crate) const SAVE_BEFORE_EXTRACT: CodePage = CodePage {
    what: "A plain actions/cache/save step saves before the dance extracts, which it does in its post step.",
    why: "Every step of the job runs before every post step, so the directory is saved without what the build left.",
    example: "Run actions/cache/save@v4   (Cache saved with key …)\nPost job cleanup.   (buildkit-cache-dance: extract)",
    fix: "Replace the restore and save steps by one `actions/cache` step before the dance; then change the key.",
};

pub(crate) const CACHE_DIR_MISMATCH: CodePage = CodePage {
    what: "The dance keeps its data in a directory that actions/cache does not save, such as the repository's root.",
    why: "The data exists and is thrown away with the runner.",
    example: "cache-dir: .go-cache   (ignored when a cache-map is given: data is written to ./go-mod)\nactions/cache path: .go-cache",
    fix: "Let both name the same place. Without a cache map: absolute `cache-dir: ${{ github.workspace }}/${{ env.CACHE_DIR }}`. With one, \
          which makes the dance ignore `cache-dir`: the directory spelt out in it, `{\".go-cache/go-mod\": \"/go/pkg/mod\"}`.",
};

pub(crate) const INJECT_FAILED: CodePage = CodePage {
    what: "A copy into a cache mount failed; the action ends its copy with `|| true`, so its step is green.",
    why: "The dance deletes the directory after inject, so what was not copied is lost.",
    example: "RUN --mount=type=cache,target=/go/pkg/mod,ro=true \\\n    cp -p -R /var/dance-cache/. /go/pkg/mod || true   (v3 shows no message of a copy that failed)",
    fix: "Remove `ro` from the entry, free disk space, or use a utility image that has the copy program. v1 and v2 print the \
          message, v3 does not.",
};

pub(crate) const INJECT_EMPTY: CodePage = CodePage {
    what: "Data was restored, and inject found nothing to copy.",
    why: "The cache mount starts empty although the data lay on the runner.",
    example: "Cache Size: ~118 MB (…)   then   inject go-mod: 0 files",
    fix: "Compare the left side of the cache map with the directory that actions/cache restores into.",
};

pub(crate) const EXTRACT_FAILED: CodePage = CodePage {
    what: "A copy out of a cache mount failed.",
    why: "What could not be extracted cannot be saved.",
    example: "Error: EXDEV: cross-device link not permitted, rename 'scratch/dance-cache' -> 'go-mod'",
    fix: "Read the message: put `scratch-dir` on the same file system, use GNU tar, free disk space, make the directory removable.",
};

pub(crate) const EXTRACT_EMPTY: CodePage = CodePage {
    what: "The build left data in its cache mounts, and extract put none of it into the cache directory.",
    why: "actions/cache saves an empty directory, and freezes it under its key.",
    example: "AFTER 131.2M /go/pkg/mod   then   Sent 198 of 198 (100.0%)",
    fix: "Make the dance's mount the build's mount (id, target, uid, gid, mode, builder); then change the key.",
};

pub(crate) const EXTRACT_SKIPPED: CodePage = CodePage {
    what: "`skip-extraction` does not follow the cache hit: it skips where a save is due, or can never be the exact text `true`.",
    why: "Inject deletes the directory, so a skipped extract leaves nothing to save, and one that is never skipped costs its time in every run.",
    example: "skip-extraction is set. Skipping extraction step...",
    fix: "Write `skip-extraction: ${{ steps.cache.outputs.cache-hit }}`; combine conditions inside one expression: `${{ a && b }}`, not `${{ a }} && ${{ b }}`.",
};
