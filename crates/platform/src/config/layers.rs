//! Laying sources over each other: a tree of defaults tells which keys exist and of which type they are.

use std::path::{Path, PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The prefix of the environment's names: `users.bcrypt_cost` is `RESERVAS_USERS_BCRYPT_COST`.
const PREFIX: &str = "RESERVAS_";

/// Why the configuration cannot be used. One line, with the key or the file it is about.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// The file is not TOML.
    #[error("the configuration file {0} is not TOML: {1}")]
    Syntax(PathBuf, String),
    /// A variable with our prefix that names no key.
    #[error("the environment variable {0} names no setting; `reservas config` lists them")]
    UnknownVariable(String),
    /// A variable whose text is not of its key's type.
    #[error("the environment variable {0} must be {1}")]
    WrongType(String, &'static str),
    /// A key that does not exist or a value that is not allowed.
    #[error("the setting {0} is wrong: {1}")]
    Invalid(String, String),
}

/// The layers so far.
#[derive(Debug)]
pub struct Layers {
    defaults: Value,
    tree: Value,
}

impl Layers {
    /// The defaults of `T`.
    #[must_use]
    pub fn of<T: Serialize + Default>() -> Self {
        let defaults = serde_json::to_value(T::default()).unwrap_or_default();
        Self { tree: defaults.clone(), defaults }
    }

    /// Lays a TOML file over it.
    ///
    /// # Errors
    /// When the file cannot be read or parsed.
    pub fn file(mut self, path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.into(), error))?;
        let file: Value = toml::from_str(&text)
            .map_err(|error| ConfigError::Syntax(path.into(), error.message().to_owned()))?;
        lay(&mut self.tree, file);
        Ok(self)
    }

    /// Lays the environment over it: names with our prefix, and the `plain` ones as `(name, dotted key)`.
    ///
    /// # Errors
    /// When a name with our prefix is no key, or a text is not of its key's type.
    pub fn environment(
        mut self,
        variables: impl Iterator<Item = (String, String)>,
        plain: &[(&str, &str)],
    ) -> Result<Self, ConfigError> {
        let mut keys = Vec::new();
        collect_keys(&self.defaults, &mut Vec::new(), &mut keys);
        for (name, text) in variables {
            let path = match plain.iter().find(|(plain, _)| *plain == name) {
                Some((_, key)) => key.split('.').map(str::to_owned).collect(),
                None if !name.starts_with(PREFIX) => continue,
                None => keys
                    .iter()
                    .find(|path| format!("{PREFIX}{}", path.join("_").to_uppercase()) == name)
                    .ok_or_else(|| ConfigError::UnknownVariable(name.clone()))?
                    .clone(),
            };
            self.set(&path, &name, text)?;
        }
        Ok(self)
    }

    fn set(&mut self, path: &[String], name: &str, text: String) -> Result<(), ConfigError> {
        let pointer = format!("/{}", path.join("/"));
        let value = match self.defaults.pointer(&pointer) {
            Some(Value::Number(number)) if number.is_f64() => {
                let number: f64 =
                    text.parse().map_err(|_| ConfigError::WrongType(name.into(), "a number"))?;
                number.into()
            }
            Some(Value::Number(_)) => {
                let number: i64 =
                    text.parse().map_err(|_| ConfigError::WrongType(name.into(), "a whole number"))?;
                number.into()
            }
            Some(Value::Bool(_)) => {
                let flag: bool =
                    text.parse().map_err(|_| ConfigError::WrongType(name.into(), "true or false"))?;
                flag.into()
            }
            Some(Value::Array(_)) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
            _ => text.into(),
        };
        if let Some(place) = self.tree.pointer_mut(&pointer) {
            *place = value;
        }
        Ok(())
    }

    /// Lays a flag over it, under a key of the first level.
    #[must_use]
    pub fn flag(mut self, key: &str, value: Option<Value>) -> Self {
        if let (Some(value), Value::Object(tree)) = (value, &mut self.tree) {
            tree.insert(key.into(), value);
        }
        self
    }

    /// The configuration in force.
    ///
    /// # Errors
    /// When a key does not exist or a value is not allowed; the message names the key.
    pub fn build<T: DeserializeOwned>(self) -> Result<T, ConfigError> {
        serde_path_to_error::deserialize(self.tree)
            .map_err(|error| ConfigError::Invalid(error.path().to_string(), error.inner().to_string()))
    }
}

