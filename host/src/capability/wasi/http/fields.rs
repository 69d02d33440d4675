//! `fields`: header fields, and the functions on them. All of it is computed on both sides.
//!
//! Names are kept in lower case. What is invalid, forbidden or immutable is as under wasmtime, and so is the size that
//! ends a guest.

use http::{HeaderName, HeaderValue, header};
use wasmtime::component::Resource;

use super::message::Headers;
use super::types::HeaderError;
use crate::capability::link::Link;
use crate::gate::Halt;

/// What one set of fields may take, overheads included. Stops a guest from having the host keep a store for it.
const WEIGHT_MAX: u64 = 128 << 10;
/// What a name and a value take beside their bytes, so that empty ones are not free.
const OVERHEAD: u64 = 36;

/// A field's name, as it crosses.
type Name = String;
/// A field's value, as it crosses.
type Value = Vec<u8>;
type Changed = (Result<(), HeaderError>,);
pub(super) type Handle = Resource<Fields>;

/// Header fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    all: Headers,
    is_immutable: bool,
}

impl Fields {
    /// Wraps the fields of a message that is made.
    pub fn immutable(all: Headers) -> Self {
        Self { all, is_immutable: true }
    }

    /// Returns the same fields, which nobody changes any more.
    pub fn frozen(self) -> Self {
        Self { is_immutable: true, ..self }
    }

    /// Returns the fields in order.
    pub fn all(&self) -> &Headers {
        &self.all
    }

    /// Returns the fields in order.
    pub fn into_all(self) -> Headers {
        self.all
    }

    /// Returns what the fields take of what a guest may hold.
    pub fn weight(&self) -> u64 {
        Self::weight_of(&self.all)
    }

    pub(super) fn weight_of(all: &Headers) -> u64 {
        all.iter().map(|(name, value)| (name.len() + value.len()) as u64 + 2 * OVERHEAD).sum()
    }

    /// Returns the declared length of the body. A set of fields holds at most one.
    pub fn content_length(&self) -> Option<u64> {
        let (_, length) = self.all.iter().find(|(name, _)| name == header::CONTENT_LENGTH.as_str())?;
        std::str::from_utf8(length).ok()?.parse().ok()
    }

    fn get(&self, name: &str) -> Vec<Value> {
        let name = name.to_ascii_lowercase();
        self.all.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.clone()).collect()
    }

    fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    fn append(&mut self, name: &str, value: Value) -> Result<(), HeaderError> {
        let name = self.changeable(name)?;
        let value = checked(&name, value)?;
        if name == header::CONTENT_LENGTH && self.has(name.as_str()) {
            return Err(HeaderError::InvalidSyntax);
        }
        // Fields of one name stand together.
        let after = self.all.iter().rposition(|(own, _)| own == name.as_str()).map_or(self.all.len(), |last| last + 1);
        self.all.insert(after, (name.as_str().to_owned(), value));
        Ok(())
    }

    fn set(&mut self, name: &str, values: Vec<Value>) -> Result<(), HeaderError> {
        let name = self.changeable(name)?;
        if name == header::CONTENT_LENGTH && values.len() > 1 {
            return Err(HeaderError::InvalidSyntax);
        }
        let values: Result<Vec<_>, _> = values.into_iter().map(|value| checked(&name, value)).collect();
        let at = self.all.iter().position(|(own, _)| own == name.as_str()).unwrap_or(self.all.len());
        let values = values?;
        self.all.retain(|(own, _)| own != name.as_str());
        self.all.splice(at..at, values.into_iter().map(|value| (name.as_str().to_owned(), value)));
        Ok(())
    }

    fn delete(&mut self, name: &str) -> Result<(), HeaderError> {
        let name = self.changeable(name)?;
        self.all.retain(|(own, _)| own != name.as_str());
        Ok(())
    }

    /// Returns a name that the guest may change here.
    fn changeable(&self, name: &str) -> Result<HeaderName, HeaderError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::InvalidSyntax)?;
        if is_forbidden(&name) {
            return Err(HeaderError::Forbidden);
        }
        if self.is_immutable { Err(HeaderError::Immutable) } else { Ok(name) }
    }

    fn check_weight(&self) -> Result<(), Halt> {
        let weight = self.weight();
        if weight <= WEIGHT_MAX {
            return Ok(());
        }
        Err(Halt::Misuse(format!("header fields of {weight} bytes, where {WEIGHT_MAX} are allowed")))
    }
}

