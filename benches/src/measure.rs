//! Rounds, medians and ratios.
//!
//! In each round every cell of a row is measured once, for a stretch of time, and
//! each round begins with another cell; so a change of the machine's speed in the
//! middle of a row meets all its cells alike. A ratio is taken within a round, of
//! two stretches that lie close together in time, and only then the median over
//! the rounds.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// How long a cell is measured in a round.
    pub(crate) stretch: Duration,
    /// How often that is done which takes seconds.
    pub(crate) repeats: usize,
    /// How long threads compete for one lock to see who gets it.
    pub(crate) fairness: Duration,
    /// How long processes do.
    pub(crate) fairness_of_processes: Duration,
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        rounds: 21,
        stretch: Duration::from_millis(50),
        repeats: 5,
        fairness: Duration::from_secs(3),
        fairness_of_processes: Duration::from_secs(5),
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        stretch: Duration::from_millis(10),
        repeats: 1,
        fairness: Duration::from_millis(300),
        fairness_of_processes: Duration::from_millis(500),
    };
}

/// A contender at work: goes on for about so long, and returns the nanoseconds an
/// acquisition took.
pub(crate) type Run = Box<dyn FnMut(Duration) -> f64>;

/// What a thread did in a measurement.
struct Stretch {
    started: Instant,
    ended: Instant,
    acquisitions: u32,
}

/// Runs `work` in threads that all start at once, and returns the nanoseconds an
/// acquisition took: from the first start to the last end, divided by the
/// acquisitions of all.
///
/// `work` is given the number of its thread. It takes locks at least once and until
/// the flag is set, and returns how often. So no thread is done before the others,
/// and there is no clock to read in between.
pub(crate) fn at_once(
    threads: usize,
    length: Duration,
    work: impl Fn(usize, &AtomicBool) -> u32 + Sync,
) -> f64 {
    let over = AtomicBool::new(false);
    let start = Barrier::new(threads + 1);
    let stretch = |thread| {
        start.wait();
        let started = Instant::now();
        let acquisitions = work(thread, &over);
        let ended = Instant::now();
        Stretch {
            started,
            ended,
            acquisitions,
        }
    };
    let stretches: Vec<_> = thread::scope(|scope| {
        let stretch = &stretch;
        let spawned: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || stretch(thread)))
            .collect();
        start.wait();
        thread::sleep(length);
        // Relaxed: the joins below order all else.
        over.store(true, Ordering::Relaxed);
        let joined = spawned.into_iter().map(ScopedJoinHandle::join);
        joined
            .map(|done| done.expect("the work panicked"))
            .collect()
    });
    nanoseconds_each(&stretches)
}

fn nanoseconds_each(stretches: &[Stretch]) -> f64 {
    let started = stretches.iter().map(|stretch| stretch.started).min();
    let ended = stretches.iter().map(|stretch| stretch.ended).max();
    let wall = ended.zip(started).map(|(ended, started)| ended - started);
    let wall = wall.expect("at least one thread").as_secs_f64();
    let acquisitions: u32 = stretches.iter().map(|stretch| stretch.acquisitions).sum();
    wall * 1e9 / f64::from(acquisitions)
}

/// Measures the cells of a row. Returns the times of each, by round.
pub(crate) fn rounds(mut cells: Vec<&mut Run>, plan: Plan) -> Vec<Vec<f64>> {
    // Fills caches and allocators, and lets the leaky ones meet their keys.
    for run in &mut cells {
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

/// Each round's own ratio.
pub(crate) fn ratios(times: &[f64], reference: &[f64]) -> Vec<f64> {
    times.iter().zip(reference).map(|(a, b)| a / b).collect()
}

/// The median of the rounds' own ratios.
pub(crate) fn ratio(times: &[f64], reference: &[f64]) -> f64 {
    median(&ratios(times, reference))
}

/// Half the distance between the quartiles, as a part of the median: half of the
/// rounds lie about so close to it.
pub(crate) fn noise(times: &[f64]) -> f64 {
    (quantile(times, 0.75) - quantile(times, 0.25)) / 2.0 / median(times)
}

/// The value below which a part of the values lies, between two values linearly.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = u32::try_from(sorted.len() - 1).expect("there are few values");
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
            started: start + Duration::from_nanos(from),
            ended: start + Duration::from_nanos(to),
            acquisitions,
        };
        let each = nanoseconds_each(&[stretch(0, 80, 3), stretch(20, 100, 7)]);
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
            ..Plan::QUICK
        };
        let times = rounds(vec![&mut a, &mut b, &mut c], plan);
        // The first three are the warm-up, which is not in the times.
        assert_eq!(*log.borrow(), "abcabcbcacab");
        assert_eq!(times, [[97.0; 3], [98.0; 3], [99.0; 3]]);
    }
}
