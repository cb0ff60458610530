//! Pages of what goes wrong at the build.

use crate::verify::CodePage;

pub(crate) const NO_CACHE_BUILD: CodePage = CodePage {
    what: "The build runs with `no-cache`.",
    why: "`--no-cache` also empties every cache mount of the build, whatever was injected.",
    example: "Run docker/build-push-action@v6\nwith:\n  no-cache: true",
    fix: "Remove `no-cache: true`; to rebuild one layer use a changing build argument instead.",
};

pub(crate) const MOUNT_NOT_WRITABLE: CodePage = CodePage {
    what: "The user that builds may not write into the cache mount.",
    why: "A cache mount belongs to root unless it is given a uid and gid, and what cannot be written is never cached.",
    example: "failed to initialize build cache at /home/app/.cache/go-build: mkdir /home/app/.cache/go-build/00: permission denied",
    fix: "Give the mount the user's numbers, `--mount=type=cache,target=…,uid=1000,gid=1000`, repeat `uid` and `gid` in the cache map, and \
          change the cache key.",
};

pub(crate) const MOUNTS_EMPTY_BEFORE_BUILD: CodePage = CodePage {
    what: "The cache mounts hold (almost) nothing when the build starts.",
    why: "Whatever was restored did not reach the build.",
    example: "=== BEFORE ===\n8.0K\t/go/pkg/mod\n8.0K\t/root/.cache/go-build",
    fix: "Compare the cache map with the Dockerfile's mounts: target, id, uid, gid, mode, and the builder.",
};

pub(crate) const MODULES_NOT_RESTORED: CodePage = CodePage {
    what: "The module cache does not come back: `/go/pkg/mod` is small before the build, or modules are downloaded again.",
    why: "Every run downloads every module.",
    example: "go: downloading github.com/aws/aws-sdk-go v1.55.5",
    fix: "Verify the inject of `/go/pkg/mod`: an entry in the cache map with the target and id of the Dockerfile's mount.",
};

pub(crate) const BUILD_CACHE_NOT_RESTORED: CodePage = CodePage {
    what: "The build cache does not come back: `/root/.cache/go-build` is small before the build.",
    why: "Every run compiles every package.",
    example: "=== BEFORE ===\n131.2M\t/go/pkg/mod\n8.0K\t/root/.cache/go-build",
    fix: "Verify the inject of `/root/.cache/go-build`: an entry in the cache map with the target and id of the Dockerfile's mount.",
};

pub(crate) const BUILD_NOT_FASTER: CodePage = CodePage {
    what: "The build is as slow as without the caches, although nothing shows that they are missing.",
    why: "A cache that is restored and not used costs its transfer and saves nothing.",
    example: "BEFORE 114.0M /root/.cache/go-build\nreal\t0m 17.43s",
    fix: "Look for what makes Go's cached results unusable: another Go version, other build flags or environment, another source \
          layout, or a mount that is not where GOCACHE points (`go env GOCACHE GOMODCACHE`).",
};

pub(crate) const BUILD_STEP_CACHED: CodePage = CodePage {
    what: "The step that runs `go build` came from the layer cache and did not run.",
    why: "A step that did not run shows nothing about its cache mounts, so nothing is proven either way.",
    example: "#9 [build 5/5] RUN --mount=type=cache,target=/go/pkg/mod go build ./...\n#9 CACHED",
    fix: "Judge a run whose source changed, or drop `cache-from` for the experiment.",
};

pub(crate) const NOT_INSTRUMENTED: CodePage = CodePage {
    what: "The build ran and did not print how large its cache mounts were.",
    why: "Without sizes before the build nothing proves that the caches reached it.",
    example: "#9 DONE 2.4s   (and no `BEFORE` sizes)",
    fix: "Print them in the step that builds:\n\
          \x20 RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\\n\
          \x20     echo '=== BEFORE ===' && du -sh /go/pkg/mod /root/.cache/go-build && \\\n\
          \x20     time go build ./... && \\\n\
          \x20     echo '=== AFTER ===' && du -sh /go/pkg/mod /root/.cache/go-build",
};

pub(crate) const NET_LOSS: CodePage = CodePage {
    what: "The caches work, and moving them takes longer than they save.",
    why: "The job would be faster without the dance.",
    example: "go build 30.1 s -> 4.2 s; restore, inject, extract and save 41.7 s",
    fix: "Carry less (the build cache alone, cleaned), skip the extract on a hit (`skip-extraction: ${{ steps.cache.outputs.cache-hit }}`), or drop the dance.",
};
