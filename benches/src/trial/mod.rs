//! What is measured in another way than by acquisitions: each trial is a file.

mod crowd;
mod fairness;
mod hand_over;
mod memory;
mod size;

use crate::measure::Plan;
use crate::target::Target;

pub(crate) use memory::in_child;

/// A way to measure, and the targets that come out of it.
pub(crate) struct Trial {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Plan) -> Vec<Target>,
}

/// Every trial, in the order of the table.
pub(crate) const ALL: [Trial; 5] = [
    Trial {
        name: "fairness",
        run: fairness::targets,
    },
    Trial {
        name: "hand-over",
        run: hand_over::targets,
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
        name: "sizes",
        run: size::targets,
    },
];
