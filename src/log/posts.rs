//! Which main step a post step belongs to: the log does not say. [`settle`] is principal.
//!
//! Decides by what a post step printed (a key, a Dancefile), by its name where the log has one, and last by the order: post
//! steps run in the reverse order of their main steps.

use super::inputs::StepKind;
use crate::evidence::{CacheMode, Event, Fact, StepId};

/// A main step, as far as it can have a post step.
#[derive(Debug)]
pub(super) struct MainStep {
    pub(super) id: StepId,
    pub(super) kind: StepKind,
    /// Its name as its block shows it.
    pub(super) name: String,
    /// Its name in the workflow, where the log has one.
    pub(super) label: Option<String>,
    /// The primary key of a cache step.
    pub(super) key: Option<String>,
}

/// A post step.
#[derive(Debug)]
pub(super) struct LoggedPost {
    pub(super) id: StepId,
    /// Its name, where the log has one, without `Post `.
    pub(super) label: Option<String>,
    /// What it printed.
    pub(super) content: PostContent,
}

/// What a post step printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PostContent {
    /// Nothing of ours.
    Nothing,
    /// Lines of a cache save; the key where one was named.
    Cache(Option<String>),
    /// Lines of the dance.
    Dance,
}

/// Names the main step of every post step that can be told, and takes out the lines of other actions' caches.
pub(super) fn settle(mains: &[MainStep], posts: &[LoggedPost], events: &mut Vec<Event>) {
    let mut owners: Vec<Option<usize>> = vec![None; posts.len()];
    for certain in [by_key, by_label, by_dance] {
        for (at, post) in posts.iter().enumerate() {
            if owners[at].is_none() {
                let taken = |main: usize| owners.contains(&Some(main));
                owners[at] = certain(mains, post, &taken);
            }
        }
    }
    for at in 0..posts.len() {
        if owners[at].is_none() && posts[at].content == PostContent::Cache(None) {
            owners[at] = by_order(mains, &owners, at);
        }
    }
    for (post, owner) in posts.iter().zip(&owners) {
        let main = owner.and_then(|at| mains.get(at));
        let ours =
            main.is_some_and(|main| matches!(main.kind, StepKind::Cache(_) | StepKind::Unknown)) || mains.is_empty();
        if matches!(post.content, PostContent::Cache(_)) && !ours {
            events.retain(|event| event.step != Some(post.id) || !is_save(&event.fact));
        }
        let start = events.iter_mut().find(|event| event.step == Some(post.id));
        if let (Some(main), Some(Event { fact: Fact::StepStarted { of, name, .. }, .. })) = (main, start) {
            *of = Some(main.id);
            *name = format!("Post {}", main.name);
        }
    }
}

fn is_save(fact: &Fact) -> bool {
    matches!(fact, Fact::CacheSave(_) | Fact::CacheSaveSize { .. } | Fact::CacheCompressed(_))
}

fn saves(main: &MainStep) -> bool {
    main.kind == StepKind::Cache(CacheMode::RestoreAndSave)
}

/// A cache step by the key that the save names.
fn by_key(mains: &[MainStep], post: &LoggedPost, taken: &dyn Fn(usize) -> bool) -> Option<usize> {
    let PostContent::Cache(Some(key)) = &post.content else { return None };
    let mut alike = mains.iter().enumerate().rev().filter(|(_, main)| saves(main) && main.key.as_ref() == Some(key));
    alike.find(|(at, _)| !taken(*at)).map(|(at, _)| at)
}

/// By the name that `gh` shows: the one main step of that name which prints such lines.
fn by_label(mains: &[MainStep], post: &LoggedPost, taken: &dyn Fn(usize) -> bool) -> Option<usize> {
    let label = post.label.as_ref()?;
    let fits = |main: &MainStep| match &post.content {
        // A save that names a key belongs to no step of another key.
        PostContent::Cache(Some(_)) => {
            matches!(main.kind, StepKind::Cache(_) | StepKind::Unknown) && main.key.is_none()
        }
        PostContent::Cache(None) => saves(main) || matches!(main.kind, StepKind::Unknown | StepKind::OtherCache),
        PostContent::Dance => matches!(main.kind, StepKind::Dance(_) | StepKind::Unknown),
        PostContent::Nothing => true,
    };
    let named = |main: &MainStep| {
        main.label.as_ref() == Some(label) || main.name == *label || main.name == format!("Run {label}")
    };
    let mut alike = mains.iter().enumerate().rev().filter(|(at, main)| !taken(*at) && fits(main) && named(main));
    alike.next().map(|(at, _)| at)
}

/// A dance step, the last one first.
fn by_dance(mains: &[MainStep], post: &LoggedPost, taken: &dyn Fn(usize) -> bool) -> Option<usize> {
    if post.content != PostContent::Dance {
        return None;
    }
    let mut dances = mains.iter().enumerate().rev().filter(|(_, main)| matches!(main.kind, StepKind::Dance(_)));
    dances.find(|(at, _)| !taken(*at)).map(|(at, _)| at)
}

/// A cache step that fits between the post steps already told; the last one first, since those are cleaned up first.
fn by_order(mains: &[MainStep], owners: &[Option<usize>], at: usize) -> Option<usize> {
    let above = owners[..at].iter().flatten().min().copied().unwrap_or(mains.len());
    let below = owners[at + 1..].iter().flatten().max().copied();
    let candidates = (0..mains.len()).rev().filter(|main| *main < above && below.is_none_or(|below| *main > below));
    let mut free = candidates.filter(|main| !owners.contains(&Some(*main)));
    free.find(|main| saves(&mains[*main]) || mains[*main].kind == StepKind::OtherCache)
}
