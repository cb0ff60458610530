//! Inject and extract, by the `tar` of an image inside a `RUN`: cache mounts can be reached from nowhere else.
//!
//! The bytes go over a connection that the `RUN` opens to us (`wire`), which writes them once. Where it cannot reach
//! us, as from an engine on another machine, they go as one archive in the build's context and out of its image
//! (`archive`), which every engine can do and which writes them three times. [`CopyTransport`] says which of the two, and what
//! the `RUN` stands on ([`CopyBase`]).

mod archive;
mod wire;

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Docker, MARKER};
use crate::engine::{BuildEventKind, BuildRequest, ByteStream, COPY_WORDS, Copied, EngineError, MountCopy};
use crate::evidence::Creator;

/// The word by which the command of an inject is known.
const INJECT: &str = COPY_WORDS[0];

/// The word by which the command of an extract is known.
const EXTRACT: &str = COPY_WORDS[1];

/// The line by which a copy says that it failed, before the shell forgets it.
const FAILED: &str = "verify-buildkit-cache: copy failed";

/// Lines of a copy's output that are kept for its error.
const KEPT_LINES: usize = 50;

/// What the `RUN` of a copy stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopyBase {
    /// Nothing but the programs of the image, mounted. Its layer is empty on an empty one, so that no engine has to
    /// compare it with all files of the image to tell its size.
    Programs,
    /// The image.
    Image,
}

/// How the bytes of copies travel, found out with the first of them.
#[derive(Debug, Default)]
pub(super) struct CopyTransport(AtomicU8);

impl CopyTransport {
    /// Over a connection, from a `RUN` on the programs alone.
    const WIRE: u8 = 1;
    /// Over a connection, from a `RUN` on the image.
    const WIRE_FROM_IMAGE: u8 = 2;
    const ARCHIVE: u8 = 3;

    /// An engine that is not on this machine cannot reach us.
    pub(super) fn of(address: &str) -> Self {
        let host = address.split_once("://").map_or("", |(_, rest)| rest).split([':', '/']).next().unwrap_or("");
        let near = address.starts_with("unix://") || host == "localhost" || host.starts_with("127.");
        if near { Self::default() } else { Self::by_archive() }
    }

    pub(super) fn by_archive() -> Self {
        Self(AtomicU8::new(Self::ARCHIVE))
    }

