//! Puts sizes and times into words.
//!
//! Sizes are powers of 1024 under the names people know from CI logs: GitHub's `Cache Size: ~118 MB` counts MiB too, so
//! a number here can be held against the log line it came from.

/// Writes bytes as `198 B`, `8.0 KB`, `118.5 MB` or `1.2 GB`, where 1 MB is 1,048,576 bytes as in GitHub's own lines.
pub fn size(bytes: u64) -> String {
    let scaled = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.1} KB", scaled(1 << 10)),
        1_048_576..1_073_741_824 => format!("{:.1} MB", scaled(1 << 20)),
        _ => format!("{:.1} GB", scaled(1 << 30)),
    }
}

/// Writes seconds as `0.42 s`, `17.4 s` or `3 min 05 s`.
pub fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{seconds:.2} s")
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_say_them() {
        assert_eq!(size(198), "198 B");
        assert_eq!(size(8_192), "8.0 KB");
        assert_eq!(size(124_256_256), "118.5 MB");
        assert_eq!(size(3 << 30), "3.0 GB");
        assert_eq!(seconds(0.421), "0.42 s");
        assert_eq!(seconds(17.43), "17.4 s");
        assert_eq!(seconds(185.2), "3 min 05 s");
    }
}
