//! The two number formats of a transfer: the archive's size, and progress.
//!
//! The arithmetic is JavaScript's, so that a written log has the digits a real one would have. The formats are those
//! of actions/toolkit `cache.ts`, `internal/downloadUtils.ts` and `internal/uploadUtils.ts`.

use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// Says `~N MB (B B)`: the compressed size, in MiB rounded half up, and in bytes.
pub fn cache_size(bytes: u64) -> String {
    format!("~{} MB ({bytes} B)", bytes.saturating_add(MIB / 2) / MIB)
}

/// Says `n of total (p%), r MBs/sec`: what follows `Received` and `Sent`.
pub fn progress(done: u64, total: u64, elapsed: Duration) -> String {
    let percent = if total == 0 { "NaN".to_owned() } else { one_digit(100.0 * done as f64 / total as f64) };
    // A copy on one machine can end within the clock's step; the real action never sees a zero here.
    let seconds = elapsed.as_secs_f64().max(0.001);
    let rate = one_digit(done as f64 / MIB as f64 / seconds);
    format!("{done} of {total} ({percent}%), {rate} MBs/sec")
}

/// Does `toFixed(1)`: ties go up, where Rust's formatting sends them to the even digit. With one digit the only ties
/// binary fractions can express end in .25 and .75.
fn one_digit(value: f64) -> String {
    let quarters = value * 4.0;
    let tie = quarters.fract() == 0.0 && quarters % 2.0 != 0.0;
    format!("{:.1}", if tie { value + 0.01 } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_round_half_up_to_whole_mebibytes() {
        assert_eq!(cache_size(198), "~0 MB (198 B)");
        assert_eq!(cache_size(524_287), "~0 MB (524287 B)");
        assert_eq!(cache_size(524_288), "~1 MB (524288 B)");
        assert_eq!(cache_size(110_427_592), "~105 MB (110427592 B)");
    }

    /// The last number is from a real log; its 75.2 came from 1.4 seconds.
    #[test]
    fn progress_has_the_digits_of_a_real_log() {
        assert_eq!(
            progress(110_427_592, 110_427_592, Duration::from_millis(1400)),
            "110427592 of 110427592 (100.0%), 75.2 MBs/sec"
        );
        assert_eq!(progress(202, 202, Duration::ZERO), "202 of 202 (100.0%), 0.2 MBs/sec");
        assert_eq!(progress(0, 0, Duration::from_secs(1)), "0 of 0 (NaN%), 0.0 MBs/sec");
    }

    #[test]
    fn ties_go_up_as_in_javascript() {
        assert_eq!(one_digit(0.25), "0.3");
        assert_eq!(one_digit(0.75), "0.8");
        assert_eq!(one_digit(0.5), "0.5");
        assert_eq!(one_digit(22.1), "22.1");
    }

    proptest! {
        #[test]
        fn no_number_makes_it_panic(done: u64, total: u64, millis: u64) {
            let _ = progress(done, total, Duration::from_millis(millis));
            let _ = cache_size(done);
        }
    }
}
