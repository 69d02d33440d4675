//! Measuring: rounds in turns, the median and the spread of their ratios, a target to compare them with.
//!
//! A busy machine slows both sides of a ratio, when they are measured within the same moments. So a round measures one
//! side and then the other, the next round begins with the other, and the ratio is taken round by round.

use std::time::Instant;

use anyhow::{Result, ensure};

/// What a figure has to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The median must reach this.
    AtLeast(f64),
    /// The median must not exceed this.
    AtMost(f64),
    /// Nothing: it is shown beside one that has to.
    Shown,
}

/// A measured figure with its spread: a ratio, or a count that needs no other to compare with, such as bytes.
#[derive(Clone, Debug)]
pub struct Ratio {
    /// What was measured, over what.
    pub name: String,
    /// What the median must hold.
    pub target: Target,
    /// The middle of all rounds.
    pub median: f64,
    /// The least of all rounds.
    pub min: f64,
    /// The greatest of all rounds.
    pub max: f64,
}

impl Ratio {
    /// Summarises the figures of all rounds.
    ///
    /// # Errors
    /// When there are none, or one is not a number: a division by a time of zero, say.
    pub fn of(name: impl Into<String>, target: Target, rounds: &[f64]) -> Result<Self> {
        let name = name.into();
        ensure!(!rounds.is_empty(), "{name} was measured in no round");
        ensure!(rounds.iter().all(|figure| figure.is_finite()), "{name} came out as no number: {rounds:?}");
        let mut sorted = rounds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Ok(Self { name, target, median: low.midpoint(high), min: sorted[0], max: sorted[sorted.len() - 1] })
    }

    /// Whether the median holds the target.
    pub fn holds(&self) -> bool {
        match self.target {
            Target::AtLeast(least) => self.median >= least,
            Target::AtMost(most) => self.median <= most,
            Target::Shown => true,
        }
    }
}

/// Measures `subject` over `base` in `rounds` rounds, after one that warms both up and does not count.
///
/// Each closure does its share of one round and returns its figure, in the same unit: [`seconds`], or a rate.
pub fn compare(
    name: impl Into<String>,
    target: Target,
    rounds: usize,
    subject: impl FnMut() -> Result<f64>,
    base: impl FnMut() -> Result<f64>,
) -> Result<Ratio> {
    let ratios: Vec<f64> = in_turns(rounds, subject, base)?.iter().map(|(ours, theirs)| ours / theirs).collect();
    Ratio::of(name, target, &ratios)
}

/// Measures `subject` and `base` in turns, as [`compare`] does, and returns both figures of each round.
pub fn in_turns(
    rounds: usize,
    mut subject: impl FnMut() -> Result<f64>,
    mut base: impl FnMut() -> Result<f64>,
) -> Result<Vec<(f64, f64)>> {
    let mut figures = Vec::with_capacity(rounds);
    for round in 0..=rounds {
        let (ours, theirs) = if round % 2 == 0 {
            let ours = subject()?;
            (ours, base()?)
        } else {
            let theirs = base()?;
            (subject()?, theirs)
        };
        if round > 0 {
            figures.push((ours, theirs));
        }
    }
    Ok(figures)
}

/// Does the work once, and returns the seconds it took.
pub fn seconds(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        let ratio = Ratio::of("x", Target::AtMost(2.5), &[4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((ratio.min, ratio.median, ratio.max), (1.0, 2.5, 4.0));
        assert!(ratio.holds());
        assert!(!Ratio { target: Target::AtLeast(2.6), ..ratio }.holds());
    }

    #[test]
    fn a_figure_that_is_no_number_is_refused() {
        let ratio = |rounds| Ratio::of("x", Target::AtMost(1.0), rounds);
        assert_eq!(ratio(&[]).unwrap_err().to_string(), "x was measured in no round");
        assert!(ratio(&[1.0, f64::INFINITY]).unwrap_err().to_string().starts_with("x came out as no number"));
    }

    #[test]
    fn sides_take_turns_and_the_first_round_does_not_count() {
        let order = std::cell::RefCell::new(String::new());
        let side = |letter, mut figure: f64| {
            let order = &order;
            move || {
                order.borrow_mut().push(letter);
                // The warm-up's figure would spoil the median.
                Ok(std::mem::replace(&mut figure, 6.0))
            }
        };
        let ratio = compare("x", Target::AtMost(1.0), 2, side('s', 1e9), || {
            order.borrow_mut().push('b');
            Ok(3.0)
        });
        let ratio = ratio.unwrap();
        assert_eq!((ratio.min, ratio.max), (2.0, 2.0));
        assert_eq!(*order.borrow(), "sbbssb");
    }

    #[test]
    fn work_that_fails_has_no_time() {
        assert!(seconds(|| anyhow::bail!("no")).is_err());
        assert!(seconds(|| Ok(())).unwrap() >= 0.0);
    }
}
