//! Questions that are under way: a set of futures, each with a number.
//!
//! Each is polled once as soon as it is started, so that they begin in the order in which they were
//! started; and later on when it is woken.

use crate::slot::lock;
use lockutils::ordered::{OrderedMap, Ranked};
use std::collections::VecDeque;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Futures by their number.
pub(crate) struct Calls<K, T> {
    futures: OrderedMap<K, Running<K, T>>,
    done: VecDeque<(K, T)>,
    /// To be polled in this round.
    round: VecDeque<K>,
    woken: Arc<Woken<K>>,
}

struct Running<K, T> {
    future: Pin<Box<dyn Future<Output = T> + Send>>,
    waker: Arc<One<K>>,
}

/// Which of them are to be polled.
struct Woken<K> {
    numbers: Mutex<VecDeque<K>>,
    /// Of who polls them all.
    waker: Mutex<Option<Waker>>,
}

struct One<K> {
    number: K,
    is_woken: AtomicBool,
    woken: Arc<Woken<K>>,
}

impl<K: Ranked + PartialEq + Send + Sync + 'static, T> Calls<K, T> {
    pub(crate) fn new() -> Self {
        Self {
            futures: OrderedMap::new(),
            done: VecDeque::new(),
            round: VecDeque::new(),
            woken: Arc::new(Woken {
                numbers: Mutex::default(),
                waker: Mutex::default(),
            }),
        }
    }

    /// Starts a future, and polls it once.
    pub(crate) fn start(&mut self, number: K, future: impl Future<Output = T> + Send + 'static) {
        let waker = Arc::new(One {
            number,
            is_woken: AtomicBool::new(false),
            woken: Arc::clone(&self.woken),
        });
        let future = Box::pin(future);
        self.go_on(number, Running { future, waker });
    }

    /// Drops a future.
    pub(crate) fn stop(&mut self, number: K) {
        self.futures.remove(&number);
        self.done.retain(|(done, _)| *done != number);
    }

    /// What one of them has come to.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<(K, T)> {
        let old = lock(&self.woken.waker).replace(context.waker().clone());
        drop(old);
        // Two rounds, since Tokio has futures wait that go on for too long without a break: those
        // are woken at once, and would be polled here for ever.
        for _ in 0..2 {
            if self.round.is_empty() {
                mem::swap(&mut self.round, &mut *lock(&self.woken.numbers));
            }
            loop {
                if let Some(done) = self.done.pop_front() {
                    return Poll::Ready(done);
                }
                let Some(number) = self.round.pop_front() else {
                    break;
                };
                if let Some(running) = self.futures.remove(&number) {
                    self.go_on(number, running);
                }
            }
        }
        if !lock(&self.woken.numbers).is_empty() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn go_on(&mut self, number: K, mut running: Running<K, T>) {
        // Acquire: it pairs with the release in `wake`, so that what was done before is seen.
        running.waker.is_woken.swap(false, Ordering::AcqRel);
        let waker = Waker::from(Arc::clone(&running.waker));
        match running
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
        {
            Poll::Ready(it) => self.done.push_back((number, it)),
            Poll::Pending => {
                self.futures.insert(number, running);
            }
        }
    }
}

impl<K: Copy + Send + Sync> Wake for One<K> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: it pairs with the swap in `go_on`.
        if self.is_woken.swap(true, Ordering::AcqRel) {
            return;
        }
        lock(&self.woken.numbers).push_back(self.number);
        let waker = mem::take(&mut *lock(&self.woken.waker));
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, poll_fn, ready};

    fn poll(calls: &mut Calls<u64, u32>) -> Poll<(u64, u32)> {
        calls.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn futures_are_polled_when_they_start_and_when_they_are_woken() {
        let polled = Arc::new(Mutex::new(Vec::new()));
        let mut calls = Calls::new();
        let wakers = Arc::new(Mutex::new(Vec::new()));
        for number in [3, 1, 2] {
            let (polled, wakers) = (Arc::clone(&polled), Arc::clone(&wakers));
            calls.start(
                number,
                poll_fn(move |context| {
                    lock(&polled).push(number);
                    lock(&wakers).push(context.waker().clone());
                    Poll::<u32>::Pending
                }),
            );
        }
        assert_eq!(*lock(&polled), [3, 1, 2]);
        assert!(poll(&mut calls).is_pending());
        assert_eq!(*lock(&polled), [3, 1, 2]);
        let waker = lock(&wakers)[1].clone();
        waker.wake_by_ref();
        waker.wake_by_ref();
        assert!(poll(&mut calls).is_pending());
        assert_eq!(*lock(&polled), [3, 1, 2, 1]);
    }

    #[test]
    fn future_that_is_woken_again_and_again_gives_way() {
        let mut calls = Calls::new();
        calls.start(
            1,
            poll_fn(|context| {
                context.waker().wake_by_ref();
                Poll::<u32>::Pending
            }),
        );
        assert!(poll(&mut calls).is_pending());
        calls.start(2, ready(20));
        assert_eq!(poll(&mut calls), Poll::Ready((2, 20)));
    }

    #[test]
    fn results_come_with_their_number_and_what_is_stopped_gives_none() {
        let mut calls = Calls::new();
        calls.start(1, ready(10));
        calls.start(2, pending());
        calls.start(3, ready(30));
        assert_eq!(poll(&mut calls), Poll::Ready((1, 10)));
        assert_eq!(poll(&mut calls), Poll::Ready((3, 30)));
        calls.stop(2);
        assert!(poll(&mut calls).is_pending());
        assert!(calls.futures.is_empty());
    }
}
