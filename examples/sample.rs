//! Writes the bundled sample into a folder that `docker build` can take: `cargo run --example sample -- DIR [small]`.
//!
//! For whoever wants to build it by hand, without the simulated runners.

use std::path::Path;
use std::{env, fs, io};

use verify_buildkit_cache::scenario::modules;
use verify_buildkit_cache::scenario::sample::{self, Variant};

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let Some(folder) = arguments.next() else {
        return Err(io::Error::other("name the folder to write to"));
    };
    let variant = if arguments.next().is_some_and(|word| word == "small") { Variant::Small } else { Variant::Full };
    let folder = Path::new(&folder);
    for file in sample::project(variant) {
        write(&folder.join(file.path), &file.bytes)?;
    }
    for file in modules::proxies(variant).flatten() {
        write(&folder.join(sample::PROXY_DIR).join(file.path), &file.bytes)?;
    }
    write(&folder.join("Dockerfile"), sample::DOCKERFILE.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, bytes)
}
