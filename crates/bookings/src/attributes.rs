//! Conditions on the attributes of a resource, as a search names them. Pure.

/// Conditions of one search at most.
const MOST: usize = 20;
/// The operators, those that others begin with last.
const OPERATORS: [&str; 3] = [">=", "<=", "="];

/// What an attribute must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The attribute's name.
    pub name: String,
    /// `=` (texts regardless of case), `>=` or `<=` (numbers).
    pub operator: &'static str,
    /// What it is compared with.
    pub value: String,
}

/// Reads `colour=red,doors>=4`.
///
/// # Errors
/// A sentence that says which condition cannot be read, or that there are too many.
pub fn parse(text: &str) -> Result<Vec<Condition>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let conditions = parts.map(condition).collect::<Result<Vec<_>, _>>()?;
    if conditions.len() > MOST {
        return Err(format!("There are {MOST} conditions at most."));
    }
    Ok(conditions)
}

fn condition(part: &str) -> Result<Condition, String> {
    let found = OPERATORS.iter().find_map(|operator| Some((*operator, part.split_once(operator)?)));
    let condition = found.map(|(operator, (name, value))| Condition {
        name: name.trim().to_owned(),
        operator,
        value: value.trim().to_owned(),
    });
    match condition {
        Some(found) if found.name.is_empty() || found.name.contains(['<', '>']) => None,
        Some(found) if found.operator != "=" && !is_number(&found.value) => {
            return Err(format!("{part:?}: {} compares numbers.", found.operator));
        }
        found => found,
    }
    .ok_or_else(|| format!("{part:?} is none of name=value, name>=number, name<=number."))
}

/// What PostgreSQL reads as a finite number of moderate size: nothing that a comparison could fail on.
fn is_number(value: &str) -> bool {
    value.len() <= 30
        && value.parse::<f64>().is_ok_and(f64::is_finite)
        && value.chars().all(|letter| letter.is_ascii_digit() || "+-.".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let found = parse(" colour = red, doors>=4 ,weight<=2.5").unwrap();
        let found: Vec<_> =
            found.iter().map(|one| (one.name.as_str(), one.operator, one.value.as_str())).collect();
        assert_eq!(found, [("colour", "=", "red"), ("doors", ">=", "4"), ("weight", "<=", "2.5")]);
        assert_eq!(parse(""), Ok(Vec::new()));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for wrong in ["doors", "=4", "doors>4", "doors>=many", "doors>=NaN", "doors>=1e400", "doors><=1"] {
            assert!(parse(wrong).is_err_and(|detail| detail.contains(wrong)), "{wrong}");
        }
        assert!(parse(&"a=1,".repeat(21)).is_err());
    }
}
