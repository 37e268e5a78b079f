//! What is measured in another way than by acquisitions: each trial is a file.

#[cfg(target_os = "linux")]
mod attached;
mod crowd;
mod fairness;
#[cfg(target_os = "linux")]
mod files;
mod hand_over;
mod heard;
mod holders;
mod hot;
mod listeners;
mod memory;
mod recorded;
#[cfg(target_os = "linux")]
mod servers;
mod size;

use crate::measure::Plan;
use crate::target::Target;

/// What a child of this program does.
///
/// # Errors
///
/// If there is no such thing.
pub(crate) fn in_child(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [name] if name == heard::WAITS => {
            heard::in_child();
            Ok(())
        }
        [name] if name == hot::HOT => {
            hot::in_child();
            Ok(())
        }
        [name] if name == recorded::RECORDED => {
            recorded::in_child();
            Ok(())
        }
        #[cfg(target_os = "linux")]
        [name] if name == attached::ATTACHED => {
            attached::in_child();
            Ok(())
        }
        [name] if name == listeners::LISTENED => {
            listeners::in_child();
            Ok(())
        }
        [name] => memory::in_child(name),
        #[cfg(target_os = "linux")]
        [name, directory] if name == files::HOLDER => {
            files::in_child(directory);
            Ok(())
        }
        #[cfg(target_os = "linux")]
        [way, url] => servers::in_child(way, url),
        _ => Err("a child is told what to do, and where".to_owned()),
    }
}

/// A way to measure, and the targets that come out of it.
#[derive(Clone, Copy)]
pub(crate) struct Trial {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Plan) -> Vec<Target>,
}

/// Every trial, in the order of the table.
pub(crate) const ALL: &[Trial] = &[
    Trial {
        name: "fairness",
        run: fairness::targets,
    },
    Trial {
        name: "hand-over",
        run: hand_over::targets,
    },
    Trial {
        name: "waits that are listened to",
        run: heard::targets,
    },
    Trial {
        name: "a hot lock that is listened to",
        run: hot::targets,
    },
    Trial {
        name: "locks that are recorded",
        run: recorded::targets,
    },
    Trial {
        name: "memory of who listens",
        run: listeners::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "with a client attached",
        run: attached::targets,
    },
    Trial {
        name: "1,000,000 keys",
        run: memory::targets,
    },
    Trial {
        name: "100,000 tasks",
        run: crowd::targets,
    },
    Trial {
        name: "10,000 holders",
        run: holders::targets,
    },
    Trial {
        name: "sizes",
        run: size::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "lock files, uncontended",
        run: files::uncontended::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "lock files, hand-over",
        run: files::hand_over::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "lock files, fairness",
        run: files::fairness::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "lock files, 10,000 keys",
        run: files::keys::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "lock files, 8 threads",
        run: files::threads::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "servers, PostgreSQL",
        run: servers::postgres::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "servers, etcd",
        run: servers::etcd::targets,
    },
    #[cfg(target_os = "linux")]
    Trial {
        name: "servers, Redis",
        run: servers::redis::targets,
    },
];
