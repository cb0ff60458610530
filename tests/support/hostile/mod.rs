//! Logs from a known truth: what is true of a run is decided first, then the way it is shown is spoilt. [`Hostile`] is principal.
//!
//! No reader can see what left no trace. So each thing that fools leaves at least one line, or a mount's name, from which
//! a careful person sees that the log proves nothing; no disguise may take such a line away.
//!
//! This module knows nothing of the product, so that the tests and the fuzz target share it.

#![allow(dead_code, reason = "each test uses another part of it")]

pub(crate) mod cause;
pub(crate) mod chooser;
pub(crate) mod disguise;
pub(crate) mod known;
pub(crate) mod page;
pub(crate) mod play;
pub(crate) mod scene;
pub(crate) mod story;

use cause::{CAUSES, Cause};
use chooser::Chooser;
use disguise::{DISGUISES, Disguise};
use page::{FORMS, Form, Page};
use play::{Truth, play};
use scene::Scene;

/// One case: why the build is cold, and how that is hidden.
#[derive(Debug, Clone)]
pub(crate) struct Hostile {
    /// Why it is cold.
    pub(crate) causes: Vec<Cause>,
    /// How it is hidden.
    pub(crate) disguises: Vec<Disguise>,
    /// In which form the log is handed on.
    pub(crate) form: Form,
    /// Whether the healthy run that saved the entry is given, too.
    pub(crate) with_first: bool,
    /// Further choices, such as which lines are lost.
    details: Chooser,
}

impl Hostile {
    /// Chooses a case.
    pub(crate) fn choose(mut choose: Chooser) -> Self {
        let causes = (0..=choose.below(8) / 7).map(|_| choose.one(&CAUSES)).collect();
        let mut disguises: Vec<Disguise> = (0..choose.below(4)).map(|_| choose.one(&DISGUISES)).collect();
        disguises.sort_unstable();
        disguises.dedup();
        let form = choose.one(&FORMS);
        let with_first = choose.below(3) == 2;
        Self { causes, disguises, form, with_first, details: choose }
    }

    /// Plays the case: the page of each run, oldest first, and what is true of the last.
    pub(crate) fn play(&self) -> (Vec<Page>, Truth) {
        let mut scene = Scene::healthy();
        let mut choose = self.details.clone();
        self.causes.iter().for_each(|cause| cause.apply(&mut scene));
        self.disguises.iter().for_each(|disguise| disguise.apply(&mut scene, &mut choose));
        let (story, truth) = play(&scene, 40_000_000);
        let mut page = story.page().clone();
        let warm = play(&Scene::healthy(), 36_000_000).0;
        self.disguises.iter().for_each(|disguise| disguise.spoil(&mut page, warm.page(), &mut choose));
        let mut pages = vec![page];
        if self.with_first {
            let mut first = Scene::healthy();
            first.stored = scene::Stored::Missing;
            first.cold = scene.cold;
            pages.insert(0, play(&first, 36_000_000).0.page().clone());
        }
        (pages, truth)
    }

    /// The same case with less in it, one thing at a time.
    fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        if self.with_first {
            all.push(Self { with_first: false, ..self.clone() });
        }
        if self.form != Form::Raw {
            all.push(Self { form: Form::Raw, ..self.clone() });
        }
        for at in 0..self.disguises.len() {
            let mut less = self.clone();
            less.disguises.remove(at);
            all.push(less);
        }
        for at in (0..self.causes.len()).filter(|_| self.causes.len() > 1) {
            let mut less = self.clone();
            less.causes.remove(at);
            all.push(less);
        }
        all
    }

    /// Takes from it whatever it can do without, as long as `still` holds.
    pub(crate) fn smallest(mut self, still: impl Fn(&Self) -> bool) -> Self {
        while let Some(smaller) = self.smaller().into_iter().find(&still) {
            self = smaller;
        }
        self
    }

    /// What makes it this kind of case.
    pub(crate) fn kind(&self) -> String {
        let first = if self.with_first { " after a first run" } else { "" };
        format!("{:?} behind {:?} as {:?}{first}", self.causes, self.disguises, self.form)
    }
}
