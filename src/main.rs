//! The thin binary: hands the arguments over and exits with the code.

use std::process::ExitCode;

fn main() -> ExitCode {
    verify_buildkit_cache::cli::main()
}
