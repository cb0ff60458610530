//! Pages of what goes wrong at actions/cache.

use crate::verify::CodePage;

pub(crate) const CACHE_EMPTY: CodePage = CodePage {
    what: "The archive that actions/cache saved or restored holds no data: an empty directory packs into about 200 bytes.",
    why: "A hit on an empty archive looks green and restores nothing.",
    example: "Cache Size: ~0 MB (198 B)\nCache restored successfully\nCache restored from key: go-v1-…",
    fix: "Repair what left the directory empty (see the other findings), then change the key, such as `cache_version: v2` \
          in it: an entry never changes under its key.",
};

pub(crate) const CACHE_LOCKED: CodePage = CodePage {
    what: "An empty entry is frozen under its key: each run hits the primary key, so no run saves a better one.",
    why: "No later run can repair the cache, however right the workflow has become.",
    example: "Cache Size: ~0 MB (198 B)\nCache hit occurred on the primary key go-v1-…, not saving cache.",
    fix: "Change the key (bump `cache_version` in it), or delete the entry with `gh cache delete KEY`.",
};

pub(crate) const CACHE_TOO_SMALL: CodePage = CodePage {
    what: "actions/cache restored something, but far less than the Go caches hold.",
    why: "What was not restored is downloaded and compiled again.",
    example: "Cache Size: ~9 MB (9437184 B)",
    fix: "Look at which directories the `path` input covers and whether each cache mount has an entry in the cache map; \
          if the project is small, lower `--min-restore`. Then change the key, since the small entry is frozen.",
};

pub(crate) const CACHE_MISS: CodePage = CodePage {
    what: "actions/cache found nothing although an earlier run should have left an entry.",
    why: "Without a hit the run is as cold as the first one.",
    example: "Cache not found for input keys: go-v1-…",
    fix: "Compare the key and the paths of both runs, and whether the earlier one saved under a key that this one asks for.",
};

pub(crate) const CACHE_RESTORE_FAILED: CodePage = CodePage {
    what: "actions/cache found an entry, or asked for one, and could not restore it.",
    why: "actions/cache only warns and goes on, so the job is green and cold.",
    example: "##[warning]Failed to restore: \"/usr/bin/tar\" failed with error: The process '/usr/bin/tar' failed with exit code 2\n\
              Cache not found for input keys: go-v1-…",
    fix: "Read the message: for tar, make the target paths writable and free of files owned by root; for the service, run again; \
          for a damaged entry, delete it with `gh cache delete KEY`.",
};

pub(crate) const CACHE_PATH_MISSING: CodePage = CodePage {
    what: "The directory that actions/cache is told to save does not exist when it saves: the dance uses another one.",
    why: "actions/cache only warns when its path is missing, so nothing is ever saved and the job is green.",
    example: "[warning]Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved.",
    fix: "Give actions/cache the very directories that the cache map names on its left side, or their common parent.",
};

pub(crate) const CACHE_NOT_SAVED: CodePage = CodePage {
    what: "The run had something to save and actions/cache could not write the entry.",
    why: "The next run finds nothing, and a failed save never fails the job.",
    example: "Failed to save: Unable to reserve cache with key go-v1-…. More details: cache write denied: token has no writable scopes",
    fix: "Save from a trigger whose token may write (a push to the default branch), and look at the storage budget and limits.",
};

pub(crate) const CACHE_OUT_OF_SCOPE: CodePage = CodePage {
    what: "A matching entry exists, saved by a ref whose caches this run may not read, such as another pull request.",
    why: "A run reads entries of its own ref, its base and the default branch only.",
    example: "Cache not found for input keys: go-v1-…   (while `gh cache list` shows it for refs/pull/7/merge)",
    fix: "Let the workflow also run on pushes to the default branch, so that every branch and pull request can read that entry.",
};

pub(crate) const CACHE_EVICTED: CodePage = CodePage {
    what: "A matching entry was there and has been evicted.",
    why: "The repository's limit (10 GB by default) or seven days without use removed it, and it will happen again.",
    example: "Cache not found for input keys: go-v1-…   (while an older run printed: Cache saved with key: go-v1-…)",
    fix: "For an entry that lay unused, let a scheduled run of the default branch restore it within the week. For the limit, save less \
          often (a key without the commit in it), save less (clean the module cache), or raise it.",
};

pub(crate) const CACHE_VERSION_CHANGED: CodePage = CodePage {
    what: "An entry of this key exists, but for another list of paths or another compression; both are part of its identity.",
    why: "The same key with other paths is another entry, so the run misses.",
    example: "Cache not found for input keys: go-v1-…   (saved with `path: .go-cache`, restored with `path: ./.go-cache`)",
    fix: "Write the `path` input the same in every step and job, letter by letter and in the same order, and have zstd on every runner.",
};

pub(crate) const CACHE_KEY_STALE: CodePage = CodePage {
    what: "The key stays the same while the caches grow, so the first entry is restored for ever and newer content is never saved.",
    why: "Each run downloads or compiles again what an earlier one already had.",
    example: "Cache hit occurred on the primary key go-v1, not saving cache.\ngo: downloading golang.org/x/text v0.30.0",
    fix: "Put `${{ hashFiles('**/go.sum') }}` (and for the build cache `${{ github.sha }}`) into the key, with the part before it as \
          restore key.",
};

pub(crate) const CACHE_KEY_UNIQUE: CodePage = CodePage {
    what: "The key differs between the runs, and there is no restore key to find the entry of an earlier one.",
    why: "Every run saves an entry that no run ever restores.",
    example: "Cache not found for input keys: go-3f2c…\nCache saved with key: go-3f2c…",
    fix: "Add the constant part of the key as a restore key: `restore-keys: go-`.",
};

pub(crate) const JOB_FAILED_BEFORE_POST: CodePage = CodePage {
    what: "The job failed before its post steps, so neither extract nor save ran.",
    why: "actions/cache saves, and the dance since v3.1.1 extracts, only when the job has succeeded so far: a red run leaves no cache.",
    example: "##[error]Process completed with exit code 1.   (and no `Cache saved with key`)",
    fix: "Repair the failing step first, or run what may fail (tests, linters) in a job of its own.",
};
