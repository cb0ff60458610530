//! Any bytes as the choices of a log from a known truth: what is cold must not be called effective.

#![no_main]

#[path = "../../tests/support/hostile/mod.rs"]
mod hostile;
#[path = "../../tests/support/hostile_judge.rs"]
mod judge;

use hostile::Hostile;
use hostile::chooser::Chooser;
use hostile::known::known;
use judge::looks_effective;
use libfuzzer_sys::fuzz_target;

fn fools(case: &Hostile) -> bool {
    let (pages, truth) = case.play();
    truth.is_cold() && looks_effective(&pages, case.form)
}

fuzz_target!(|bytes: &[u8]| {
    let case = Hostile::choose(Chooser::new(bytes));
    if fools(&case) {
        let case = case.smallest(fools);
        assert!(known(&case).is_some(), "cold, and called effective: {}", case.kind());
    }
});
