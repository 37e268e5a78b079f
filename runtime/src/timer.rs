//! The time that a wait may take, of a thread and of a task.

use crate::alarm::Alarm;
use crate::sync::Instant;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// 34,000 years, and less than any clock holds.
pub(crate) const FOREVER: Duration = Duration::from_secs(1 << 40);

/// The time that is left to somebody who gives up. The clock is read by who wants to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    timeout: Duration,
    /// `None` before it starts.
    start: Option<Instant>,
}

impl Left {
    /// `None` if it is for ever.
    pub(crate) fn of(timeout: Duration, timer: Option<&Timer>) -> Option<Self> {
        let start = timer.map(|timer| timer.start);
        (timeout < FOREVER).then_some(Self { timeout, start })
    }

    pub(crate) fn get(self) -> Duration {
        let spent = self.start.map(|start| start.elapsed());
        self.timeout.saturating_sub(spent.unwrap_or_default())
    }
}

/// The time that a wait may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    pub(crate) start: Instant,
    /// `None` if it is for ever.
    pub(crate) deadline: Option<Instant>,
}

impl Timer {
    pub(crate) fn start(timeout: Duration) -> Self {
        let start = Instant::now();
        let deadline = (timeout < FOREVER)
            .then(|| start.checked_add(timeout))
            .flatten();
        Self { start, deadline }
    }

    /// The deadline, or another moment that is before it.
    pub(crate) fn next(&self, other: Option<Instant>) -> Option<Instant> {
        match (self.deadline, other) {
            (Some(deadline), Some(other)) if other < deadline => Some(other),
            (deadline, other) => deadline.or(other),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// A [`Timer`] that wakes a task, under any executor.
#[derive(Debug)]
pub(crate) struct AsyncTimer {
    pub(crate) timer: Timer,
    /// `None` if the time is over at once, or never.
    alarm: Option<Alarm>,
}

impl AsyncTimer {
    pub(crate) fn start(timeout: Duration) -> Self {
        let timer = Timer::start(timeout);
        let runs = timer.deadline.is_some() && !timer.is_over();
        let alarm = runs.then(|| Alarm::after(timeout));
        Self { timer, alarm }
    }

    /// How long it took, once the time is over; else sees to it that the task is woken then.
    pub(crate) fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<Duration> {
        let Self { timer, alarm } = self;
        if !timer.is_over() {
            match alarm {
                None => return Poll::Pending,
                Some(alarm) => ready!(alarm.poll(context.waker().clone())),
            }
        }
        Poll::Ready(timer.start.elapsed())
    }
}
