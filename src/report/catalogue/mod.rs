//! The catalogue, told and held against what came of it. Each renderer has a file: [`list`] and [`show`] for a person who
//! reads, [`page`] for the documentation, [`outcome`], [`matrix`], [`json`] and [`junit`] for a run.

mod json;
mod junit;
mod list;
mod matrix;
mod outcome;
mod page;
mod show;
mod site;
mod story;

#[cfg(test)]
mod tests;

pub use json::{SCHEMA, json, list_json};
pub use junit::junit;
pub use list::list;
pub use matrix::matrix;
pub use outcome::outcome;
pub use page::page;
pub use show::show;
pub use site::{SitePage, SiteScenario, round_page, site};
