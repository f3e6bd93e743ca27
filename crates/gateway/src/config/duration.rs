//! Durations as Go writes them: `150us`, `3s`, `1h30m`, `1.5s`.

use std::time::Duration;

const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// Reads a duration; a bare `0` needs no unit. `None` when it is none, is negative or does not fit.
pub fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    if text.is_empty() {
        return None;
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |read| read.is_ascii_digit() || read == '.');
        let (unit, after) = split(after, |read| !read.is_ascii_digit() && read != '.');
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        seconds += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok().map(round)
}

/// Sums of fractions are off by less than a nanosecond; Go's unit is the nanosecond.
fn round(duration: Duration) -> Duration {
    let nanos = duration.subsec_nanos();
    let off = nanos % 10;
    match off {
        9 => duration + Duration::from_nanos(1),
        1 => duration - Duration::from_nanos(1),
        _ => duration,
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|read| !belongs(read)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_writes() {
        assert_eq!(parse("3s"), Some(Duration::from_secs(3)));
        assert_eq!(parse("150us"), Some(Duration::from_micros(150)));
        assert_eq!(parse("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse("200ms"), Some(Duration::from_millis(200)));
        assert_eq!(parse("0"), Some(Duration::ZERO));
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "3", "s", "-3s", "3 s", "3x", "1..5s", "1e3s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
