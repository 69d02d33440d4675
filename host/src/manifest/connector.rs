//! Typed calls to other plugins: which interfaces, which of their functions, and which of those as tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::capabilities::{self, Table};
use super::errors::Problems;
use super::name::{ImportName, checked_text, is_word};
use super::section::{Malformed, Section, parsed};

/// Bytes in a [`FunctionName`].
const FUNCTION_LEN_MAX: usize = 128;
/// Functions that one list names.
const FUNCTIONS_MAX: usize = 256;

/// An interface of a connector, with its version: `acme:tracker/issues@1.2.0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Interface(String);
checked_text!(Interface);

impl FromStr for Interface {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let has_all = text.contains('/') && text.contains('@');
        match text.parse::<ImportName>() {
            Ok(_) if has_all => Ok(Self(text.to_owned())),
            _ => Err(Malformed::new(text, "an interface with its version, such as \"acme:tracker/issues@1.2.0\"")),
        }
    }
}

/// A function of an interface, as WIT names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FunctionName(String);
checked_text!(FunctionName);

impl FromStr for FunctionName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() <= FUNCTION_LEN_MAX && is_word(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Malformed::new(text, "a function as WIT names it, such as \"list-open\""))
    }
}

/// Functions of one interface. Nothing: all of them.
pub type Functions = Option<BTreeSet<FunctionName>>;

/// A connector's interface and what is called of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Connector {
    /// Which functions. Never an empty set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub functions: Functions,
}

/// The functions that a model may choose from, by interface. Nothing: all functions that connectors give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tools {
    /// Which functions. Never an empty map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub functions: Option<BTreeMap<Interface, Functions>>,
}

/// What a list of tools names: an interface, or one function of it, as `acme:tracker/issues@1.2.0#create`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tool {
    interface: Interface,
    function: Option<FunctionName>,
}

impl FromStr for Tool {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (interface, function) = text.split_once('#').map_or((text, None), |(left, right)| (left, Some(right)));
        Ok(Self { interface: interface.parse()?, function: function.map(str::parse).transpose()? })
    }
}

/// What the operator's ceiling denies: a package, an interface of any or one version, or one function of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectorPattern {
    /// `acme:tracker`.
    package: String,
    /// `issues`; nothing: every one.
    interface: Option<String>,
    /// `1.2.0`; nothing: every one.
    version: Option<String>,
    /// Nothing: every one.
    function: Option<FunctionName>,
}

impl ConnectorPattern {
    /// Tells whether the pattern stands for `interface`, or for some function of it.
    pub fn matches(&self, interface: &Interface) -> bool {
        let (path, version) = interface.as_str().split_once('@').unwrap_or((interface.as_str(), ""));
        let (package, name) = path.split_once('/').unwrap_or((path, ""));
        package == self.package
            && self.interface.as_deref().is_none_or(|ours| ours == name)
            && self.version.as_deref().is_none_or(|ours| ours == version)
    }

    /// Returns the one function that the pattern stands for; nothing when it stands for all.
    pub fn function(&self) -> Option<&FunctionName> {
        self.function.as_ref()
    }
}

impl fmt::Display for ConnectorPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |mark: &str, part: Option<&str>| part.map(|part| format!("{mark}{part}")).unwrap_or_default();
        let interface = part("/", self.interface.as_deref());
        let version = part("@", self.version.as_deref());
        let function = part("#", self.function.as_ref().map(FunctionName::as_str));
        write!(f, "{}{interface}{version}{function}", self.package)
    }
}

impl FromStr for ConnectorPattern {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let expected = "a package, an interface or a function: \"acme:tracker\", \"acme:tracker/issues@1.2.0#create\"";
        let wrong = || Malformed::new(text, expected);
        let (path, function) = text.split_once('#').map_or((text, None), |(left, right)| (left, Some(right)));
        // A package has the shape of an interface whose name is left out.
        let whole = if path.contains('/') { path.to_owned() } else { format!("{path}/every") };
        whole.parse::<ImportName>().map_err(|_| wrong())?;
        let (path, version) = path.split_once('@').map_or((path, None), |(left, right)| (left, Some(right)));
        let (package, interface) = path.split_once('/').map_or((path, None), |(left, right)| (left, Some(right)));
        if interface.is_none() && (version.is_some() || function.is_some()) {
            return Err(wrong());
        }
        let owned = |part: Option<&str>| part.map(str::to_owned);
        let function = function.map(str::parse).transpose()?;
        Ok(Self { package: package.to_owned(), interface: owned(interface), version: owned(version), function })
    }
}

/// Reads the tables `[capabilities.connectors."…"]`; `each` reads what else a table has.
pub(super) fn read_connectors<T>(
    section: &Section<'_>,
    problems: &mut Problems,
    mut each: impl FnMut(&Section<'_>, &mut Problems, &Interface, Connector) -> Option<T>,
) -> BTreeMap<Interface, T> {
    let mut connectors = BTreeMap::new();
    for Table { name, section } in capabilities::named_tables::<Interface>(section, problems, "connectors") {
        let listed = section.some_of(problems, "functions", FUNCTIONS_MAX, parsed::<FunctionName>);
        let functions = listed.map(|functions| functions.into_iter().collect());
        let read = each(&section, problems, &name, Connector { functions });
        connectors.extend(read.map(|read| (name, read)));
    }
    connectors
}

/// Reads the list of tools, which may be absent.
pub(super) fn read_tools(section: &Section<'_>, problems: &mut Problems) -> Tools {
    let Some(listed) = section.some_of(problems, "functions", FUNCTIONS_MAX, parsed::<Tool>) else {
        return Tools::default();
    };
    let mut functions: BTreeMap<Interface, Functions> = BTreeMap::new();
    for Tool { interface, function } in listed {
        let known = functions.entry(interface).or_insert_with(|| Some(BTreeSet::new()));
        match (known.as_mut(), function) {
            (Some(some), Some(function)) => _ = some.insert(function),
            (_, None) => *known = None,
            (None, Some(_)) => {}
        }
    }
    Tools { functions: Some(functions) }
}
