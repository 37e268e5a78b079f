//! The process of the server that a session has, and the fences that it gives.

use lockutils_remote::Fault;

use crate::pooler;

/// How much of a fence is the sequence's. The rest is the timeline, which is greater with each primary
/// that was made of a standby, and whose sequence may have gone back.
const SEQUENCE_BITS: u32 = 40;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend {
    pub(crate) id: i32,
    /// Which primary after which it is.
    pub(crate) timeline: u64,
}

impl Backend {
    /// The fence of a grant, or nothing if the lock is busy, by which backend answered and the number
    /// of the sequence.
    ///
    /// A pooler that was refused nothing at the opening may be told later on to give each transaction
    /// another backend, which would have the lock and not give it back: so each answer is looked at.
    pub(crate) fn fence(self, (id, number): (i32, Option<i64>)) -> Result<Option<u64>, Fault> {
        if id != self.id {
            return Err(Fault::Over(pooler::pooled().into_cause()));
        }
        let timeline = self.timeline << SEQUENCE_BITS;
        Ok(number.map(|number| timeline + number.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Backend = Backend { id: 7, timeline: 2 };

    #[test]
    fn fence_has_the_timeline_in_front() {
        assert_eq!(OURS.fence((7, Some(3))).unwrap(), Some((2 << 40) + 3));
        assert_eq!(OURS.fence((7, None)).unwrap(), None);
    }

    #[test]
    fn answer_of_another_backend_ends_the_session() {
        for number in [Some(3), None] {
            let fault = OURS.fence((8, number)).unwrap_err();
            assert!(matches!(fault, Fault::Over(_)), "{fault}");
            assert!(fault.to_string().contains("pooler"), "{fault}");
        }
    }
}
