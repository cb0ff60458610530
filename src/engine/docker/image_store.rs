//! Where an engine keeps its images, which decides what a removal costs others. [`forgets`] is principal.

use bollard::models::SystemInfo;

/// Tells whether an engine keeps its images in containerd, as Docker 29 does from the start, and so forgets what it has built.
///
/// There, removing one record of the build cache makes BuildKit forget the answers of all steps it has built, whoever built
/// them. Their records stay and take up space, and every build begins anew. After a removal BuildKit drops each answer
/// whose record is gone, and asks for the records with a context that it has cancelled already; containerd refuses such a
/// question, and so every record seems to be gone. Seen on Docker 28.5.2. Source:
/// <https://github.com/moby/buildkit/blob/v0.25.2/control/control.go> (`Prune`), `solver/cachemanager.go`
/// (`ReleaseUnreferenced`); the same in v0.32.2.
pub(super) fn forgets(info: &SystemInfo) -> bool {
    let mut pairs = info.driver_status.iter().flatten();
    pairs.any(|pair| {
        matches!(&pair[..], [name, kind] if name == "driver-type" && kind.starts_with("io.containerd.snapshotter"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_says_in_its_driver_status_where_its_images_are() {
        let info = |status: &[[&str; 2]]| SystemInfo {
            driver_status: Some(status.iter().map(|pair| pair.map(str::to_owned).to_vec()).collect()),
            ..SystemInfo::default()
        };
        let classic = [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]];
        assert!(!forgets(&info(&classic)));
        assert!(!forgets(&SystemInfo::default()));
        let containerd = [["driver-type", "io.containerd.snapshotter.v1"]];
        assert!(forgets(&info(&containerd)));
    }
}
