//! `docs/permissions.md` is the table of `kernel/src/role.rs`, row by row.

use kernel::Role;
use kernel::role::TABLE;

use crate::workspace::read;

#[test]
fn the_documented_table_is_the_one_of_the_code() {
    let document = read("docs/permissions.md");
    let rows: Vec<Vec<&str>> = document
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).take(4).collect())
        .collect();
    let expected: Vec<Vec<String>> = TABLE
        .iter()
        .map(|(name, least)| {
            let has = |role: Role| if role >= *least { "yes" } else { "" }.to_owned();
            vec![format!("`{name}`"), has(Role::User), has(Role::Manager), has(Role::Admin)]
        })
        .collect();
    assert_eq!(rows, expected);
    let told = document.lines().filter(|line| line.starts_with("| `"));
    assert!(
        told.clone().all(|line| line
            .trim_end_matches('|')
            .rsplit('|')
            .next()
            .is_some_and(|what| what.trim().len() > 5))
    );
}
