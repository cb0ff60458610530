//! Choices from bytes, so that a seed and a fuzzer make cases in one way. [`Chooser`] is principal.

/// Makes choices from bytes; when they are used up it always takes the first.
#[derive(Debug, Clone)]
pub(crate) struct Chooser {
    bytes: Vec<u8>,
    at: usize,
}

impl Chooser {
    /// Chooses by these bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), at: 0 }
    }

    /// Chooses by the bytes that a seed grows into.
    pub(crate) fn seeded(seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
        let mut bytes = Vec::with_capacity(2048);
        for _ in 0..256 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
        }
        Self { bytes, at: 0 }
    }

    /// Chooses a number below `many`.
    pub(crate) fn below(&mut self, many: usize) -> usize {
        let mut next = || {
            let byte = self.bytes.get(self.at).copied().unwrap_or(0);
            self.at += 1;
            usize::from(byte)
        };
        let number = if many > 256 { next() << 8 | next() } else { next() };
        number % many.max(1)
    }

    /// Chooses one of several.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
