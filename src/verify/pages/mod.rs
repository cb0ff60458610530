//! The pages behind `explain CODE`, as data: one constant per code, gathered by the part of the chain that breaks.

pub(crate) mod a;
pub(crate) mod b;
pub(crate) mod c;
