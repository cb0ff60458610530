//! The pure half of `hashFiles`: [`combine_hashes`]. Finding and reading files is the caller's.

use sha2::{Digest, Sha256};

/// Combines the SHA-256 digests of files, in the order of their paths, into what `hashFiles` returns.
///
/// GitHub's runner hashes each file and then the concatenated raw digests, also for a single file; without any file
/// the result is the empty text (`src/Misc/expressionFunc/hashFiles/src/hashFiles.ts` of actions/runner). The runner
/// takes files in the order its walk meets them; sorting by path is ours, so that the hash depends on content alone.
pub fn combine_hashes(digests: impl Iterator<Item = [u8; 32]>) -> String {
    let mut digests = digests.peekable();
    if digests.peek().is_none() {
        return String::new();
    }
    let mut whole = Sha256::new();
    digests.for_each(|digest| whole.update(digest));
    whole.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_gives_the_empty_text() {
        assert_eq!(combine_hashes(std::iter::empty()), "");
    }

    #[test]
    fn one_file_gives_the_hash_of_its_hash() {
        // printf abc | sha256sum | xxd -r -p | sha256sum
        let digest: [u8; 32] = Sha256::digest(b"abc").into();
        let expected = "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358";
        assert_eq!(combine_hashes([digest].into_iter()), expected);
    }

    #[test]
    fn order_matters() {
        let (first, second) = ([1; 32], [2; 32]);
        assert_ne!(combine_hashes([first, second].into_iter()), combine_hashes([second, first].into_iter()));
    }
}
