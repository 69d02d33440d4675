//! What a function with Rust types returns. Contents stay in one buffer on their way: allocating and touching fresh
//! memory costs more than moving them aside for a tag.

use wasmtime::component::{ComponentNamedList, Lift, Lower};

use crate::engine::interface::Type;
use crate::gate::Value;
use crate::gate::value::{Malformed, put_uint, take_uint};

/// What a function returns: nothing, or a tuple of one.
pub trait Returns: ComponentNamedList + Lift + Lower + Value + Send + Sync + 'static {
    /// What stands before contents in the recorded form of a result that ends in them.
    const TAGS: &'static [u8] = &[];
    /// Makes the result that is these contents, where the type has one.
    const OF_CONTENTS: Option<fn(Vec<u8>) -> Self> = None;

    /// Returns the WIT type that this is, if any.
    fn ty() -> Option<Type>;

    /// Takes the contents out of a result that has some.
    ///
    /// # Errors
    /// The result itself, when it has none.
    fn into_contents(self) -> Result<Vec<u8>, Self> {
        Err(self)
    }

    /// Turns the result into its recorded form.
    fn into_recorded(self) -> Vec<u8> {
        match self.into_contents() {
            Ok(contents) => behind(Self::TAGS, contents),
            Err(result) => {
                let mut recorded = Vec::new();
                result.encode(&mut recorded);
                recorded
            }
        }
    }

    /// Turns the whole recorded form into the result.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not such a result, or go on after it.
    fn from_recorded(recorded: Vec<u8>) -> Result<Self, Malformed> {
        if let Some(of_contents) = Self::OF_CONTENTS
            && recorded.starts_with(Self::TAGS)
        {
            return contents_behind(Self::TAGS.len(), recorded).map(of_contents);
        }
        let mut input = recorded.as_slice();
        let result = Self::decode(&mut input)?;
        if input.is_empty() { Ok(result) } else { Err(Malformed) }
    }
}

/// Puts tags and their length before contents, in the same buffer.
fn behind(tags: &[u8], mut contents: Vec<u8>) -> Vec<u8> {
    let mut head = tags.to_vec();
    put_uint(contents.len() as u64, &mut head);
    contents.splice(..0, head);
    contents
}

/// Takes tags and the length off the front of contents, in the same buffer.
fn contents_behind(tags_len: usize, mut recorded: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    let mut contents = recorded.get(tags_len..).ok_or(Malformed)?;
    let len = take_uint(&mut contents)?;
    if len != contents.len() as u64 {
        return Err(Malformed);
    }
    let head_len = recorded.len() - contents.len();
    recorded.drain(..head_len);
    Ok(recorded)
}

/// A result that fails with a sentence.
pub type Fallible<T> = Result<T, String>;

macro_rules! returns {
    ($($rust:ty => $wit:expr;)*) => {$(
        impl Returns for $rust {
            fn ty() -> Option<Type> {
                $wit
            }
        }
    )*};
}

returns! {
    () => None;
    (u32,) => Some(Type::U32);
    (u64,) => Some(Type::U64);
    (String,) => Some(Type::String);
    (Fallible<()>,) => Some(fallible(None));
    (Fallible<String>,) => Some(fallible(Some(Type::String)));
}

impl Returns for (Vec<u8>,) {
    const OF_CONTENTS: Option<fn(Vec<u8>) -> Self> = Some(|contents| (contents,));

    fn ty() -> Option<Type> {
        Some(bytes())
    }

    fn into_contents(self) -> Result<Vec<u8>, Self> {
        Ok(self.0)
    }
}

impl Returns for (Option<Vec<u8>>,) {
    const TAGS: &'static [u8] = &[1];
    const OF_CONTENTS: Option<fn(Vec<u8>) -> Self> = Some(|contents| (Some(contents),));

    fn ty() -> Option<Type> {
        Some(option(bytes()))
    }

    fn into_contents(self) -> Result<Vec<u8>, Self> {
        self.0.ok_or((None,))
    }
}

impl Returns for (Fallible<Vec<u8>>,) {
    const TAGS: &'static [u8] = &[0];
    const OF_CONTENTS: Option<fn(Vec<u8>) -> Self> = Some(|contents| (Ok(contents),));

    fn ty() -> Option<Type> {
        Some(fallible(Some(bytes())))
    }

    fn into_contents(self) -> Result<Vec<u8>, Self> {
        self.0.map_err(|error| (Err(error),))
    }
}

impl Returns for (Fallible<Option<Vec<u8>>>,) {
    const TAGS: &'static [u8] = &[0, 1];
    const OF_CONTENTS: Option<fn(Vec<u8>) -> Self> = Some(|contents| (Ok(Some(contents)),));

    fn ty() -> Option<Type> {
        Some(fallible(Some(option(bytes()))))
    }

    fn into_contents(self) -> Result<Vec<u8>, Self> {
        match self.0 {
            Ok(Some(contents)) => Ok(contents),
            other => Err((other,)),
        }
    }
}

fn bytes() -> Type {
    Type::List(Box::new(Type::U8))
}

fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

fn fallible(ok: Option<Type>) -> Type {
    Type::Result { ok: ok.map(Box::new), err: Some(Box::new(Type::String)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<R: Returns + Clone + PartialEq + std::fmt::Debug>(result: R) {
        let mut encoded = Vec::new();
        result.encode(&mut encoded);
        assert_eq!(result.clone().into_recorded(), encoded, "{result:?}");
        assert_eq!(R::from_recorded(encoded.clone()), Ok(result.clone()));
        for cut in 0..encoded.len() {
            assert_eq!(R::from_recorded(encoded[..cut].to_vec()), Err(Malformed), "{result:?} cut at {cut}");
        }
        encoded.push(0);
        assert_eq!(R::from_recorded(encoded), Err(Malformed), "{result:?} and more");
    }

    #[test]
    fn contents_in_their_buffer_are_recorded_as_any_value_is() {
        let long = vec![7; 300];
        for contents in [vec![], vec![0], vec![1, 0], long] {
            check((contents.clone(),));
            check((Some(contents.clone()),));
            check((Fallible::Ok(contents.clone()),));
            check((Fallible::Ok(Some(contents)),));
        }
        check((None::<Vec<u8>>,));
        check((Fallible::<Vec<u8>>::Err("no".into()),));
        check((Fallible::<Option<Vec<u8>>>::Ok(None),));
        check((Fallible::<Option<Vec<u8>>>::Err(String::new()),));
        check((Fallible::<()>::Ok(()),));
        check((u64::MAX,));
        check((String::from("text"),));
        check(());
    }
}
