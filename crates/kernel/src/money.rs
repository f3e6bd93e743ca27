//! Amounts of money: integer minor units with an ISO 4217 currency.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount in the currency's minor unit: 12.50 EUR is `1250` and `EUR`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units; negative for a credit.
    #[schema(example = 1250)]
    pub amount: i64,
    /// Three capital letters (ISO 4217).
    pub currency: Currency,
}

/// An ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "EUR", pattern = "^[A-Z]{3}$")]
pub struct Currency([u8; 3]);

/// A text that is no currency code, or two amounts that do not add up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three capital letters.
    #[error("a currency is three capital letters (ISO 4217)")]
    Currency,
    /// Different currencies, or a sum beyond 64 bits.
    #[error("the amounts cannot be added")]
    Sum,
}

impl Money {
    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// When the currencies differ or the sum does not fit.
    pub fn plus(&self, other: &Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Sum);
        }
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Sum)?;
        Ok(Self { amount, currency: self.currency.clone() })
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(MoneyError::Currency),
        }
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0.iter().map(|&letter| char::from(letter)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Result<Money, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn adds_within_one_currency_only() {
        let euro = money(r#"{"amount":1250,"currency":"EUR"}"#).unwrap();
        let yen = money(r#"{"amount":1,"currency":"JPY"}"#).unwrap();
        assert_eq!(euro.plus(&euro).unwrap().amount, 2500);
        assert_eq!(euro.plus(&yen), Err(MoneyError::Sum));
        let most = Money { amount: i64::MAX, ..euro.clone() };
        assert_eq!(most.plus(&euro), Err(MoneyError::Sum));
    }

    #[test]
    fn a_currency_is_three_capitals() {
        assert!(money(r#"{"amount":1,"currency":"eur"}"#).is_err());
        assert!(money(r#"{"amount":1,"currency":"EURO"}"#).is_err());
        assert!(money(r#"{"amount":1.5,"currency":"EUR"}"#).is_err());
    }
}
