//! What is printed: Markdown, with every fault below its table.

use std::fmt;
use std::time::Duration;

/// The outcome of one measurement.
#[derive(Debug, Default)]
pub struct Report {
    /// What was measured.
    pub title: String,
    /// How: sizes and settings.
    pub how: Vec<String>,
    /// The table's head.
    pub head: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// What was found to be wrong; the run fails when there is any.
    pub faults: Vec<String>,
    /// What explains the figures, as it is.
    pub notes: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n", self.title)?;
        for line in &self.how {
            writeln!(f, "- {line}")?;
        }
        writeln!(f, "\n| {} |", self.head.join(" | "))?;
        writeln!(f, "|{}", " --- |".repeat(self.head.len()))?;
        for row in &self.rows {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        for fault in &self.faults {
            writeln!(f, "\n**Wrong:** {fault}")?;
        }
        for note in &self.notes {
            writeln!(f, "\n```text\n{}\n```", note.trim_end())?;
        }
        Ok(())
    }
}

/// Measured times, in order.
#[derive(Debug, Default)]
pub struct Times(Vec<Duration>);

impl From<Vec<Duration>> for Times {
    fn from(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }
}

impl Times {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time within which so many in a thousand lie.
    pub fn at(&self, of_thousand: usize) -> Duration {
        let place = (self.0.len() * of_thousand / 1000).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }

    /// p50, p95 and p99 as cells.
    pub fn cells(&self) -> [String; 3] {
        [500, 950, 990].map(|place| ms(self.at(place)))
    }
}

/// A time in milliseconds.
pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// A whole number of something a second.
pub fn rate(rate: f64) -> String {
    format!("{rate:.0}/s")
}

/// A ratio; none of nothing.
pub fn ratio(of: f64, to: f64) -> String {
    if to > 0.0 { format!("{:.2}", of / to) } else { "–".to_owned() }
}

/// The middle one of some rates.
pub fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
