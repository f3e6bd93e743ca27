//! Names of groups in one cell of a CSV file: separated by `;`, of which one in a name is doubled.

/// The names as one cell.
#[must_use]
pub fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.replace(';', ";;")).collect();
    names.join(";")
}

/// The names in a cell, trimmed; empty ones are left out.
#[must_use]
pub fn split(cell: &str) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let mut rest = cell.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            ';' if rest.next_if_eq(&';').is_some() => name.push(';'),
            ';' => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    names.push(name);
    names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// A cell that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe before it.
#[must_use]
pub fn guarded(cell: &str) -> String {
    if is_formula(cell.trim_start_matches('\'')) { format!("'{cell}") } else { cell.to_owned() }
}

/// A cell without the apostrophe of [`guarded`].
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for names in [vec!["Physics", "A;B", "C"], vec!["only"], vec![";x;"]] {
            assert_eq!(split(&join(names.iter().copied())), names);
        }
        assert_eq!(split(" Physics ;; ; ;Chemistry;"), ["Physics ;", "Chemistry"]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn what_looks_like_a_formula_is_guarded_and_reads_back() {
        for cell in ["=1+1", "'=1", "@x", "Ada", "'Ada'", "", "-"] {
            assert_eq!(unguarded(&guarded(cell)), cell);
        }
        assert_eq!((guarded("=1"), guarded("O'Hara")), ("'=1".to_owned(), "O'Hara".to_owned()));
    }
}