/// Whether the field is about the connection, and so the host's.
fn is_forbidden(name: &HeaderName) -> bool {
    let named = [
        header::CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::HOST,
    ];
    named.contains(name) || ["keep-alive", "proxy-connection", "http2-settings"].contains(&name.as_str())
}

fn checked(name: &HeaderName, value: Value) -> Result<Value, HeaderError> {
    if *name == header::CONTENT_LENGTH {
        let text = std::str::from_utf8(&value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let length: u64 = text.and_then(|text| text.parse().ok()).ok_or(HeaderError::InvalidSyntax)?;
        return Ok(length.to_string().into_bytes());
    }
    match HeaderValue::from_bytes(&value) {
        Ok(_) => Ok(value),
        Err(_) => Err(HeaderError::InvalidSyntax),
    }
}

pub(super) fn link(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.resource::<Fields>("wasi:http/types#[drop]fields")?;
    link_made(link)?;
    link_read(link)?;
    link_changed(link)
}

fn link_made(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure("wasi:http/types#[constructor]fields", |derived, ordinals, _: &()| {
        Ok((derived.http.create(ordinals, Fields::default())?,))
    })?;
    link.pure("wasi:http/types#[static]fields.from-list", |derived, ordinals, (list,): &(Vec<(Name, Value)>,)| {
        let mut fields = Fields::default();
        for (name, value) in list {
            if let Err(error) = fields.append(name, value.clone()) {
                return Ok((Err(error),));
            }
            fields.check_weight()?;
        }
        Ok((Ok(derived.http.create(ordinals, fields)?),))
    })?;
    link.pure("wasi:http/types#[method]fields.clone", |derived, ordinals, (fields,): &(Handle,)| {
        let all = derived.http.get::<Fields>(fields.rep())?.all.clone();
        Ok((derived.http.create(ordinals, Fields { all, is_immutable: false })?,))
    })
}

fn link_read(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure("wasi:http/types#[method]fields.get", |derived, _, (fields, name): &(Handle, Name)| {
        Ok((derived.http.get::<Fields>(fields.rep())?.get(name),))
    })?;
    link.pure("wasi:http/types#[method]fields.has", |derived, _, (fields, name): &(Handle, Name)| {
        Ok((derived.http.get::<Fields>(fields.rep())?.has(name),))
    })?;
    link.pure("wasi:http/types#[method]fields.entries", |derived, _, (fields,): &(Handle,)| {
        Ok((derived.http.get::<Fields>(fields.rep())?.all.clone(),))
    })
}

fn link_changed(link: &mut Link<'_>) -> wasmtime::Result<()> {
    link.pure(
        "wasi:http/types#[method]fields.set",
        |derived, _, (fields, name, values): &(Handle, Name, Vec<Value>)| -> Result<Changed, Halt> {
            derived.http.change(fields.rep(), |fields: &mut Fields| {
                let changed = fields.set(name, values.clone());
                fields.check_weight().map(|()| (changed,))
            })
        },
    )?;
    link.pure(
        "wasi:http/types#[method]fields.append",
        |derived, _, (fields, name, value): &(Handle, Name, Value)| -> Result<Changed, Halt> {
            derived.http.change(fields.rep(), |fields: &mut Fields| {
                let changed = fields.append(name, value.clone());
                fields.check_weight().map(|()| (changed,))
            })
        },
    )?;
    link.pure(
        "wasi:http/types#[method]fields.delete",
        |derived, _, (fields, name): &(Handle, Name)| -> Result<Changed, Halt> {
            derived.http.change(fields.rep(), |fields: &mut Fields| Ok((fields.delete(name),)))
        },
    )
}
