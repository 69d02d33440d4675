//! The recorded form against every other form of the same values, for types and values made up by proptest.

use proptest::prelude::*;
use wasmtime::component::Val;

use crate::capability::connector::typed::check_params;
use crate::capability::connector::wire::{VALUES_MAX, ValueError};
use crate::capability::connector::{json, val};
use crate::engine::interface::{Case, Field, Function, Type};
use crate::gate::Value;
use crate::gate::value::Malformed;

const LEN_MAX: usize = 1 << 20;

fn scalar() -> impl Strategy<Value = Type> {
    use Type::*;
    let names = |count: usize| (0..count).map(|n| format!("n{n}")).collect::<Vec<_>>();
    prop_oneof![
        proptest::sample::select(vec![Bool, S8, U8, S16, U16, S32, U32, S64, U64, F32, F64, Char, String,]),
        (1..200_usize).prop_map(move |count| Enum(names(count))),
        (1..=32_usize).prop_map(move |count| Flags(names(count))),
    ]
}

fn ty() -> impl Strategy<Value = Type> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let optional = proptest::option::of(inner.clone());
        let payload = proptest::option::of(boxed.clone());
        let name = |n: usize| format!("part-{n}");
        prop_oneof![
            boxed.clone().prop_map(Type::List),
            boxed.prop_map(Type::Option),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Type::Tuple),
            (payload.clone(), payload).prop_map(|(ok, err)| Type::Result { ok, err }),
            proptest::collection::vec(inner, 1..4).prop_map(move |types| {
                Type::Record(types.into_iter().enumerate().map(|(n, ty)| Field { name: name(n), ty }).collect())
            }),
            proptest::collection::vec(optional, 1..4).prop_map(move |types| {
                Type::Variant(types.into_iter().enumerate().map(|(n, ty)| Case { name: name(n), ty }).collect())
            }),
        ]
    })
}

/// Makes a value of the type, its choices drawn from `dice`.
fn value(ty: &Type, dice: &mut impl FnMut() -> u64) -> Val {
    let roll = dice();
    let pick = |count: usize| roll as usize % count;
    match ty {
        Type::Bool => Val::Bool(roll & 1 == 1),
        Type::S8 => Val::S8(roll as i8),
        Type::U8 => Val::U8(roll as u8),
        Type::S16 => Val::S16(roll as i16),
        Type::U16 => Val::U16(roll as u16),
        Type::S32 => Val::S32(roll as i32),
        Type::U32 => Val::U32(roll as u32),
        Type::S64 => Val::S64(roll as i64),
        Type::U64 => Val::U64(roll),
        Type::F32 => Val::Float32(f32::from_bits(roll as u32)),
        Type::F64 => Val::Float64(f64::from_bits(roll)),
        Type::Char => Val::Char(char::from_u32(roll as u32 % 0xd800).unwrap()),
        Type::String => Val::String((0..roll % 5).map(|n| ['a', 'ü', '\0', '𝄞', '"'][n as usize]).collect()),
        Type::List(element) => Val::List((0..roll % 4).map(|_| value(element, dice)).collect()),
        Type::Record(fields) => {
            Val::Record(fields.iter().map(|field| (field.name.clone(), value(&field.ty, dice))).collect())
        }
        Type::Tuple(types) => Val::Tuple(types.iter().map(|ty| value(ty, dice)).collect()),
        Type::Variant(cases) => {
            let case = &cases[pick(cases.len())];
            Val::Variant(case.name.clone(), case.ty.as_ref().map(|ty| Box::new(value(ty, dice))))
        }
        Type::Enum(names) => Val::Enum(names[pick(names.len())].clone()),
        Type::Option(inner) => Val::Option((roll & 1 == 1).then(|| Box::new(value(inner, dice)))),
        Type::Result { ok, err } => Val::Result(match roll & 1 {
            0 => Ok(ok.as_ref().map(|ty| Box::new(value(ty, dice)))),
            _ => Err(err.as_ref().map(|ty| Box::new(value(ty, dice)))),
        }),
        Type::Flags(names) => {
            let set = names.iter().enumerate().filter(|(n, _)| roll >> n & 1 == 1);
            Val::Flags(set.map(|(_, name)| name.clone()).collect())
        }
    }
}

fn encoded(ty: &Type, val: &Val) -> Vec<u8> {
    let mut bytes = Vec::new();
    val::encode_result(Some(ty), std::slice::from_ref(val), &mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn a_value_is_the_same_in_every_form(ty in ty(), seed in any::<u64>()) {
        let mut state = seed;
        let mut dice = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.rotate_left(21)
        };
        let val = value(&ty, &mut dice);
        let bytes = encoded(&ty, &val);
        prop_assert_eq!(val::decode_result(Some(&ty), &bytes), Ok(Some(val)));
        let shown = json::result_to_json(Some(&ty), &bytes).unwrap();
        prop_assert_eq!(json::value_from_json(&ty, &shown, LEN_MAX), Ok(bytes.clone()));
        for cut in 0..bytes.len() {
            prop_assert!(val::decode_result(Some(&ty), &bytes[..cut]).is_err());
            prop_assert!(json::result_to_json(Some(&ty), &bytes[..cut]).is_err());
        }
    }

    /// A damaged or forged record: whatever the bytes, both readers answer, and alike.
    #[test]
    fn hostile_bytes_are_read_alike(ty in ty(), bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let val = val::decode_result(Some(&ty), &bytes);
        let shown = json::result_to_json(Some(&ty), &bytes);
        prop_assert_eq!(val.as_ref().err(), shown.as_ref().err());
    }
}

