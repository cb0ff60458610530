//! `sudo` inside: the first process runs the command, since no program there can gain a right. [`run`] is principal.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use super::INSIDE;
use crate::actions::{SudoReply, SudoRequest};
use crate::cli::say;

/// The most bytes that one frame may hold.
const FRAME: usize = 16 << 20;

/// Runs a command as root.
pub(super) fn run(args: &[String]) -> i32 {
    let request = match request(args) {
        Ok(Some(request)) => request,
        Ok(None) => return 0,
        Err(what) => {
            say(&format!("sudo: {what}"));
            return 1;
        }
    };
    let answer = || -> io::Result<i32> {
        let mut host = UnixStream::connect(format!("{INSIDE}/sudo.sock"))?;
        write_frame(&mut host, SudoReply::Input, &serde_json::to_vec(&request)?)?;
        let mut to_host = host.try_clone()?;
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count) = io::stdin().read(&mut buffer) {
                if write_frame(&mut to_host, SudoReply::Input, &buffer[..count]).is_err() || count == 0 {
                    break;
                }
            }
        });
        while let Some((kind, bytes)) = read_frame(&mut host)? {
            match kind {
                SudoReply::Output => io::stdout().write_all(&bytes)?,
                SudoReply::Error => io::stderr().write_all(&bytes)?,
                SudoReply::Exit => {
                    io::stdout().flush()?;
                    return Ok(String::from_utf8_lossy(&bytes).trim().parse().unwrap_or(1));
                }
                SudoReply::Input => {}
            }
        }
        Ok(1)
    };
    answer().unwrap_or_else(|error| {
        say(&format!("sudo: {error}"));
        1
    })
}

/// Reads the flags; `None` when nothing is to be run.
fn request(args: &[String]) -> Result<Option<SudoRequest>, String> {
    let mut words = args.iter().peekable();
    let (mut keep, mut env) = (false, Vec::new());
    while let Some(word) = words.next_if(|word| word.starts_with('-') || word.contains('=')) {
        match word.as_str() {
            "--" => break,
            "-u" | "--user" => {
                if let Some(user) = words.next().filter(|user| *user != "root") {
                    return Err(format!("unknown user {user}"));
                }
            }
            "-E" | "--preserve-env" => keep = true,
            word if !word.starts_with('-') => {
                env.extend(word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            }
            _ => {}
        }
    }
    let command: Vec<String> = words.cloned().collect();
    if command.is_empty() {
        return Ok(None);
    }
    let own = |name: &str| std::env::var(name).ok().map(|value| (name.to_owned(), value));
    let kept: Vec<(String, String)> = match keep {
        true => std::env::vars().collect(),
        false => [own("PATH"), own("LANG")].into_iter().flatten().collect(),
    };
    let home = ("HOME".to_owned(), "/root".to_owned());
    let env = [home].into_iter().chain(kept).chain(env).collect();
    let directory = std::env::current_dir().map_err(|error| error.to_string())?.display().to_string();
    Ok(Some(SudoRequest { command, env, directory }))
}

/// Writes a frame: its kind, its length, its bytes, all at once.
pub(super) fn write_frame(to: &mut impl Write, kind: SudoReply, bytes: &[u8]) -> io::Result<()> {
    let mut frame = vec![kind as u8];
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    frame.extend(length.to_be_bytes());
    frame.extend(bytes);
    to.write_all(&frame)
}

/// Reads a frame; `None` at the end.
pub(super) fn read_frame(from: &mut impl Read) -> io::Result<Option<(SudoReply, Vec<u8>)>> {
    let mut head = [0; 5];
    match from.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let kind = SudoReply::of(head[0]).filter(|_| length <= FRAME);
    let kind = kind.ok_or_else(|| io::Error::other("a frame that is none"))?;
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(Some((kind, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, SudoReply::Output, b"abc").unwrap();
        write_frame(&mut bytes, SudoReply::Exit, b"0").unwrap();
        let mut from = bytes.as_slice();
        assert_eq!(read_frame(&mut from).unwrap(), Some((SudoReply::Output, b"abc".to_vec())));
        assert_eq!(read_frame(&mut from).unwrap(), Some((SudoReply::Exit, b"0".to_vec())));
        assert_eq!(read_frame(&mut from).unwrap(), None);
    }

    #[test]
    fn flags_of_sudo_are_no_command() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let found = request(&words("-n -E A=b -- rm -rf x")).unwrap().unwrap();
        assert_eq!(found.command, ["rm", "-rf", "x"]);
        assert!(found.env.contains(&("A".to_owned(), "b".to_owned())));
        assert_eq!(request(&words("-v")).unwrap(), None);
        assert!(request(&words("-u nobody ls")).is_err());
    }
}
