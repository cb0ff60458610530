//! Has the program built anew when a scenario or a recording comes or goes: the folders are part of it, and only the files that were
//! there at the last build are watched without this.

fn main() {
    println!("cargo::rerun-if-changed=scenarios");
    println!("cargo::rerun-if-changed=recordings");
}
