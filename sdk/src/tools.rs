//! The functions of connectors as tools, for a model to choose from.
//!
//! [`granted`] lists what the remit grants. The list goes into a chat, and what the model asks for is called with
//! [`Tools::call`]; an error says what was expected, so that a model that is told can try again.
//!
//! ```no_run
//! # use remit_sdk::tools;
//! # fn asked() -> [(String, String); 1] { [("acme_tracker_issues_create".into(), "{}".into())] }
//! let tools = tools::granted();
//! for tool in &tools {
//!     // Offer `tool.name`, `tool.description` and `tool.parameters`.
//! }
//! for (name, arguments) in asked() {
//!     match tools.call(&name, &arguments) {
//!         Ok(json) => println!("{json}"),
//!         Err(error) => println!("error: {error}"),
//!     }
//! }
//! ```
//!
//! A plugin that knows what it calls imports the connector's interface instead, and has types.

use std::{fmt, slice};

use serde::{Serialize, de::DeserializeOwned};

use crate::bindings::remit::plugin::tools as wit;

/// A function that can be called, in the form of a chat's tool.
pub use wit::Tool;

/// Why a tool has no result.
#[derive(Debug)]
pub enum Error {
    /// The remit does not allow this tool.
    Denied {
        /// The tool.
        tool: String,
    },
    /// There is no tool of this name.
    Unknown {
        /// Which there are.
        message: String,
    },
    /// The tool has another schema than the one that was chosen by.
    Changed {
        /// The tool.
        tool: String,
    },
    /// The arguments are not what the schema asks for.
    InvalidArguments {
        /// The tool.
        tool: String,
        /// Where, what was expected, and what was found.
        message: String,
    },
    /// The function returned its error.
    Returned {
        /// The tool.
        tool: String,
        /// The error as JSON.
        json: String,
    },
    /// The connector did not answer.
    Failed {
        /// The tool.
        tool: String,
        /// What happened to it.
        message: String,
    },
    /// The arguments, or the result, are more than one call carries.
    TooLarge {
        /// The tool.
        tool: String,
        /// What is too large.
        message: String,
    },
    /// The arguments have no JSON form, or the result does not fit its type.
    Json {
        /// The tool.
        tool: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl Error {
    /// Returns whether the remit refused the call.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    fn from_wit(error: wit::Error, tool: &str) -> Self {
        let tool = tool.to_owned();
        match error {
            wit::Error::Denied => Self::Denied { tool },
            wit::Error::Unknown(message) => Self::Unknown { message },
            wit::Error::Changed(_) => Self::Changed { tool },
            wit::Error::InvalidArguments(message) => Self::InvalidArguments { tool, message },
            wit::Error::Returned(json) => Self::Returned { tool, json },
            wit::Error::Failed(message) => Self::Failed { tool, message },
            wit::Error::TooLarge(message) => Self::TooLarge { tool, message },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { tool } => write!(f, "the remit does not allow the tool {tool}"),
            Self::Unknown { message } => f.write_str(message),
            Self::Changed { tool } => write!(f, "the tool {tool} has changed since it was chosen"),
            Self::InvalidArguments { tool, message }
            | Self::Failed { tool, message }
            | Self::TooLarge { tool, message } => write!(f, "{tool}: {message}"),
            Self::Returned { tool, json } => write!(f, "{tool} returned the error {json}"),
            Self::Json { tool, .. } => write!(f, "{tool}: the arguments or the result do not fit their type"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Tools that the remit grants, in the order of their names.
#[derive(Clone, Debug)]
pub struct Tools(Vec<Tool>);

/// Returns the tools that the remit grants. During a run none is added; those of a grant that ended are gone.
pub fn granted() -> Tools {
    Tools(wit::granted())
}

impl Tools {
    /// Returns each tool.
    pub fn iter(&self) -> slice::Iter<'_, Tool> {
        self.0.iter()
    }

    /// Returns the tool of that name.
    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.iter().find(|tool| tool.name == name)
    }

    /// Keeps only tools that `keep` says yes to: a chat takes 128, and a model chooses better among few.
    #[must_use]
    pub fn filter(mut self, keep: impl FnMut(&Tool) -> bool) -> Self {
        self.0.retain(keep);
        self
    }

    /// Calls what a model chose, and returns the result as JSON text. `arguments` is one JSON object, as text. The call
    /// is made only if the tool still has the schema that was listed.
    ///
    /// # Errors
    ///
    /// Whatever kept the call from being made or from having a result; a tool that was not listed is unknown.
    pub fn call(&self, name: &str, arguments: &str) -> Result<String, Error> {
        let Some(tool) = self.get(name) else {
            return Err(Error::Unknown { message: self.no_such(name) });
        };
        wit::call(name, Some(&tool.digest), arguments).map_err(|error| Error::from_wit(error, name))
    }

    fn no_such(&self, name: &str) -> String {
        match self.0.as_slice() {
            [] => format!("there is no tool {name:?}, nor any other"),
            tools => {
                let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
                format!("there is no tool {name:?}; there are {}", names.join(", "))
            }
        }
    }
}

impl<'a> IntoIterator for &'a Tools {
    type Item = &'a Tool;
    type IntoIter = slice::Iter<'a, Tool>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Calls a tool by its name with values, whatever its schema.
///
/// ```no_run
/// let id: u64 = remit_sdk::tools::call("acme_tracker_issues_create", &serde_json::json!({ "title": "It is slow" }))?;
/// # Ok::<(), remit_sdk::tools::Error>(())
/// ```
///
/// # Errors
///
/// Whatever kept the call from being made or from having a result, and [`Error::Json`] where arguments or result do not
/// fit their types.
pub fn call<T: DeserializeOwned>(name: &str, arguments: &impl Serialize) -> Result<T, Error> {
    let unfit = |source| Error::Json { tool: name.to_owned(), source };
    let arguments = serde_json::to_string(arguments).map_err(unfit)?;
    let result = wit::call(name, None, &arguments).map_err(|error| Error::from_wit(error, name))?;
    serde_json::from_str(&result).map_err(unfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> Tool {
        let (description, parameters, digest) = (String::new(), "{}".to_owned(), "0".to_owned());
        Tool { name: name.to_owned(), description, parameters, digest }
    }

    #[test]
    fn a_tool_that_was_not_listed_is_not_asked_for() {
        let tools =
            Tools(vec![tool("a_one"), tool("a_two"), tool("b_three")]).filter(|tool| tool.name.starts_with('a'));
        let error = tools.call("b_three", "{}").expect_err("it was left out");
        assert_eq!(error.to_string(), "there is no tool \"b_three\"; there are a_one, a_two");
        assert_eq!((tools.iter().len(), tools.get("a_two").is_some()), (2, true));
    }

    #[test]
    fn an_error_says_what_a_model_can_act_on() {
        for (error, text) in [
            (wit::Error::Denied, "the remit does not allow the tool t"),
            (
                wit::Error::InvalidArguments("id: expected an integer (u32), found \"x\"".into()),
                "t: id: expected an integer (u32), found \"x\"",
            ),
            (wit::Error::Returned("\"no such issue\"".into()), "t returned the error \"no such issue\""),
            (wit::Error::Changed("0".into()), "the tool t has changed since it was chosen"),
        ] {
            assert_eq!(Error::from_wit(error, "t").to_string(), text);
        }
    }
}
