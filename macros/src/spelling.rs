//! What a misspelt name was meant to be.

/// The name that `typed` is a word of, or close to.
pub(crate) fn closest<'a>(typed: &str, names: &[&'a str]) -> Option<&'a str> {
    let with_word = |name: &&&str| name.split('_').any(|word| word == typed);
    if let Some(name) = names.iter().find(with_word) {
        return Some(name);
    }
    let close = names.iter().filter(|name| is_close(typed, name));
    let by_likeness = |name: &&&str| (distance(typed, name), typed.len().abs_diff(name.len()));
    close.min_by_key(by_likeness).copied()
}

/// Whether `typed` is `legal`, misspelt: in no more than a third of its letters.
fn is_close(typed: &str, legal: &str) -> bool {
    distance(&typed.to_lowercase(), legal) <= legal.len() / 3
}

/// The least number of letters to insert, delete, replace or swap with their
/// neighbour that makes `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // `rows[i][j]` is the distance of the first `i` letters of `a` from the first
    // `j` of `b`.
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_are_close() {
        for (typed, legal) in [
            ("kye", "key"),
            ("ky", "key"),
            ("Key", "key"),
            ("lock", "locks"),
            ("lokcs", "locks"),
            ("crat", "crate"),
            ("krate", "crate"),
            ("aquire_timeout", "acquire_timeout"),
            ("non_blocking", "nonblocking"),
        ] {
            assert!(is_close(typed, legal), "{typed}");
        }
        for (typed, legal) in [("id", "key"), ("name", "key"), ("tenant", "reentrant")] {
            assert!(!is_close(typed, legal), "{typed}");
        }
    }

    #[test]
    fn word_of_a_name_is_meant_as_that_name() {
        let names = ["key", "acquire_timeout", "or_else"];
        assert_eq!(closest("timeout", &names), Some("acquire_timeout"));
        assert_eq!(closest("or_esle", &names), Some("or_else"));
        assert_eq!(closest("lock_path", &names), None);
    }
}
