//! Values made of others: options, results and tuples.

use serde_json::{Value as Json, json};

use super::{Malformed, Mismatch, Value, case_of, take_byte};

impl<T: Value> Value for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(input)? {
            0 => Ok(None),
            1 => T::decode(input).map(Some),
            _ => Err(Malformed),
        }
    }

    fn json(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::json)
    }

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        if json.is_null() { Ok(None) } else { T::from_json(json).map(Some) }
    }

    fn handles(&self, see: &mut impl FnMut(u32)) {
        if let Some(value) = self {
            value.handles(see);
        }
    }
}

impl<T: Value, E: Value> Value for Result<T, E> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Ok(value) => {
                out.push(0);
                value.encode(out);
            }
            Err(error) => {
                out.push(1);
                error.encode(out);
            }
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(input)? {
            0 => T::decode(input).map(Ok),
            1 => E::decode(input).map(Err),
            _ => Err(Malformed),
        }
    }

    fn json(&self) -> Json {
        match self {
            Ok(value) => json!({ "ok": value.json() }),
            Err(error) => json!({ "err": error.json() }),
        }
    }

    fn from_json(json: &Json) -> Result<Self, Mismatch> {
        match case_of(json) {
            Some(("ok", value)) => T::from_json(value).map(Ok).map_err(|error| error.under("ok")),
            Some(("err", error)) => E::from_json(error).map(Err).map_err(|error| error.under("err")),
            _ => Err(Mismatch::new("{\"ok\": VALUE} or {\"err\": VALUE}", json)),
        }
    }

    fn handles(&self, see: &mut impl FnMut(u32)) {
        match self {
            Ok(value) => value.handles(see),
            Err(error) => error.handles(see),
        }
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Value),*> Value for ($($name,)*) {
            #[inline]
            fn encode(&self, _out: &mut Vec<u8>) {
                $(self.$index.encode(_out);)*
            }
            #[inline]
            fn decode(_input: &mut &[u8]) -> Result<Self, Malformed> {
                Ok(($($name::decode(_input)?,)*))
            }
            fn json(&self) -> Json {
                Json::Array(vec![$(self.$index.json()),*])
            }
            fn from_json(json: &Json) -> Result<Self, Mismatch> {
                const LEN: usize = <[&str]>::len(&[$(stringify!($name)),*]);
                let _items = json.as_array().filter(|items| items.len() == LEN);
                let _items = _items.ok_or_else(|| Mismatch::new(format_args!("an array of {LEN}"), json))?;
                Ok(($($name::from_json(&_items[$index]).map_err(|error| error.under($index))?,)*))
            }
            #[inline]
            fn handles(&self, _see: &mut impl FnMut(u32)) {
                $(self.$index.handles(_see);)*
            }
        }
    };
}

tuple!();
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