/// Lays one tree over another; what is not there yet is added, so that `build` can name it.
fn lay(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                lay(under.entry(key).or_insert(Value::Object(Map::new())), value);
            }
        }
        (under, over) => *under = over,
    }
}

fn collect_keys(tree: &Value, path: &mut Vec<String>, keys: &mut Vec<Vec<String>>) {
    match tree {
        Value::Object(fields) => {
            for (key, value) in fields {
                path.push(key.clone());
                collect_keys(value, path, keys);
                path.pop();
            }
        }
        _ => keys.push(path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::Secret;
    use super::*;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Config {
        port_base: u16,
        smtp_url: Secret,
        users: Users,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Users {
        bcrypt_cost: u32,
        domains: Vec<String>,
    }

    fn environment(pairs: &[(&str, &str)]) -> Result<Layers, ConfigError> {
        let pairs: Vec<_> =
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Layers::of::<Config>().environment(pairs.into_iter(), &[("SMTP_URL", "smtp_url")])
    }

    #[test]
    fn the_environment_reaches_every_key_and_converts() {
        let pairs = [
            ("RESERVAS_USERS_BCRYPT_COST", "13"),
            ("RESERVAS_USERS_DOMAINS", "a.org, b.org"),
            ("HOME", "/root"),
        ];
        let config: Config =
            environment(&pairs).unwrap().flag("port_base", Some(9000.into())).build().unwrap();
        assert_eq!((config.users.bcrypt_cost, config.port_base), (13, 9000));
        assert_eq!(config.users.domains, ["a.org", "b.org"]);
    }

    #[test]
    fn what_is_unknown_or_wrong_is_named() {
        let error = environment(&[("RESERVAS_USERS_BCRYPT", "13")]).unwrap_err().to_string();
        assert!(error.contains("RESERVAS_USERS_BCRYPT "), "{error}");
        let error = environment(&[("RESERVAS_PORT_BASE", "http")]).unwrap_err().to_string();
        assert_eq!(error, "the environment variable RESERVAS_PORT_BASE must be a whole number");
        let layers = Layers::of::<Config>().flag("port_base", Some(70000.into()));
        assert!(layers.build::<Config>().unwrap_err().to_string().contains("port_base"));
    }

    #[test]
    fn a_file_lies_between_the_defaults_and_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reservas.toml");
        let layers = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Layers::of::<Config>().file(&path)
        };
        let over = [("RESERVAS_PORT_BASE".to_owned(), "9001".to_owned())];
        let both =
            layers("port_base = 9000\n[users]\nbcrypt_cost = 13").unwrap().environment(over.into_iter(), &[]);
        let config: Config = both.unwrap().build().unwrap();
        assert_eq!((config.port_base, config.users.bcrypt_cost), (9001, 13));
        let unknown = layers("[users]\ncost = 13").unwrap().build::<Config>().unwrap_err().to_string();
        assert!(unknown.contains("users") && unknown.contains("cost"), "{unknown}");
        let broken = layers("port_base =").unwrap_err().to_string();
        assert!(broken.contains("reservas.toml") && broken.lines().count() == 1, "{broken}");
        let missing = Layers::of::<Config>().file(Path::new("/nowhere.toml")).unwrap_err().to_string();
        assert!(missing.contains("/nowhere.toml"), "{missing}");
    }

    #[test]
    fn secrets_do_not_show() {
        let config: Config = environment(&[("SMTP_URL", "smtp://user:word@host")]).unwrap().build().unwrap();
        assert_eq!(config.smtp_url.expose(), "smtp://user:word@host");
        assert!(
            !serde_json::to_string(&config).unwrap().contains("word")
                && !format!("{config:?}").contains("word")
        );
    }
}
