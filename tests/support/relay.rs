//! A socket before the engine's that can fail as engines and lines do. [`Relay`] is principal.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the relay does with what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Line {
    /// Passes it on.
    Good = 0,
    /// Passes nothing on and closes nothing: an engine that hangs.
    Silent = 1,
    /// Passes a few bytes on at a time.
    Slow = 2,
}

/// What the engine is reached through.
#[derive(Debug)]
pub(crate) struct Relay {
    socket: PathBuf,
    line: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl Relay {
    /// Listens at a path for connections to the engine at a socket.
    pub(crate) fn listen(socket: PathBuf, engine: &str) -> Self {
        let listener = UnixListener::bind(&socket).unwrap();
        let engine = engine.strip_prefix("unix://").expect("an engine at a socket of this machine").to_owned();
        let (line, open) = (Arc::new(AtomicU8::new(0)), Arc::new(Mutex::new(Vec::new())));
        let relay = Self { socket, line: Arc::clone(&line), open: Arc::clone(&open) };
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let (Ok(near), Ok(far)) = (near, UnixStream::connect(&engine)) else { return };
                let copy = |stream: &UnixStream| stream.try_clone().unwrap();
                open.lock().unwrap().extend([copy(&near), copy(&far)]);
                for (from, to) in [(copy(&near), copy(&far)), (far, near)] {
                    let line = Arc::clone(&line);
                    std::thread::spawn(move || pass_on(from, to, &line));
                }
            }
        });
        relay
    }

    /// Returns the address to use in place of the engine's.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Changes what becomes of what comes.
    pub(crate) fn set(&self, line: Line) {
        self.line.store(line as u8, Ordering::Relaxed);
    }

    /// Breaks every connection and takes no more: an engine that dies.
    pub(crate) fn die(&self) {
        std::fs::remove_file(&self.socket).unwrap();
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// How a connection ends, by either side, is no matter here.
fn pass_on(mut from: UnixStream, mut to: UnixStream, line: &AtomicU8) {
    let mut piece = [0; 16 << 10];
    loop {
        let slow = line.load(Ordering::Relaxed) == Line::Slow as u8;
        let room = if slow { 512 } else { piece.len() };
        let Ok(read @ 1..) = from.read(&mut piece[..room]) else { break };
        while line.load(Ordering::Relaxed) == Line::Silent as u8 {
            std::thread::sleep(Duration::from_millis(50));
        }
        if slow {
            std::thread::sleep(Duration::from_millis(2));
        }
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
