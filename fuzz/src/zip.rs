//! Any bytes as the archive of logs that the web page downloads: within small limits, no panic, and no quote outside of it.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use verify_buildkit_cache::log::{ZipLimits, read_archive};

fuzz_target!(|bytes: &[u8]| {
    let limits = ZipLimits { files: 50, bytes: 4 << 20, ratio: 100 };
    if let Ok(jobs) = read_archive("logs.zip", Cursor::new(bytes), limits) {
        assert!(jobs.iter().all(|job| job.source.starts_with("logs.zip/")));
    }
});
