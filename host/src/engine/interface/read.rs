//! Reads interfaces out of a compiled component, within limits.
//!
//! WIT's value types cannot refer to themselves, but one that shares parts (`tuple<t, t>` of `tuple<u, u>` of …) is
//! exponentially large when written out. A component chooses its types, so the tree is cut off with a reason.

use wasmtime::component::Component;
use wasmtime::component::types::{self, ComponentFunc, ComponentItem};

use super::{Case, Field, Function, Interface, InterfaceName, Type};

/// The most types, fields, cases and names of one interface, its types written out at every use.
pub const PARTS_MAX: usize = 1 << 16;
/// The deepest nesting of one type.
pub const DEPTH_MAX: usize = 32;
/// The most cases of one variant or enum. A value names its case, so that finding it takes as long as they are many.
pub const CASES_MAX: usize = 1_024;
/// The longest name of an interface, function, param, field, case or flag, in bytes.
pub const NAME_LEN_MAX: usize = 256;

/// Packages whose interfaces are the host's own affair.
const HOST_PACKAGES: [&str; 2] = ["wasi:", "remit:"];

/// An interface that cannot be linked from one plugin to another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{interface} cannot link two plugins: {place}{why}")]
pub struct Unsupported {
    /// The interface.
    pub interface: String,
    /// Where in it, as in "`create`, param `issue`.labels[]: "; empty when the whole interface is meant.
    pub place: String,
    /// What is not supported there.
    pub why: Reason,
}