/// Functions linked statically and dynamically leave the same record.
#[test]
fn the_encoding_is_the_gates_for_the_same_rust_types() {
    fn check<T: Value>(ty: Type, val: Val, value: T) {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        assert_eq!(encoded(&ty, &val), bytes, "{ty}");
    }
    let boxed = |ty: Type| Box::new(ty);
    check(Type::Bool, Val::Bool(true), true);
    check(Type::U8, Val::U8(200), 200_u8);
    check(Type::U16, Val::U16(u16::MAX), u16::MAX);
    check(Type::U32, Val::U32(300), 300_u32);
    check(Type::U64, Val::U64(u64::MAX), u64::MAX);
    check(Type::S32, Val::S32(i32::MIN), i32::MIN);
    check(Type::S32, Val::S32(-7), -7_i32);
    check(Type::String, Val::String("ü".into()), String::from("ü"));
    check(Type::List(boxed(Type::U8)), Val::List(vec![Val::U8(0xff), Val::U8(1)]), vec![0xff_u8, 1]);
    let pair = || Val::Tuple(vec![Val::U32(1), Val::String("x".into())]);
    check(Type::Tuple(vec![Type::U32, Type::String]), pair(), (1_u32, String::from("x")));
    check(Type::Option(boxed(Type::Bool)), Val::Option(None), None::<bool>);
    check(Type::Option(boxed(Type::Bool)), Val::Option(Some(Box::new(Val::Bool(false)))), Some(false));
    let result = || Type::Result { ok: Some(boxed(Type::U64)), err: None };
    check(result(), Val::Result(Ok(Some(Box::new(Val::U64(7))))), Ok::<u64, ()>(7));
    check(result(), Val::Result(Err(None)), Err::<u64, ()>(()));
}

#[test]
fn there_is_one_nan() {
    let other_nan = f32::from_bits(0xffc0_0001);
    assert_eq!(encoded(&Type::F32, &Val::Float32(other_nan)), f32::NAN.to_le_bytes());
    let recorded = other_nan.to_le_bytes();
    assert_eq!(val::decode_result(Some(&Type::F32), &recorded), Err(ValueError::Malformed(Malformed)));
    assert_eq!(encoded(&Type::F64, &Val::Float64(-f64::NAN)), f64::NAN.to_le_bytes());
    assert_ne!(encoded(&Type::F64, &Val::Float64(-0.0)), encoded(&Type::F64, &Val::Float64(0.0)));
}

#[test]
fn values_are_counted_before_they_are_built() {
    let bytes = Type::List(Box::new(Type::U8));
    let val = Val::List(vec![Val::U8(0); VALUES_MAX]);
    assert_eq!(val::encode_result(Some(&bytes), &[val], &mut Vec::new()), Err(ValueError::TooManyValues));
    let mut encoded = Vec::new();
    vec![0_u8; VALUES_MAX].encode(&mut encoded);
    assert_eq!(val::decode_result(Some(&bytes), &encoded), Err(ValueError::TooManyValues));
    // As JSON they are one text, and one value.
    assert!(json::result_to_json(Some(&bytes), &encoded).is_ok());
}

#[test]
fn a_value_of_another_type_is_refused_with_its_place() {
    let params = [Field { name: "issue".into(), ty: Type::List(Box::new(Type::Tuple(vec![Type::U8, Type::Char]))) }];
    let check = |vals: &[Val], message: &str| {
        let refused = val::encode_params(&params, vals, &mut Vec::new()).unwrap_err();
        assert_eq!(refused.to_string(), message);
    };
    check(&[], "params: expected 1, found 0");
    check(&[Val::Bool(true)], "issue: expected list<tuple<u8, char>>, found bool");
    let tuple = Val::Tuple(vec![Val::U8(1), Val::U8(2)]);
    check(&[Val::List(vec![tuple])], "issue[0][1]: expected char, found u8");
    assert_eq!(val::decode_params(&params, &[0, 0]), Err(ValueError::Malformed(Malformed)), "bytes are left over");
}

#[test]
fn bytes_are_values_one_by_one_for_a_function_outside_the_family() {
    let field = |name: &str, ty| Field { name: name.into(), ty };
    let bytes = || field("data", Type::List(Box::new(Type::U8)));
    let of = |params| Function { name: "put".into(), params, result: None };
    let (inside, outside) = (of(vec![bytes()]), of(vec![field("kind", Type::U8), bytes()]));
    let recorded = |len: usize| {
        let mut params = Vec::new();
        vec![7_u8; len].encode(&mut params);
        params
    };
    assert_eq!(check_params(&inside, &recorded(VALUES_MAX * 4)), Ok(()));
    let with_kind = |len| [vec![1], recorded(len)].concat();
    assert_eq!(check_params(&outside, &with_kind(VALUES_MAX / 2)), Ok(()));
    assert_eq!(check_params(&outside, &with_kind(VALUES_MAX + 1)), Err(ValueError::TooManyValues));
}
