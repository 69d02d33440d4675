//! Typed interfaces that components import and export: their names, functions and value types.
//!
//! The types are read once out of a compiled component into a plain tree, held to [`read`]'s limits. What follows
//! (comparison, encoding, schemas) walks that tree and never wasmtime's, so it is bounded as the tree is, and needs
//! no component at hand.

pub mod read;
pub mod version;

use std::fmt;

use semver::Version;

/// The name of an interface, as in `acme:tracker/issues@1.2.0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InterfaceName {
    /// The name without its version: `acme:tracker/issues`.
    pub path: String,
    /// The version, where it has one.
    pub version: Option<Version>,
}

impl InterfaceName {
    /// Splits a name as WIT writes it. What follows `@` and is no version belongs to the path.
    pub fn parse(text: &str) -> Self {
        let versioned = text.rsplit_once('@');
        let versioned = versioned.and_then(|(path, version)| Some((path, Version::parse(version).ok()?)));
        match versioned {
            Some((path, version)) => Self { path: path.to_owned(), version: Some(version) },
            None => Self { path: text.to_owned(), version: None },
        }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.path),
            None => f.write_str(&self.path),
        }
    }
}

/// An interface that a component imports or exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: InterfaceName,
    /// Its functions, sorted by name. An interface that only declares types has none.
    pub functions: Vec<Function>,
}

impl Interface {
    /// Returns the function of that name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        let found = self.functions.binary_search_by(|function| function.name.as_str().cmp(name));
        found.ok().map(|index| &self.functions[index])
    }
}

/// A function of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name in kebab-case.
    pub name: String,
    /// Its params in order.
    pub params: Vec<Field>,
    /// What it returns, if anything.
    pub result: Option<Type>,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("func(")?;
        commas(f, &self.params, |f, param| write!(f, "{}: {}", param.name, param.ty))?;
        f.write_str(")")?;
        self.result.as_ref().map_or(Ok(()), |result| write!(f, " -> {result}"))
    }
}

/// A named part: a param of a function or a field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in kebab-case.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A case of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name in kebab-case.
    pub name: String,
    /// What it carries, if anything.
    pub ty: Option<Type>,
}

/// A WIT value type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "WIT's own names")]
pub enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    List(Box<Type>),
    Record(Vec<Field>),
    Tuple(Vec<Type>),
    Variant(Vec<Case>),
    Enum(Vec<String>),
    Option(Box<Type>),
    Result {
        ok: Option<Box<Type>>,
        err: Option<Box<Type>>,
    },
    /// At most 32 names.
    Flags(Vec<String>),
}

impl Type {
    /// Tells whether this is `list<u8>`.
    pub fn is_bytes(&self) -> bool {
        matches!(self, Self::List(element) if **element == Self::U8)
    }

    /// Returns WIT's word for this kind of type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::S16 => "s16",
            Self::U16 => "u16",
            Self::S32 => "s32",
            Self::U32 => "u32",
            Self::S64 => "s64",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
            Self::List(_) => "list",
            Self::Record(_) => "record",
            Self::Tuple(_) => "tuple",
            Self::Variant(_) => "variant",
            Self::Enum(_) => "enum",
            Self::Option(_) => "option",
            Self::Result { .. } => "result",
            Self::Flags(_) => "flags",
        }
    }
}

/// Writes the type for people: lists and options in full, of named parts the first few names.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::List(inner) | Self::Option(inner) => write!(f, "<{inner}>"),
            Self::Tuple(types) => {
                f.write_str("<")?;
                commas(f, types, |f, ty| write!(f, "{ty}"))?;
                f.write_str(">")
            }
            Self::Result { ok: None, err: None } => Ok(()),
            Self::Result { ok, err: None } => write!(f, "<{}>", OrNothing(ok.as_deref())),
            Self::Result { ok, err } => {
                write!(f, "<{}, {}>", OrNothing(ok.as_deref()), OrNothing(err.as_deref()))
            }
            Self::Record(fields) => braces(f, fields, |field| &field.name),
            Self::Variant(cases) => braces(f, cases, |case| &case.name),
            Self::Enum(names) | Self::Flags(names) => braces(f, names, |name| name),
            _ => Ok(()),
        }
    }
}

/// The most parts of one type that are written for people.
const SHOWN_MAX: usize = 6;

fn braces<T>(f: &mut fmt::Formatter<'_>, parts: &[T], name: impl Fn(&T) -> &String) -> fmt::Result {
    f.write_str(" { ")?;
    commas(f, parts, |f, part| f.write_str(name(part)))?;
    f.write_str(" }")
}

fn commas<T>(
    f: &mut fmt::Formatter<'_>,
    parts: &[T],
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, part) in parts.iter().take(SHOWN_MAX).enumerate() {
        f.write_str(if index == 0 { "" } else { ", " })?;
        write(f, part)?;
    }
    f.write_str(if parts.len() > SHOWN_MAX { ", …" } else { "" })
}

/// A type that WIT writes as `_` where there is none.
struct OrNothing<'a>(Option<&'a Type>);

impl fmt::Display for OrNothing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ty) => write!(f, "{ty}"),
            None => f.write_str("_"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_their_version() {
        for (text, path, version) in [
            ("acme:tracker/issues@1.2.0", "acme:tracker/issues", Some("1.2.0")),
            ("acme:tracker/issues@0.2.0-rc.1+b", "acme:tracker/issues", Some("0.2.0-rc.1+b")),
            ("acme:tracker/issues", "acme:tracker/issues", None),
            ("acme:tracker/issues@one", "acme:tracker/issues@one", None),
            ("", "", None),
        ] {
            let name = InterfaceName::parse(text);
            assert_eq!((name.path.as_str(), name.version.as_ref().map(Version::to_string).as_deref()), (path, version));
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn types_are_written_as_wit_writes_them() {
        let list = Type::List(Box::new(Type::U8));
        let record = Type::Record(vec![Field { name: "id".into(), ty: list.clone() }]);
        let result =
            |ok: Option<Type>, err: Option<Type>| Type::Result { ok: ok.map(Box::new), err: err.map(Box::new) };
        for (ty, text) in [
            (Type::Option(Box::new(list.clone())), "option<list<u8>>"),
            (record, "record { id }"),
            (Type::Enum("abcdefgh".chars().map(String::from).collect()), "enum { a, b, c, d, e, f, … }"),
            (Type::Tuple(vec![Type::Char, Type::F32]), "tuple<char, f32>"),
            (result(None, None), "result"),
            (result(None, Some(Type::String)), "result<_, string>"),
            (result(Some(list), None), "result<list<u8>>"),
        ] {
            assert_eq!(ty.to_string(), text);
        }
    }
}
