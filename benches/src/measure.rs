//! Rounds, medians and ratios.
//!
//! In each round every cell of a row is measured once, for a stretch of time, and
//! each round begins with another cell; so a change of the machine's speed in the
//! middle of a row meets all its cells alike. A ratio is taken within a round, of
//! two stretches that lie close together in time, and only then the median over
//! the rounds.

use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// How long a cell is measured in a round.
    pub(crate) stretch: Duration,
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        rounds: 21,
        stretch: Duration::from_millis(50),
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        stretch: Duration::from_millis(10),
    };
}

/// A contender at work: runs for about so long, and returns the nanoseconds an
/// acquisition took.
pub(crate) type Run = Box<dyn FnMut(Duration) -> f64>;

/// Counts acquisitions until a deadline. The clock is read between the passes of a
/// workload over its keys, which are long enough to hide its cost.
pub(crate) struct Stretch {
    deadline: Instant,
    started: Instant,
    ended: Instant,
    acquisitions: u32,
}

impl Stretch {
    pub(crate) fn until(deadline: Instant) -> Self {
        let now = Instant::now();
        Self {
            deadline,
            started: now,
            ended: now,
            acquisitions: 0,
        }
    }

    /// Whether there is time for another pass.
    pub(crate) fn goes_on(&self) -> bool {
        self.ended < self.deadline
    }

    /// Notes a finished pass.
    pub(crate) fn passed(&mut self, keys: usize) {
        self.acquisitions += u32::try_from(keys).expect("a pass has few keys");
        self.ended = Instant::now();
    }

    /// The time of an acquisition when all of these ran at once, in nanoseconds:
    /// from the first start to the last end, divided by all acquisitions.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(crate) fn nanoseconds_each(all: &[Self]) -> f64 {
        let started = all.iter().map(|stretch| stretch.started).min();
        let ended = all.iter().map(|stretch| stretch.ended).max();
        let wall = ended.expect("at least one stretch") - started.expect("at least one stretch");
        let acquisitions: u32 = all.iter().map(|stretch| stretch.acquisitions).sum();
        wall.as_secs_f64() * 1e9 / f64::from(acquisitions)
    }
}

/// Measures the cells of a row. Returns the times of each, by round.
pub(crate) fn rounds(cells: &mut [&mut Run], plan: Plan) -> Vec<Vec<f64>> {
    // Fills caches and allocators, and lets the leaky ones meet their keys.
    for run in cells.iter_mut() {
        run(plan.stretch / 10);
    }
    let count = cells.len();
    let mut times = vec![Vec::with_capacity(plan.rounds); count];
    for round in 0..plan.rounds {
        for turn in 0..count {
            let index = (round + turn) % count;
            times[index].push(cells[index](plan.stretch));
        }
    }
    times
}

/// The middle value; of an even number of values the mean of the middle two.
///
/// # Panics
///
/// If there are none.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The median of the rounds' own ratios.
pub(crate) fn ratio(times: &[f64], reference: &[f64]) -> f64 {
    let ratios: Vec<_> = times.iter().zip(reference).map(|(a, b)| a / b).collect();
    median(&ratios)
}

/// Half the distance between the quartiles, as a part of the median: half of the
/// rounds lie about so close to it.
pub(crate) fn noise(times: &[f64]) -> f64 {
    (quantile(times, 0.75) - quantile(times, 0.25)) / 2.0 / median(times)
}

/// The value below which a part of the values lies, between two values linearly.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = u32::try_from(sorted.len() - 1).expect("there are few rounds");
    let at = part * f64::from(last);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index within the values"
    )]
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn median_is_the_middle_value_in_any_order() {
        assert!(near(median(&[9.0, 1.0, 3.0]), 3.0));
        assert!(near(median(&[5.0]), 5.0));
    }

    #[test]
    fn median_of_an_even_number_is_between_the_middle_two() {
        assert!(near(median(&[4.0, 1.0, 2.0, 100.0]), 3.0));
    }

    #[test]
    fn ratio_is_taken_within_each_round() {
        // The machine ran at half its speed in the second round, for both.
        assert!(near(ratio(&[30.0, 60.0, 30.0], &[10.0, 20.0, 10.0]), 3.0));
        // The ratio of the medians would be 2.
        assert!(near(ratio(&[10.0, 20.0, 90.0], &[10.0, 5.0, 30.0]), 3.0));
    }

    #[test]
    fn noise_is_half_the_quartile_distance_to_the_median() {
        assert!(near(noise(&[10.0, 10.0, 10.0]), 0.0));
        assert!(near(noise(&[8.0, 9.0, 10.0, 11.0, 1000.0]), 0.1));
    }

    #[test]
    fn threads_at_once_share_the_wall_time() {
        let start = Instant::now();
        let stretch = |from, to, acquisitions| Stretch {
            deadline: start,
            started: start + Duration::from_nanos(from),
            ended: start + Duration::from_nanos(to),
            acquisitions,
        };
        let each = Stretch::nanoseconds_each(&[stretch(0, 80, 3), stretch(20, 100, 7)]);
        assert!(near(each, 10.0));
    }

    #[test]
    fn every_round_runs_each_cell_once_and_begins_with_another() {
        let log = Rc::new(RefCell::new(String::new()));
        let run = |name: &'static str| -> Run {
            let log = Rc::clone(&log);
            Box::new(move |_| {
                log.borrow_mut().push_str(name);
                f64::from(name.as_bytes()[0])
            })
        };
        let (mut a, mut b, mut c) = (run("a"), run("b"), run("c"));
        let plan = Plan {
            rounds: 3,
            stretch: Duration::ZERO,
        };
        let times = rounds(&mut [&mut a, &mut b, &mut c], plan);
        // The first three are the warm-up, which is not in the times.
        assert_eq!(*log.borrow(), "abcabcbcacab");
        assert_eq!(times, [[97.0; 3], [98.0; 3], [99.0; 3]]);
    }
}
