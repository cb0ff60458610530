//! The build is as slow as without caches.

use super::mounts::never_filled;
use super::{Need, Rule};
use crate::evidence::Quote;
use crate::verify::checks::{c1, c2};
use crate::verify::view::View;
use crate::verify::{Code, Finding, Status};

pub(super) const RULE: Rule = Rule { codes: &[Code::BuildNotFaster], needs: &[Need::Evidence], check };

fn check(view: &View) -> Vec<Finding> {
    let mounts = c1::mounts(view);
    let unused = mounts.iter().find(|mount| mount.status == Status::Fail && never_filled(view, mount));
    if let Some(mount) = unused {
        let target = &mount.mount.target;
        return vec![Finding::error(
            Code::BuildNotFaster,
            format!("{target} is empty before and after the build: Go keeps its cache elsewhere"),
            mount.before.iter().map(|before| before.quote.clone()).collect(),
            format!(
                "Mount the cache where Go keeps it: compare {target} with `go env GOCACHE GOMODCACHE` inside the build, as the user that builds."
            ),
        )];
    }
    let time = c2::read(view);
    if time.status != Status::Fail {
        return Vec::new();
    }
    let full = !mounts.is_empty() && mounts.iter().all(|mount| mount.status == Status::Pass);
    let although = if full { "although its caches are there" } else { "and nothing shows why" };
    let sizes: Vec<Quote> =
        mounts.iter().filter_map(|mount| mount.before.as_ref()).map(|before| before.quote.clone()).collect();
    vec![Finding::error(
        Code::BuildNotFaster,
        format!("go build took {}, {although}", time.observed),
        [time.evidence, sizes].concat(),
        Code::BuildNotFaster.docs().fix,
    )]
}