    /// Says which it is; `None` before the first copy.
    pub(super) fn words(&self) -> Option<&'static str> {
        match self.0.load(Ordering::Relaxed) {
            Self::WIRE => Some("over a connection, with no more than the programs of the image"),
            Self::WIRE_FROM_IMAGE => Some("over a connection, on the image"),
            Self::ARCHIVE => Some("by archives, as to an engine elsewhere"),
            _ => None,
        }
    }

    /// The bases on which a `RUN` may reach us, the better first.
    fn wired(&self) -> &'static [CopyBase] {
        match self.0.load(Ordering::Relaxed) {
            Self::WIRE => &[CopyBase::Programs],
            Self::WIRE_FROM_IMAGE => &[CopyBase::Image],
            Self::ARCHIVE => &[],
            _ => &[CopyBase::Programs, CopyBase::Image],
        }
    }

    /// Remembers what the first copy found; later ones change nothing.
    fn found(&self, wire: Option<CopyBase>) {
        let found = match wire {
            Some(CopyBase::Programs) => Self::WIRE,
            Some(CopyBase::Image) => Self::WIRE_FROM_IMAGE,
            None => Self::ARCHIVE,
        };
        let _ = self.0.compare_exchange(0, found, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl Docker {
    /// Unpacks archives into a cache mount; see [`Engine::inject`](crate::engine::Engine::inject).
    pub(super) async fn inject_archives(
        &self,
        copy: &MountCopy,
        mut archives: Vec<ByteStream>,
    ) -> Result<Copied, EngineError> {
        for base in self.way.wired() {
            if let Some(copied) = self.inject_by_wire(copy, *base, &mut archives).await? {
                self.way.found(Some(*base));
                return Ok(copied);
            }
        }
        self.way.found(None);
        self.inject_by_archive(copy, archives).await
    }

    /// Packs a cache mount into an archive; see [`Engine::extract`](crate::engine::Engine::extract).
    pub(super) async fn extract_archive(
        &self,
        copy: &MountCopy,
        into: mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<Copied, EngineError> {
        for base in self.way.wired() {
            if let Some(copied) = self.extract_by_wire(copy, *base, &into).await? {
                self.way.found(Some(*base));
                return Ok(copied);
            }
        }
        self.way.found(None);
        self.extract_by_archive(copy, into).await
    }

    /// Builds the one `RUN` of a copy, and returns the image where it is exported.
    async fn run_copy(
        &self,
        copy: &MountCopy,
        context: ByteStream,
        network: Option<&str>,
        export: bool,
    ) -> Result<(Copied, Option<String>), EngineError> {
        let request = BuildRequest {
            namespace: copy.namespace.clone(),
            dockerfile: DANCEFILE.to_owned(),
            build_args: std::collections::BTreeMap::new(),
            target: None,
            no_cache: false,
            network: network.map(str::to_owned),
            export,
        };
        let mut output = Vec::new();
        let mut watch = |event: crate::engine::BuildEvent| {
            if let BuildEventKind::Line { text, .. } = event.kind {
                output.push(text);
                if output.len() > KEPT_LINES {
                    output.remove(0);
                }
            }
        };
        let outcome = self.build_image(request, context, &mut watch).await?;
        if let Some(failure) = outcome.failure {
            return Ok((Copied { failed: Some(failure.message) }, None));
        }
        let failed = output
            .iter()
            .any(|line| line == FAILED)
            .then(|| output.iter().filter(|line| *line != FAILED).cloned().collect::<Vec<_>>().join("; "));
        Ok((Copied { failed }, outcome.image))
    }
}

/// The name of a copy's Dockerfile in its context.
const DANCEFILE: &str = "Dancefile";

/// Writes the Dockerfile of one copy. It ends well even when the copy fails, as upstream's `|| true` does, but says so.
fn dockerfile(copy: &MountCopy, word: &str, base: CopyBase, context: bool, script: &str) -> String {
    let image = &copy.image;
    let (from, programs) = match base {
        CopyBase::Image => (format!("FROM {image}\nUSER 0:0\n"), String::new()),
        CopyBase::Programs => (
            format!("FROM {image} AS programs\nFROM scratch\n"),
            // The loader stands where a Debian of x86-64 has it; others have theirs in /lib.
            ["bin", "lib"].map(|dir| format!("--mount=type=bind,from=programs,source=/{dir},target=/{dir} ")).concat()
                + "--mount=type=bind,source=lib64,target=/lib64 ",
        ),
    };
    let context = if context { "--mount=type=bind,source=.,target=/var/vbc " } else { "" };
    format!(
        "{from}RUN --mount={} {programs}{context}: {word} {MARKER}={} {}; {{ {script}; }} 2>&1 || echo '{FAILED}'\n",
        copy.mount.flag,
        copy.namespace.as_str(),
        copy.stamp,
    )
}

/// Tells whose command it was that first used a mount.
pub(super) fn creator(command: &str) -> Creator {
    if command.contains(INJECT) {
        Creator::Inject
    } else if command.contains(EXTRACT) {
        Creator::Extract
    } else {
        Creator::Build
    }
}

/// Quotes a word for the shell.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What changes the owner after an inject, as a further command.
fn chown(copy: &MountCopy) -> String {
    let target = quote(&copy.mount.target);
    copy.owner.as_ref().map_or(String::new(), |owner| format!(" && chown -R {} {target}", quote(owner)))
}

/// The loader of programs of a Debian of x86-64, as a context's link to where the mounted /lib has it.
fn loader() -> io::Result<Bytes> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_path("lib64/ld-linux-x86-64.so.2")?;
    header.set_link_name("/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")?;
    header.set_size(0);
    header.set_mode(0o777);
    header.set_cksum();
    Ok(Bytes::copy_from_slice(header.as_bytes()))
}

/// Sends a context of a few small files and ends it.
async fn send_files(files: &[(&str, &str)], context: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    for (name, text) in files {
        send_file(name, text.as_bytes(), context).await?;
    }
    send(context, Bytes::from(vec![0; 1024])).await
}

/// Sends a file as an entry of the context.
async fn send_file(name: &str, bytes: &[u8], context: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    send(context, entry(name, bytes.len())?).await?;
    let mut block = bytes.to_vec();
    block.resize(bytes.len().next_multiple_of(512), 0);
    send(context, Bytes::from(block)).await
}

/// Sends bytes; whoever no longer listens has its own reason, which is the one to tell.
async fn send(to: &mpsc::Sender<io::Result<Bytes>>, bytes: Bytes) -> io::Result<()> {
    to.send(Ok(bytes)).await.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
}

/// Makes a tar header for a regular file.
fn entry(name: &str, size: usize) -> io::Result<Bytes> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name)?;
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_cksum();
    Ok(Bytes::copy_from_slice(header.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_engine_of_this_machine_can_reach_us() {
        for near in ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "http://localhost:2375/"] {
            assert_eq!(CopyTransport::of(near).wired(), [CopyBase::Programs, CopyBase::Image], "{near}");
        }
        for far in ["tcp://10.0.0.7:2375", "tcp://build.example:2375"] {
            assert_eq!(CopyTransport::of(far).wired(), [], "{far}");
        }
    }

    #[test]
    fn the_first_copy_decides_for_the_later_ones() {
        for (first, later) in [
            (Some(CopyBase::Programs), vec![CopyBase::Programs]),
            (Some(CopyBase::Image), vec![CopyBase::Image]),
            (None, vec![]),
        ] {
            let way = CopyTransport::of("unix:///run/docker.sock");
            way.found(first);
            way.found(None);
            assert_eq!(way.wired(), later);
        }
    }

    #[test]
    fn a_command_tells_whose_it_is() {
        assert_eq!(creator("sh -c : vbc-inject 1; x"), Creator::Inject);
        assert_eq!(creator("sh -c : vbc-extract 1; x"), Creator::Extract);
        assert_eq!(creator("sh -c go build ."), Creator::Build);
    }
}