/// Why an interface cannot link two plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A handle means something only inside the store that made it.
    #[error("a resource cannot leave the plugin that owns it; pass an id instead")]
    Resource,
    /// A stream, a future or an error context.
    #[error("{0} values cannot be recorded as one call; pass a list")]
    Concurrent(&'static str),
    /// A function declared `async func`.
    #[error("an async function needs the component model's async support, which is off; declare it without `async`")]
    Async,
    /// A type of a proposal that the engine keeps off.
    #[error("the type {0} is not supported")]
    Proposal(&'static str),
    /// Something else than functions and types.
    #[error("a {0} is exported; an interface holds functions and types only")]
    Item(&'static str),
    /// The type nests too deep.
    #[error("the type nests deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// The types are too large when written out.
    #[error("its types have more than {PARTS_MAX} parts when written out")]
    TooLarge,
    /// A variant or an enum has too many cases.
    #[error("it has more than {CASES_MAX} cases")]
    TooManyCases,
    /// A name is too long.
    #[error("a name is longer than {NAME_LEN_MAX} bytes")]
    NameTooLong,
}

/// Returns the interfaces that a component imports and no host provides, sorted by name.
///
/// Bare functions at the component's top level are not interfaces and are left out.
///
/// # Errors
/// [`Unsupported`] names the first interface that cannot be linked.
pub fn imports(component: &Component) -> Result<Vec<Interface>, Unsupported> {
    let ty = component.component_type();
    interfaces(component, ty.imports(component.engine()).map(|(name, item)| (name, item.ty)))
}

/// Returns the interfaces that a component exports and that are not WASI's or Remit's, sorted by name.
///
/// # Errors
/// [`Unsupported`] names the first interface that cannot be linked.
pub fn exports(component: &Component) -> Result<Vec<Interface>, Unsupported> {
    let ty = component.component_type();
    interfaces(component, ty.exports(component.engine()).map(|(name, item)| (name, item.ty)))
}

fn interfaces<'a>(
    component: &Component,
    items: impl Iterator<Item = (&'a str, ComponentItem)>,
) -> Result<Vec<Interface>, Unsupported> {
    let mut interfaces = Vec::new();
    for (name, item) in items {
        if let ComponentItem::ComponentInstance(instance) = item
            && !HOST_PACKAGES.iter().any(|package| name.starts_with(package))
        {
            interfaces.push(interface(component, name, &instance)?);
        }
    }
    interfaces.sort_by_cached_key(|interface| interface.name.to_string());
    Ok(interfaces)
}

fn interface(component: &Component, name: &str, instance: &types::ComponentInstance) -> Result<Interface, Unsupported> {
    let mut reader = Reader { parts: 0, place: Vec::new() };
    let mut functions = Vec::new();
    for (item_name, item) in instance.exports(component.engine()) {
        let function = reader.item(item_name, item.ty).map_err(|why| reader.unsupported(name, why))?;
        functions.extend(function);
    }
    functions.sort_by(|left, right| left.name.cmp(&right.name));
    let long = name.len() > NAME_LEN_MAX;
    match long {
        true => Err(reader.unsupported(&name[..name.floor_char_boundary(NAME_LEN_MAX)], Reason::NameTooLong)),
        false => Ok(Interface { name: InterfaceName::parse(name), functions }),
    }
}

/// Builds the tree of one interface and knows where in it it is.
struct Reader {
    parts: usize,
    place: Vec<String>,
}

impl Reader {
    fn unsupported(&self, interface: &str, why: Reason) -> Unsupported {
        let place = match self.place.is_empty() {
            true => String::new(),
            false => format!("{}: ", self.place.concat()),
        };
        Unsupported { interface: interface.to_owned(), place, why }
    }

    /// Reads one export of an interface. On an error, `place` stays where it happened.
    fn item(&mut self, name: &str, item: ComponentItem) -> Result<Option<Function>, Reason> {
        match item {
            ComponentItem::ComponentFunc(function) => self.function(name, &function).map(Some),
            // A type is read where a function uses it.
            ComponentItem::Type(_) => Ok(None),
            ComponentItem::Resource(_) => self.within(format!("`{name}`"), |_| Err(Reason::Resource)),
            ComponentItem::ComponentInstance(_) => Err(Reason::Item("nested instance")),
            ComponentItem::Component(_) => Err(Reason::Item("component")),
            ComponentItem::Module(_) => Err(Reason::Item("core module")),
            ComponentItem::CoreFunc(_) => Err(Reason::Item("core function")),
        }
    }

    fn function(&mut self, name: &str, function: &ComponentFunc) -> Result<Function, Reason> {
        let name = self.name(name)?;
        self.within(format!("`{name}`"), |reader| {
            if function.async_() {
                return Err(Reason::Async);
            }
            let mut params = Vec::new();
            for (param, ty) in function.params() {
                let param = reader.name(param)?;
                let ty = reader.within(format!(", param `{param}`"), |reader| reader.ty(ty, 0))?;
                params.push(Field { name: param, ty });
            }
            let result = function.results().next();
            let result = reader.within(", result".to_owned(), |reader| reader.optional(result, 0))?;
            Ok(Function { name: name.clone(), params, result })
        })
    }

    fn within<T>(&mut self, place: String, read: impl FnOnce(&mut Self) -> Result<T, Reason>) -> Result<T, Reason> {
        self.place.push(place);
        let value = read(self)?;
        self.place.pop();
        Ok(value)
    }

    fn part(&mut self) -> Result<(), Reason> {
        self.parts += 1;
        if self.parts > PARTS_MAX { Err(Reason::TooLarge) } else { Ok(()) }
    }

    fn name(&mut self, name: &str) -> Result<String, Reason> {
        self.part()?;
        if name.len() > NAME_LEN_MAX { Err(Reason::NameTooLong) } else { Ok(name.to_owned()) }
    }

    fn cases(&self, count: usize) -> Result<(), Reason> {
        if count > CASES_MAX { Err(Reason::TooManyCases) } else { Ok(()) }
    }

    fn names<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Reason> {
        names.map(|name| self.name(name)).collect()
    }

    fn optional(&mut self, ty: Option<types::Type>, depth: usize) -> Result<Option<Type>, Reason> {
        ty.map(|ty| self.ty(ty, depth)).transpose()
    }

    fn boxed(&mut self, ty: types::Type, depth: usize) -> Result<Box<Type>, Reason> {
        self.ty(ty, depth).map(Box::new)
    }

    fn ty(&mut self, ty: types::Type, depth: usize) -> Result<Type, Reason> {
        self.part()?;
        if depth >= DEPTH_MAX {
            return Err(Reason::TooDeep);
        }
        let inner = depth + 1;
        Ok(match ty {
            types::Type::Bool => Type::Bool,
            types::Type::S8 => Type::S8,
            types::Type::U8 => Type::U8,
            types::Type::S16 => Type::S16,
            types::Type::U16 => Type::U16,
            types::Type::S32 => Type::S32,
            types::Type::U32 => Type::U32,
            types::Type::S64 => Type::S64,
            types::Type::U64 => Type::U64,
            types::Type::Float32 => Type::F32,
            types::Type::Float64 => Type::F64,
            types::Type::Char => Type::Char,
            types::Type::String => Type::String,
            types::Type::List(list) => {
                Type::List(self.within("[]".to_owned(), |reader| reader.boxed(list.ty(), inner))?)
            }
            types::Type::Option(option) => Type::Option(self.boxed(option.ty(), inner)?),
            types::Type::Result(result) => self.result(&result, inner)?,
            types::Type::Record(record) => self.record(&record, inner)?,
            types::Type::Tuple(tuple) => self.tuple(&tuple, inner)?,
            types::Type::Variant(variant) => self.variant(&variant, inner)?,
            types::Type::Enum(ty) => Type::Enum(self.cases(ty.names().len()).and_then(|()| self.names(ty.names()))?),
            types::Type::Flags(ty) => Type::Flags(self.names(ty.names())?),
            types::Type::Own(_) | types::Type::Borrow(_) => return Err(Reason::Resource),
            types::Type::Future(_) => return Err(Reason::Concurrent("future")),
            types::Type::Stream(_) => return Err(Reason::Concurrent("stream")),
            types::Type::ErrorContext => return Err(Reason::Concurrent("error-context")),
            types::Type::Map(_) => return Err(Reason::Proposal("map")),
            types::Type::FixedLengthList(_) => return Err(Reason::Proposal("list of fixed length")),
        })
    }

    fn result(&mut self, result: &types::ResultType, depth: usize) -> Result<Type, Reason> {
        let ok = self.within(".ok".to_owned(), |reader| reader.optional(result.ok(), depth))?;
        let err = self.within(".err".to_owned(), |reader| reader.optional(result.err(), depth))?;
        Ok(Type::Result { ok: ok.map(Box::new), err: err.map(Box::new) })
    }

    fn record(&mut self, record: &types::Record, depth: usize) -> Result<Type, Reason> {
        let mut fields = Vec::new();
        for field in record.fields() {
            let name = self.name(field.name)?;
            let ty = self.within(format!(".{name}"), |reader| reader.ty(field.ty, depth))?;
            fields.push(Field { name, ty });
        }
        Ok(Type::Record(fields))
    }

    fn tuple(&mut self, tuple: &types::Tuple, depth: usize) -> Result<Type, Reason> {
        let mut types = Vec::new();
        for (index, ty) in tuple.types().enumerate() {
            types.push(self.within(format!(".{index}"), |reader| reader.ty(ty, depth))?);
        }
        Ok(Type::Tuple(types))
    }

    fn variant(&mut self, variant: &types::Variant, depth: usize) -> Result<Type, Reason> {
        self.cases(variant.cases().len())?;
        let mut cases = Vec::new();
        for case in variant.cases() {
            let name = self.name(case.name)?;
            let ty = self.within(format!(".{name}"), |reader| reader.optional(case.ty, depth))?;
            cases.push(Case { name, ty });
        }
        Ok(Type::Variant(cases))
    }
}

#[cfg(test)]
mod tests;
