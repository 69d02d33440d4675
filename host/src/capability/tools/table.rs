//! What can be called as a tool: every function of a run's connectors, with its name, its schema and its place.

use std::sync::{Arc, OnceLock};

use super::names::{Id, names};
use super::wit;
use crate::capability::connector::route::Linked;
use crate::capability::connector::schema::Schema;
use crate::engine::interface::Function;
use crate::manifest::Interface;
use crate::scope::Remit;

/// The longest schema in bytes: what a chat takes of one tool. WIT has no recursive types, but one that shares its parts
/// is exponentially long when it is written out.
const SCHEMA_LEN_MAX: usize = 64 << 10;

/// The longest description in bytes.
const DESCRIPTION_LEN_MAX: usize = 1_024;

/// A function that can be called as a tool.
#[derive(Debug)]
pub struct Tool {
    /// What models call it.
    pub name: String,
    /// What the remit calls its interface.
    pub interface: Interface,
    /// The function with its types.
    pub function: Arc<Function>,
    /// Which of the route's interfaces, and which of its functions.
    pub place: (usize, usize),
    connector: String,
    schema: OnceLock<Option<Schema>>,
}

/// The tools of a run, sorted by name.
#[derive(Debug)]
pub struct Tools(Vec<Tool>);

impl Tools {
    /// Returns the functions of these interfaces as tools.
    pub fn of(interfaces: &[Linked]) -> Self {
        let functions = |(at, linked): (usize, &Linked)| {
            let linked = linked.clone();
            let functions = linked.interface.functions.into_iter().enumerate();
            functions.map(move |(index, function)| Tool {
                name: String::new(),
                interface: linked.granted.clone(),
                function: Arc::new(function),
                place: (at, index),
                connector: linked.connector.clone(),
                schema: OnceLock::new(),
            })
        };
        let nameless: Vec<_> = interfaces.iter().enumerate().flat_map(functions).collect();
        let names = names(&nameless.iter().map(Tool::id).collect::<Vec<_>>());
        let named = nameless.into_iter().zip(names).filter_map(|(tool, name)| Some(Tool { name: name?, ..tool }));
        let mut tools: Vec<_> = named.collect();
        tools.sort_by(|left, right| left.name.cmp(&right.name));
        Self(tools)
    }

    /// Returns the place of the tool of that name among them.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|tool| tool.name.as_str().cmp(name)).ok()
    }

    /// Returns the tool at a place.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn at(&self, index: usize) -> &Tool {
        &self.0[index]
    }

    /// Returns those that the remit grants, as tools and as functions of their connectors.
    pub fn granted(&self, remit: &Remit) -> impl Iterator<Item = &Tool> {
        self.0.iter().filter(|tool| remit.tool_call_allows(&tool.interface, &tool.function.name).is_ok())
    }
}

impl Tool {
    /// Returns the schema of the arguments. Nothing: it is too long to be shown.
    pub fn schema(&self) -> Option<&Schema> {
        let short = |schema: &Schema| schema.text.len() <= SCHEMA_LEN_MAX;
        self.schema.get_or_init(|| Some(Schema::of(&self.function)).filter(short)).as_ref()
    }

    /// Returns the tool as a guest sees it. Nothing: its schema is too long.
    pub fn shown(&self) -> Option<wit::Tool> {
        let schema = self.schema()?;
        let (name, description) = (self.name.clone(), self.description());
        Some(wit::Tool { name, description, parameters: schema.text.clone(), digest: schema.digest.to_string() })
    }

    /// Components carry no documentation of their functions, so that a model has to choose by names and types.
    fn description(&self) -> String {
        let Self { interface, function, connector, .. } = self;
        let mut text = format!("{} of {interface}, which the connector {connector} answers: {function}", function.name);
        if text.len() > DESCRIPTION_LEN_MAX {
            text.truncate(text.floor_char_boundary(DESCRIPTION_LEN_MAX - "…".len()));
            text.push('…');
        }
        text
    }

    fn id(&self) -> Id<'_> {
        let (path, version) = self.interface.as_str().split_once('@').unwrap_or((self.interface.as_str(), ""));
        Id { path, version, function: &self.function.name }
    }
}
