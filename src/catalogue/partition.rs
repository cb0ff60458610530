//! One part of the catalogue for one of several machines. [`Partition`] is principal.

use std::str::FromStr;

/// Part K of M, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    part: usize,
    of: usize,
}

/// A text that is no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not K/M with K from 1 to M, such as 2/3")]
pub struct PartitionError(String);

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || PartitionError(text.to_owned());
        let (part, of) = text.split_once('/').ok_or_else(wrong)?;
        let (part, of) = (part.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
        if part == 0 || part > of { Err(wrong()) } else { Ok(Self { part, of }) }
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.part, self.of)
    }
}

impl Partition {
    /// Tells for each item whether it belongs to this part, by what the items weigh.
    ///
    /// The heaviest go first, each to the part that weighs least so far, and of equals to the first: the same items in
    /// the same order are parted the same way on every machine, and every item belongs to exactly one part.
    pub fn takes(self, weights: &[usize]) -> Vec<bool> {
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(weights[*at]));
        let (mut loads, mut ours) = (vec![0; self.of], vec![false; weights.len()]);
        for at in order {
            let Some(least) = (0..self.of).min_by_key(|part| loads[*part]) else { continue };
            loads[least] += weights[at].max(1);
            ours[at] = least + 1 == self.part;
        }
        ours
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_parts_that_exist_are_read() {
        assert_eq!("2/3".parse(), Ok(Partition { part: 2, of: 3 }));
        for text in ["0/3", "4/3", "1", "1/", "/2", "a/b", "-1/2", "1/0"] {
            assert!(text.parse::<Partition>().is_err(), "{text}");
        }
    }

    #[test]
    fn heavy_scenarios_are_spread() {
        let takes = |part| Partition { part, of: 2 }.takes(&[2, 2, 5, 2, 3]);
        assert_eq!(takes(1), [false, true, true, false, false]);
        assert_eq!(takes(2), [true, false, false, true, true]);
    }

    proptest! {
        #[test]
        fn every_item_belongs_to_exactly_one_part_and_no_part_is_much_heavier(
            weights in prop::collection::vec(1..6usize, 0..60), of in 1..8usize,
        ) {
            let parts: Vec<Vec<bool>> = (1..=of).map(|part| Partition { part, of }.takes(&weights)).collect();
            for at in 0..weights.len() {
                prop_assert_eq!(parts.iter().filter(|part| part[at]).count(), 1);
            }
            let load = |part: &Vec<bool>| part.iter().zip(&weights).filter(|(ours, _)| **ours).map(|(_, weight)| weight).sum::<usize>();
            let loads: Vec<usize> = parts.iter().map(load).collect();
            let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
            prop_assert!(most - least <= 5, "{loads:?}");
        }
    }
}
