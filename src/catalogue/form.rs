//! Whether a scenario is run with its fault or without. [`ScenarioForm`] is principal.

/// Whether scenarios are run as they stand, or with their fault undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScenarioForm {
    /// As they stand.
    Faulty,
    /// With `fix.diff` applied.
    Fixed,
}

impl ScenarioForm {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Faulty => "faulty",
            Self::Fixed => "fixed",
        }
    }
}
