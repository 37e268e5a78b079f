//! The number of a lock at the server.
//!
//! `PostgreSQL`'s advisory locks have numbers of 64 bits. A key's is the first 63 bits of the SHA-256 of
//! the prefix's length in bytes (as 64 bits, the greatest first), the prefix and the key. The first bit
//! makes its twin, a lock that everybody shares who waits for this one; see [`sql`](crate::sql).
//!
//! The length comes first, so no two locks are hashed from one text. Of a million keys two have one number
//! with a chance of 1 to 18 million. They are one lock then, in the process as well: who has one of them keeps
//! others out of both.

use sha2::{Digest, Sha256};

/// The number of a key.
pub(crate) fn of(prefix: &str, key: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update((prefix.len() as u64).to_be_bytes());
    hash.update(prefix);
    hash.update(key);
    let hash: [u8; 32] = hash.finalize().into();
    let first = *hash.first_chunk().expect("it is long enough");
    i64::from_be_bytes(first) & i64::MAX
}

/// The number of what who waits for it shares.
pub(crate) fn twin(id: i64) -> i64 {
    id | i64::MIN
}

/// The number that [`locate`](lockutils_remote::Store::locate) gave as a name.
pub(crate) fn named(name: &str) -> i64 {
    name.parse()
        .expect("it is the name of a lock of this server")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_what_the_documentation_says() {
        // SELECT ('x' || left(encode(sha256(int8send(9) || 'lockutils' || 'invoice-7'), 'hex'), 16))
        //     ::bit(64)::bigint & 9223372036854775807
        assert_eq!(of("lockutils", "invoice-7"), 1_606_334_117_292_505_356);
        assert!(twin(of("", "x")) < 0);
    }

    #[test]
    fn prefix_ends_where_it_ends() {
        assert_ne!(of("a", "bc"), of("ab", "c"));
        assert_ne!(of("", "a"), of("a", ""));
        assert_ne!(of("a", " b"), of("a ", "b"));
    }
}
