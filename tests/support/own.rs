//! What a person has on the engine besides ours, which no run and no clean-up may touch. [`Own`] is principal.

use verify_buildkit_cache::scenario::sample;

use crate::support::engine::Engine;

/// A container that was made and not started, a layer, a cache mount just where Go has its own, with a file in it, and a
/// tagged image.
pub(crate) struct Own {
    engine: Engine,
    word: String,
    /// Records that were not there before.
    new: Vec<String>,
    container: String,
}

impl Own {
    /// Makes it.
    pub(crate) fn make(engine: &Engine) -> Self {
        let word = format!("mine-{}", std::process::id());
        let before = engine.records();
        engine.tag(&go_image(engine), &word, "latest");
        let container = engine.container(&format!("{word}:latest"));
        let mut own = Self { engine: engine.clone(), word, new: Vec::new(), container };
        let word = &own.word;
        own.in_mount(&format!("echo {word} > /go/pkg/mod/{word}"));
        let mount = |text: &str| text.starts_with("cached mount /go/pkg/mod ") && !text.contains("VBC_RUNNER=");
        let ours = |text: &str| text.contains(word.as_str()) || mount(text);
        let now = engine.records();
        assert!(now.iter().any(|record| mount(&record.description)), "a cache mount of one's own");
        let new = now.difference(&before).filter(|record| ours(&record.description));
        own.new = new.map(|record| record.id.clone()).collect();
        own
    }

    /// Runs a command with the mount in a build of one's own.
    fn in_mount(&self, command: &str) {
        let image = go_image(&self.engine);
        self.engine.build(&format!("FROM {image}\nRUN --mount=type=cache,target=/go/pkg/mod {command}\n"));
    }

    /// Fails unless all of it is there and as it was.
    pub(crate) fn are_still_there(&self) {
        self.are_all_listed();
        self.in_mount(&format!("grep {word} /go/pkg/mod/{word}", word = self.word));
    }

    /// Fails unless the engine lists all of it.
    pub(crate) fn are_all_listed(&self) {
        let (word, records) = (&self.word, self.engine.records());
        for id in &self.new {
            assert!(records.iter().any(|record| record.id == *id), "build cache record {id} is gone");
        }
        assert!(self.engine.has_image(&format!("{word}:latest")), "image {word}:latest is gone");
        assert!(self.engine.holdings().containers.contains(&self.container), "a container is gone");
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.engine.remove_container(&self.container);
        self.engine.untag(&format!("{}:latest", self.word));
        if std::thread::panicking() {
            // A second panic would end the tests; what is left names the test.
            return;
        }
        self.in_mount(&format!("rm /go/pkg/mod/{}", self.word));
        for record in self.engine.records() {
            if record.description.contains(&self.word) || self.new.contains(&record.id) {
                self.engine.prune(&record.id);
            }
        }
    }
}

/// The Go image that this machine was set up with.
pub(crate) fn go_image(engine: &Engine) -> String {
    let images = [sample::official_go_image(), sample::local_go_image()];
    images.into_iter().find(|image| engine.has_image(image)).expect("a Go image; run `make setup`")
}
