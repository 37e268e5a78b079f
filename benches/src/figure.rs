//! Figures as people read them.

use crate::measure;

/// A time, given in nanoseconds.
pub(crate) fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..100.0 => format!("{nanoseconds:.1} ns"),
        ..10_000.0 => format!("{nanoseconds:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        ..1e9 => format!("{:.1} ms", nanoseconds / 1e6),
        _ => format!("{:.2} s", nanoseconds / 1e9),
    }
}

/// A ratio.
pub(crate) fn times(ratio: f64) -> String {
    let digits = match ratio {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{ratio:.digits$}×")
}

/// How far values spread, given as a part.
pub(crate) fn spread(part: f64) -> String {
    format!("± {:.0} %", part * 100.0)
}

/// Times in nanoseconds and what they are compared with, both by round: the medians, and
/// how far the ratio spreads.
pub(crate) fn compared(times: &[f64], reference: &[f64]) -> String {
    let ratios = measure::ratios(times, reference);
    format!(
        "{} to {}, {}",
        time(measure::median(times)),
        time(measure::median(reference)),
        spread(measure::noise(&ratios)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_two_or_three_digits_that_count() {
        assert_eq!(
            [6.06, 210.4, 23_099.0, 6.08e6, 5.123e9].map(time),
            ["6.1 ns", "210 ns", "23.1 µs", "6.1 ms", "5.12 s"]
        );
        assert_eq!([1.0, 17.04, 2750.6].map(times), ["1.00×", "17.0×", "2751×"]);
        assert_eq!(spread(0.154), "± 15 %");
    }
}
