//! What the binary says to people: lines on standard output, and the one line of an error.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place that speaks to people")]

/// Says a line.
pub fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// Says what went wrong and what to do.
pub fn fail(error: impl std::fmt::Display) {
    eprintln!("reservas: {error}");
}
