# shellcheck shell=bash
# What the set-up scripts share: messages, packages, and the few calls of the Docker Engine API they need.
#
# The engine is spoken to with curl, not with the docker CLI: the program itself needs no CLI, and curl reaches exactly
# the engine the program will use (DOCKER_HOST or the default socket, never a CLI context).

engine_host=${DOCKER_HOST:-unix:///var/run/docker.sock}

say() { printf '%s\n' "$*" >&2; }

# fail MESSAGE [HINT...] says what stopped us and what to do, and ends the script.
fail() {
    say "error: $1"
    shift
    local hint
    for hint in "$@"; do
        say "  hint: $hint"
    done
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# can_install tells whether this script may install Debian packages by itself.
can_install() { [ "$(id -u)" -eq 0 ] && have apt-get; }

# install_packages PACKAGE... installs Debian packages, quietly unless it fails.
install_packages() {
    local log
    log=$(mktemp)
    say "installing $* (apt-get)"
    if ! {
        apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
    } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install $*" "install it by hand and try again"
    fi
    rm -f "$log"
}

# need COMMAND PACKAGE makes sure a command is there, installing its Debian package when that is possible.
need() {
    have "$1" && return
    can_install || fail "$1 is not installed" "install it (Debian and Ubuntu: sudo apt-get install $2) and try again"
    install_packages "$2"
}

# engine_api METHOD PATH [CURL OPTION...] calls the engine; the answer goes to stdout.
engine_api() {
    local method=$1 path=$2
    shift 2
    case $engine_host in
        unix://*) curl -sS -X "$method" --unix-socket "${engine_host#unix://}" "$@" "http://docker$path" ;;
        tcp://*) curl -sS -X "$method" "$@" "http://${engine_host#tcp://}$path" ;;
        http://*) curl -sS -X "$method" "$@" "${engine_host%/}$path" ;;
        # scripts/engine has said so already.
        *) return 1 ;;
    esac
}

# engine_answers tells whether an engine is there and lets us in.
engine_answers() { [ "$(engine_api GET /_ping --max-time 5 2>/dev/null)" = OK ]; }

# engine_has_image NAME tells whether the engine holds an image.
engine_has_image() { engine_api GET "/images/$1/json" --fail --max-time 30 -o /dev/null 2>/dev/null; }

# engine_pull REPOSITORY TAG pulls an image. A registry that says nothing for 20 seconds counts as out of reach, so this
# neither hangs on a machine without network nor gives up on a slow line that moves.
engine_pull() {
    engine_api POST "/images/create?fromImage=$1&tag=$2" --fail --connect-timeout 5 --speed-limit 1 --speed-time 20 \
        -o /dev/null 2>/dev/null && engine_has_image "$1:$2"
}
