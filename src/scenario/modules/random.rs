//! Numbers that look random and are the same on every machine. [`Random`] is principal.
//!
//! It is SplitMix64, in a few lines, so that no release of a library can change the sample's `go.sum`. It is no source
//! of secrets.

/// A generator of numbers, wholly determined by its seed.
pub(super) struct Random(u64);

impl Random {
    /// Seeds a generator with a name, so that every module has its own.
    pub(super) fn named(name: &str) -> Self {
        // FNV-1a: any fixed function of the bytes serves.
        Self(
            name.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)),
        )
    }

    /// Draws the next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws a place in a list of `length` entries; 0 for an empty list.
    pub(super) fn place(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % length).unwrap_or(0)
    }

    /// Draws bytes that no compressor makes smaller.
    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}
