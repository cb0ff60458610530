//! The first process inside: it starts the action as the runner's user, and serves `sudo` meanwhile. [`run`] is principal.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::thread;

use super::sudo::{read_frame, write_frame};
use super::{INSIDE, code_of};
use crate::actions::{Forward, PhaseRequest, SudoReply, SudoRequest};
use crate::cli::say;

/// What it ends with when it cannot start the action.
const FAILED: i32 = 125;

/// Carries out the request in a file.
pub(super) fn run(args: &[String]) -> i32 {
    let text = args.first().and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let request: PhaseRequest = match serde_json::from_slice(&text) {
        Ok(request) => request,
        Err(error) => return fail(&format!("the request cannot be read: {error}")),
    };
    let listener = match listen(&request.sudo) {
        Ok(listener) => listener,
        Err(error) => return fail(&format!("{} cannot be opened: {error}", request.sudo)),
    };
    thread::spawn(move || {
        for guest in listener.incoming().flatten() {
            thread::spawn(move || serve(guest));
        }
    });
    if let Some(forward) = request.forward
        && let Err(error) = lead(forward)
    {
        return fail(&format!("a port of the loopback device cannot be opened: {error}"));
    }
    let Some((program, args)) = request.command.split_first() else { return fail("there is no command") };
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(request.env).current_dir(&request.directory).stdin(Stdio::null());
    // From here on, what is printed is the action's.
    if let Err(error) = fs::write(format!("{INSIDE}/started"), "") {
        return fail(&format!("{INSIDE} cannot be written: {error}"));
    }
    match command.status() {
        Ok(status) => code_of(status),
        Err(error) => fail(&format!("{program} cannot be started: {error}")),
    }
}

fn fail(what: &str) -> i32 {
    say(what);
    FAILED
}

fn listen(path: &str) -> std::io::Result<UnixListener> {
    let _ = fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

/// Runs one command as the first process's user, for `sudo`.
fn serve(mut guest: UnixStream) {
    let Ok(Some((SudoReply::Input, text))) = read_frame(&mut guest) else { return };
    let Ok(request) = serde_json::from_slice::<SudoRequest>(&text) else { return };
    let Some((program, args)) = request.command.split_first() else { return };
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(request.env).current_dir(request.directory);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(_) => {
            let words = format!("sudo: {program}: command not found\n");
            let _ = write_frame(&mut guest, SudoReply::Error, words.as_bytes());
            let _ = write_frame(&mut guest, SudoReply::Exit, b"1");
            return;
        }
    };
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    if let (Some(mut input), Ok(mut guest)) = (input, guest.try_clone()) {
        thread::spawn(move || {
            while let Ok(Some((SudoReply::Input, bytes))) = read_frame(&mut guest) {
                if bytes.is_empty() || input.write_all(&bytes).is_err() {
                    break;
                }
            }
        });
    }
    let relay = |mut from: Box<dyn Read + Send>, kind: SudoReply, mut to: UnixStream| {
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count) = from.read(&mut buffer) {
                if count == 0 || write_frame(&mut to, kind, &buffer[..count]).is_err() {
                    break;
                }
            }
        })
    };
    let (Some(output), Some(errors), Ok(first), Ok(second)) = (output, errors, guest.try_clone(), guest.try_clone())
    else {
        return;
    };
    // One stream after the other, so that no frame stands inside another: errors are few.
    let errors = relay(Box::new(errors), SudoReply::Error, first);
    let output = relay(Box::new(output), SudoReply::Output, second);
    let _ = (errors.join(), output.join());
    let code = child.wait().map_or(1, code_of);
    let _ = write_frame(&mut guest, SudoReply::Exit, code.to_string().as_bytes());
}

/// Leads a port of the loopback device to a socket.
fn lead(forward: Forward) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", forward.port))?;
    thread::spawn(move || {
        for guest in listener.incoming().flatten() {
            let socket = forward.socket.clone();
            thread::spawn(move || -> Option<()> {
                let host = UnixStream::connect(&socket).ok()?;
                let (mut to_host, mut from_guest) = (host.try_clone().ok()?, guest.try_clone().ok()?);
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from_guest, &mut to_host);
                    let _ = to_host.shutdown(std::net::Shutdown::Write);
                });
                let (mut from_host, mut to_guest) = (host, guest);
                let _ = std::io::copy(&mut from_host, &mut to_guest);
                let _ = to_guest.shutdown(std::net::Shutdown::Write);
                Some(())
            });
        }
    });
    Ok(())
}
