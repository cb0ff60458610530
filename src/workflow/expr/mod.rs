//! GitHub's expression language: [`Template`] is a text with `${{ … }}` in it, [`Condition`] an `if:`.
//!
//! Parsing happens once and gives spans in the workflow; evaluation asks [`Contexts`] for everything it does not know.
//! Not here: any context's content, and finding files for `hashFiles`.

mod condition;
mod contexts;
mod error;
mod eval;
mod functions;
mod hash;
mod json;
mod locate;
mod survey;
mod template;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use condition::Condition;
pub use contexts::{Contexts, HashFilesError, JobStatus, Unresolved};
pub use error::ExprError;
pub use hash::combine_hashes;
pub use survey::{constant_over_runs, env_names, mentions};
pub use template::Template;
pub use value::Value;
pub(in crate::workflow) use value::format_number;
