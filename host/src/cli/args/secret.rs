//! The arguments of `remit secret`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Json;
use crate::manifest::{Malformed, Name, Place, Slot};
use crate::secret::Prefix;

/// `remit secret`.
#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Store a secret, or give one a new value
    ///
    /// The value comes from standard input, less one line end, or is asked for on a terminal and not shown. It is kept
    /// encrypted. What the secret is bound to stays as it is.
    #[command(after_help = "Examples:
  remit secret set crm-token
  remit secret set crm-token < token.txt")]
    Set(SecretName),
    /// List the secrets and what each is bound to
    #[command(after_help = "Example:\n  remit secret list --json")]
    List(Json),
    /// Let the requests of a plugin carry a secret
    ///
    /// The host adds it on the way out, where a request goes to that place and the plugin's remit has the secret. The
    /// plugin never holds it.
    #[command(after_help = "Examples:
  remit secret bind crm-token --plugin plugins/crm --to https://crm.example.com/v1/ --header Authorization --prefix 'Bearer '
  remit secret bind map-key --plugin plugins/trips --to https://maps.example.com/ --query key")]
    Bind(SecretBind),
    /// End what `bind` began
    #[command(after_help = "Example:\n  remit secret unbind crm-token --plugin plugins/crm")]
    Unbind(SecretUnbind),
    /// Forget a secret and its bindings
    #[command(after_help = "Example:\n  remit secret remove crm-token")]
    Remove(SecretName),
}

/// A secret, by its name.
#[derive(Debug, Args)]
pub struct SecretName {
    /// The secret's name: a-z, 0-9 and -
    pub name: Name,
}

/// `remit secret bind`.
#[derive(Debug, Args)]
pub struct SecretBind {
    /// The secret's name
    pub name: Name,
    /// Whose requests: a plugin's folder, a component file, the name of an installed plugin, or an identity as `remit
    /// secret list` prints it
    #[arg(long, value_hint = ValueHint::AnyPath)]
    pub plugin: PathBuf,
    /// Where they go: with a `/` at its end to everything below, otherwise to that path alone
    #[arg(long, value_name = "URL", value_parser = place)]
    pub to: Place,
    /// Where in the request the secret stands.
    #[command(flatten)]
    pub slot: SlotArg,
    /// What stands before it in the header
    #[arg(long, value_name = "TEXT", conflicts_with = "query", default_value = "", hide_default_value = true)]
    pub prefix: Prefix,
}

/// Where in a request a secret stands.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SlotArg {
    /// Put it into this header
    #[arg(long, value_name = "NAME", value_parser = header)]
    header: Option<Slot>,
    /// Put it into this field of the query
    #[arg(long, value_name = "FIELD", value_parser = query)]
    query: Option<Slot>,
}

impl SlotArg {
    /// Returns the one that was given.
    pub fn slot(&self) -> &Slot {
        self.header.as_ref().or(self.query.as_ref()).expect("the group requires one of them")
    }
}

/// `remit secret unbind`.
#[derive(Debug, Args)]
pub struct SecretUnbind {
    /// The secret's name
    pub name: Name,
    /// Whose requests: a plugin's folder, a component file, the name of an installed plugin, or an identity as `remit
    /// secret list` prints it
    #[arg(long, value_hint = ValueHint::AnyPath)]
    pub plugin: PathBuf,
    /// Only those that go there; otherwise all
    #[arg(long, value_name = "URL", value_parser = place)]
    pub to: Option<Place>,
}

fn place(text: &str) -> Result<Place, String> {
    text.parse().map_err(explained)
}

fn header(name: &str) -> Result<Slot, String> {
    format!("header {name}").parse().map_err(explained)
}

fn query(name: &str) -> Result<Slot, String> {
    format!("query {name}").parse().map_err(explained)
}

/// Returns what is wrong and what to try, in the one line that the command line has for it.
fn explained(wrong: Malformed) -> String {
    match &wrong.hint {
        Some(hint) => format!("{wrong}: {hint}"),
        None => wrong.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        secret: Secret,
    }

    fn parse(line: &str) -> Result<Secret, clap::Error> {
        Line::try_parse_from(["secret"].into_iter().chain(line.split(' '))).map(|line| line.secret)
    }

    #[test]
    fn a_binding_is_read() {
        let line = "bind crm --plugin p --to https://x.example/v1/ --header Authorization --prefix Bearer=";
        let Ok(Secret::Bind(bind)) = parse(line) else { panic!("{:?}", parse(line)) };
        assert_eq!(bind.slot.slot().to_string(), "header authorization");
        assert_eq!((bind.prefix.as_str(), bind.to.to_string().as_str()), ("Bearer=", "https://x.example/v1/*"));
        let Ok(Secret::Bind(bind)) = parse("bind crm --plugin p --to https://x.example --query key") else { panic!() };
        assert_eq!((bind.slot.slot().to_string().as_str(), bind.prefix.as_str()), ("query key", ""));
    }

    #[test]
    fn what_could_go_elsewhere_is_wrong_usage() {
        let to = "bind crm --plugin p --to https://x.example/";
        for line in [
            to.to_owned(),
            format!("{to} --header a --query b"),
            format!("{to} --query b --prefix Bearer"),
            format!("{to} --header Host"),
            format!("{to} --header a: --prefix b"),
            format!("{to} --query a=b"),
            "bind crm --plugin p --to x.example --header a".into(),
            "bind crm --plugin p --to https://u@x.example --header a".into(),
            "bind crm --to https://x.example --header a".into(),
            "bind CRM --plugin p --to https://x.example --header a".into(),
            "unbind crm".into(),
            "set".into(),
            "set crm value".into(),
        ] {
            assert!(parse(&line).is_err(), "{line}");
        }
        let error = parse("bind crm --plugin p --to https://u@x.example --header a").unwrap_err().to_string();
        assert!(error.contains("a scope names no user"), "{error}");
    }
}
