//! A module as the Go module proxy protocol serves it, and its line in `go.sum`. [`zip`] and [`hash`] are principal.
//!
//! The protocol: <https://go.dev/ref/mod#goproxy-protocol>; the zip: <https://go.dev/ref/mod#zip-files>; the hash `h1:`:
//! <https://pkg.go.dev/golang.org/x/mod@v0.30.0/sumdb/dirhash#Hash1>.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Packs files under `path@version/`. The bytes depend on the files alone: the format's zero time stands for all times.
#[expect(clippy::unwrap_used, reason = "writing to memory does not fail, and no file nears the format's limits")]
pub(super) fn zip(prefix: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        // What is not text is packed already: deflating it again would cost time and gain nothing.
        let method = if bytes.is_ascii() { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default().compression_method(method).unix_permissions(0o644);
        writer.start_file(format!("{prefix}/{name}"), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Hashes files the way `go.sum` does. The names must be those inside the zip, and sorted.
pub(super) fn hash<'a>(files: impl Iterator<Item = (String, &'a [u8])>) -> String {
    let mut summary = String::new();
    for (name, bytes) in files {
        for byte in Sha256::digest(bytes) {
            let _ = write!(summary, "{byte:02x}");
        }
        let _ = writeln!(summary, "  {name}");
    }
    format!("h1:{}", base64(&Sha256::digest(summary)))
}

/// Encodes in base64 with padding; `go.sum` is the one place that needs it.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let joined = (0..3).fold(0, |joined, place| joined << 8 | usize::from(*chunk.get(place).unwrap_or(&0)));
        for place in 0..4 {
            let letter = ALPHABET[joined >> (18 - 6 * place) & 63];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_to_groups_of_four() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }

    #[test]
    fn the_hash_is_the_one_go_writes() {
        // `rsc.io/quote v1.5.2/go.mod` as every go.sum has it.
        let go_mod = b"module \"rsc.io/quote\"\n\nrequire \"rsc.io/sampler\" v1.3.0\n";
        let files = [("go.mod".to_owned(), &go_mod[..])];
        assert_eq!(hash(files.into_iter()), "h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=");
    }
}
