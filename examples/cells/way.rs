//! The ways to serve requests, with a lock or without.

use super::options::Options;
use clap::ValueEnum;
use std::fmt;
use std::thread;

/// By whom the requests are served.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    OneThread,
    ManyThreads { threads: usize },
    NativeThreads,
    Processes { workers: u32 },
}

/// Which of the two functions connects: the one without the attribute, or the one with it.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Lock {
    #[value(name = "none")]
    None,
    #[value(name = "per cell")]
    PerCell,
}

impl Way {
    pub(crate) fn all(options: &Options) -> [Self; 4] {
        // On one core there are still two threads, which the system interleaves.
        let threads = thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
        [
            Self::OneThread,
            Self::ManyThreads { threads },
            Self::NativeThreads,
            Self::Processes {
                // A worker without a request isn't started.
                workers: options.workers.min(options.requests),
            },
        ]
    }

    /// How many requests each process serves.
    pub(crate) fn shares(self, options: &Options) -> Vec<u32> {
        let Self::Processes { workers } = self else {
            return vec![options.requests];
        };
        (0..workers)
            .map(|worker| {
                options.requests / workers + u32::from(worker < options.requests % workers)
            })
            .collect()
    }

    /// One for each cell that a process is asked about, since each has its own cache.
    pub(crate) fn connections_meant(self, options: &Options) -> u32 {
        self.shares(options)
            .into_iter()
            .map(|requests| requests.min(options.cells))
            .sum()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneThread => f.write_str("tasks, 1 thread"),
            Self::ManyThreads { threads } => write!(f, "tasks, {threads} threads"),
            Self::NativeThreads => f.write_str("native threads"),
            Self::Processes { workers: 1 } => f.write_str("1 process"),
            Self::Processes { workers } => write!(f, "{workers} processes"),
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name that the command line knows as well.
        let value = self.to_possible_value().expect("no variant is skipped");
        f.write_str(value.get_name())
    }
}
