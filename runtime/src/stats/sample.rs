//! A value of a metric.

use std::fmt;

/// A value of [`Stats`](crate::Stats).
///
/// [`Display`](fmt::Display) gives the line that Prometheus has of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    name: String,
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Sample {
    pub(super) const fn new(name: String, labels: Vec<(&'static str, String)>, value: f64) -> Self {
        Self {
            name,
            labels,
            value,
        }
    }

    /// What it is called.
    #[must_use]
    #[inline]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its labels, and what they are.
    #[must_use]
    #[inline]
    pub fn labels(&self) -> &[(&'static str, String)] {
        &self.labels
    }

    /// The value: seconds, or how many.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }
}

impl fmt::Display for Sample {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (index, (name, text)) in self.labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            let text = text.replace('\n', "\\n");
            let before = if index == 0 { '{' } else { ',' };
            write!(f, "{before}{name}=\"{text}\"")?;
        }
        if !self.labels.is_empty() {
            f.write_str("}")?;
        }
        write!(f, " {}", self.value)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_a_line_of_prometheus() {
        let label = ("space", "a\\b\"c\nd".to_owned());
        let sample = Sample::new("waiters".to_owned(), vec![label], 3.0);
        assert_eq!(sample.to_string(), r#"waiters{space="a\\b\"c\nd"} 3"#);
    }
}
