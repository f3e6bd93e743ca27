//! What a `User-Agent` says in the words of people: `Firefox on Linux`. A hint for a list, never a proof of anything.

/// Browsers by what only they say; those that pose as others come first.
const PROGRAMS: [(&str, &str); 10] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Thunderbird/", "Thunderbird"),
];
/// Systems, likewise.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];
/// Characters of a `User-Agent` that are kept.
pub const LONGEST: usize = 256;

/// A `User-Agent` as it is kept: printable, and not endless.
#[must_use]
pub fn plain(agent: &str) -> String {
    agent.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The device of a `User-Agent`; `Unknown device` when it says nothing that we know.
#[must_use]
pub fn name(agent: Option<&str>) -> String {
    let agent = agent.unwrap_or_default();
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&PROGRAMS), find(&SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Unknown device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_by_their_own_marks() {
        let told = |agent| name(Some(agent));
        assert_eq!(
            told("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on Linux"
        );
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0";
        assert_eq!(told(edge), "Edge on Windows");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(told(phone), "Safari on iPhone");
        assert_eq!(told("curl/8.5.0"), "curl");
        assert_eq!((told("?").as_str(), name(None).as_str()), ("Unknown device", "Unknown device"));
    }

    #[test]
    fn what_is_kept_is_short_and_printable() {
        assert_eq!(plain("a\r\n\u{7f}b"), "ab");
        assert_eq!(plain(&"ä".repeat(300)).chars().count(), LONGEST);
    }
}
