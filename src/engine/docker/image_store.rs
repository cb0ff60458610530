//! Where an engine keeps its images, which decides what a removal costs others. [`ImageStore`] is principal.

use bollard::models::SystemInfo;

/// Where an engine keeps images and layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageStore {
    /// In storage drivers of its own.
    Classic,
    /// In containerd, as Docker 29 does from the start.
    ///
    /// There, removing one record of the build cache makes BuildKit forget the answers of all steps it has built, whoever
    /// built them. Their records stay and take up space, and every build begins anew. After a removal BuildKit drops each
    /// answer whose record is gone, and asks for the records with a context that it has cancelled already; containerd
    /// refuses such a question, and so every record seems to be gone. Seen on Docker 28.5.2. Source:
    /// <https://github.com/moby/buildkit/blob/v0.25.2/control/control.go> (`Prune`), `solver/cachemanager.go`
    /// (`ReleaseUnreferenced`); the same in v0.32.2.
    Containerd,
}

impl ImageStore {
    /// Reads what an engine says of itself.
    pub(super) fn of(info: &SystemInfo) -> Self {
        let mut pairs = info.driver_status.iter().flatten();
        let containerd = pairs.any(|pair| matches!(&pair[..], [name, kind] if name == "driver-type" && kind.starts_with("io.containerd.snapshotter")));
        if containerd { Self::Containerd } else { Self::Classic }
    }

    /// Tells whether a removal makes the engine forget what it has built.
    pub(super) fn forgets(self) -> bool {
        self == Self::Containerd
    }
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
        assert_eq!(ImageStore::of(&info(&classic)), ImageStore::Classic);
        assert_eq!(ImageStore::of(&SystemInfo::default()), ImageStore::Classic);
        let containerd = [["driver-type", "io.containerd.snapshotter.v1"]];
        assert_eq!(ImageStore::of(&info(&containerd)), ImageStore::Containerd);
    }
}
