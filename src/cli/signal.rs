//! The signals that end the program.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;
use super::talk::complain;

/// Waits for a signal that ends the program. From then on another one ends it at once, whatever is left behind: a person who
/// asks twice does not want to wait for an engine that may never answer.
#[expect(clippy::exit, reason = "a second signal is to end the program whatever it waits for")]
pub(super) async fn interrupted() -> &'static str {
    let Ok(mut signals) = Signals::listen() else { return std::future::pending().await };
    let name = signals.next().await;
    tokio::spawn(async move {
        let name = signals.next().await;
        complain(&format!("error: stopped by {name} again, before all was removed that was made"));
        std::process::exit(Exit::of_signal(name) as i32);
    });
    name
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where whoever started the program wants it to outlive the terminal, as `nohup` does.
    hangup: Option<Signal>,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            hangup: if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) },
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.terminate.recv() => "SIGTERM",
            _ = hangup => "SIGHUP",
        }
    }
}

/// Tells whether SIGHUP, the first signal, was set to be ignored; see proc(5).
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & 1 != 0)
}
