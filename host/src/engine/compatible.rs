//! Whether an exported interface has what an imported one expects: function by function, type by type.
//!
//! Types must be the same: values are encoded by position, so a case more or a field renamed is another type,
//! whatever the versions promise.

use super::interface::{Field, Function, Interface, Type};

/// Where an export is not what an import expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{function}` of {interface} differs at {place}: the import has {expected}, the export has {found}")]
pub struct Difference {
    /// The imported interface.
    pub interface: String,
    /// The function.
    pub function: String,
    /// Where in the function, as in "param `issue`.labels[]" or "result.ok".
    pub place: String,
    /// What the import has there.
    pub expected: String,
    /// What the export has there.
    pub found: String,
}

/// Checks that every function of `import` is in `export` with the same params and result. The export may have more.
///
/// # Errors
/// The first [`Difference`], functions in order of their names.
pub fn compatible(import: &Interface, export: &Interface) -> Result<(), Difference> {
    import.functions.iter().try_for_each(|expected| {
        let found = export.function(&expected.name);
        let missing = || Err(Place::here(expected, "nothing").under("its name"));
        found.map_or_else(missing, |found| same(expected, found)).map_err(|place| Difference {
            interface: import.name.to_string(),
            function: expected.name.clone(),
            place: place.path,
            expected: place.expected,
            found: place.found,
        })
    })
}

/// A difference on its way out of the types.
struct Place {
    path: String,
    expected: String,
    found: String,
}

impl Place {
    fn here(expected: impl ToString, found: impl ToString) -> Self {
        Self { path: String::new(), expected: cut(expected.to_string()), found: cut(found.to_string()) }
    }

    fn under(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

/// Keeps a line for people readable; a component chooses its names.
fn cut(mut text: String) -> String {
    const LEN_MAX: usize = 200;
    if text.len() > LEN_MAX {
        text.truncate(text.floor_char_boundary(LEN_MAX));
        text.push('…');
    }
    text
}

fn same(expected: &Function, found: &Function) -> Result<(), Place> {
    let names = |function: &Function| function.params.iter().map(|param| param.name.clone()).collect::<Vec<_>>();
    if names(expected) != names(found) {
        return Err(Place::here(expected, found).under("its params"));
    }
    for (expected, found) in expected.params.iter().zip(&found.params) {
        same_type(&expected.ty, &found.ty).map_err(|place| place.under(&format!("param `{}`", expected.name)))?;
    }
    same_optional(expected.result.as_ref(), found.result.as_ref()).map_err(|place| place.under("result"))
}

fn same_optional(expected: Option<&Type>, found: Option<&Type>) -> Result<(), Place> {
    let text = |ty: Option<&Type>| ty.map_or_else(|| "nothing".to_owned(), Type::to_string);
    match (expected, found) {
        (Some(expected), Some(found)) => same_type(expected, found),
        (None, None) => Ok(()),
        _ => Err(Place::here(text(expected), text(found))),
    }
}

fn same_type(expected: &Type, found: &Type) -> Result<(), Place> {
    match (expected, found) {
        (Type::List(left), Type::List(right)) => same_type(left, right).map_err(|place| place.under("[]")),
        (Type::Option(left), Type::Option(right)) => same_type(left, right),
        (Type::Result { ok, err }, Type::Result { ok: found_ok, err: found_err }) => {
            same_optional(ok.as_deref(), found_ok.as_deref()).map_err(|place| place.under(".ok"))?;
            same_optional(err.as_deref(), found_err.as_deref()).map_err(|place| place.under(".err"))
        }
        (Type::Record(left), Type::Record(right)) if same_names(left, right, |field: &Field| &field.name) => {
            let mut fields = left.iter().zip(right);
            fields.try_for_each(|(left, right)| {
                same_type(&left.ty, &right.ty).map_err(|place| place.under(&format!(".{}", left.name)))
            })
        }
        (Type::Variant(left), Type::Variant(right)) if same_names(left, right, |case| &case.name) => {
            left.iter().zip(right).try_for_each(|(left, right)| {
                same_optional(left.ty.as_ref(), right.ty.as_ref())
                    .map_err(|place| place.under(&format!(".{}", left.name)))
            })
        }
        (Type::Tuple(left), Type::Tuple(right)) if left.len() == right.len() => {
            left.iter().zip(right).enumerate().try_for_each(|(index, (left, right))| {
                same_type(left, right).map_err(|place| place.under(&format!(".{index}")))
            })
        }
        _ if expected == found => Ok(()),
        _ => Err(different(expected, found)),
    }
}

/// Tells two different types apart, also where what is shown of them is the same.
fn different(expected: &Type, found: &Type) -> Place {
    let place = Place::here(expected, found);
    if place.expected != place.found {
        return place;
    }
    let (left, right) = (names(expected), names(found));
    let at = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    let name = |names: &[&String]| names.get(at).map_or_else(|| "nothing".to_owned(), |name| format!("`{name}`"));
    Place::here(name(&left), name(&right)).under(&format!(", name {}", at + 1))
}

/// Returns the names of a type's fields, cases or flags.
fn names(ty: &Type) -> Vec<&String> {
    match ty {
        Type::Record(fields) => fields.iter().map(|field| &field.name).collect(),
        Type::Variant(cases) => cases.iter().map(|case| &case.name).collect(),
        Type::Enum(names) | Type::Flags(names) => names.iter().collect(),
        _ => Vec::new(),
    }
}

fn same_names<T>(left: &[T], right: &[T], name: impl Fn(&T) -> &String) -> bool {
    left.iter().map(&name).eq(right.iter().map(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::interface::InterfaceName;

    fn interface(functions: Vec<Function>) -> Interface {
        Interface { name: InterfaceName::parse("acme:tracker/issues@1.2.0"), functions }
    }

    fn create(ty: Type, result: Option<Type>) -> Function {
        Function { name: "create".into(), params: vec![Field { name: "issue".into(), ty }], result }
    }

    fn record(fields: &[(&str, Type)]) -> Type {
        Type::Record(fields.iter().map(|(name, ty)| Field { name: (*name).into(), ty: ty.clone() }).collect())
    }

    fn list(ty: Type) -> Type {
        Type::List(Box::new(ty))
    }

    fn check(import: Function, export: Vec<Function>, message: &str) {
        let found =
            compatible(&interface(vec![import]), &interface(export)).map_err(|difference| difference.to_string());
        assert_eq!(found, if message.is_empty() { Ok(()) } else { Err(message.to_owned()) });
    }

    #[test]
    fn an_export_may_have_more_functions() {
        let list = Function { name: "list".into(), params: vec![], result: None };
        check(create(Type::U8, None), vec![create(Type::U8, None), list], "");
    }

    #[test]
    fn a_difference_names_the_function_the_place_and_both_types() {
        let before = "`create` of acme:tracker/issues@1.2.0 differs at";
        let issue = |labels: Type| record(&[("title", Type::String), ("labels", list(labels))]);
        let result = |err: Option<Type>| Some(Type::Result { ok: None, err: err.map(Box::new) });
        check(
            create(Type::U8, None),
            vec![],
            &format!("{before} its name: the import has func(issue: u8), the export has nothing"),
        );
        check(
            create(issue(Type::String), None),
            vec![create(issue(Type::U32), None)],
            &format!("{before} param `issue`.labels[]: the import has string, the export has u32"),
        );
        check(
            create(Type::U8, result(Some(Type::String))),
            vec![create(Type::U8, result(None))],
            &format!("{before} result.err: the import has string, the export has nothing"),
        );
        check(
            create(record(&[("a", Type::U8), ("b", Type::U8)]), None),
            vec![create(record(&[("b", Type::U8), ("a", Type::U8)]), None)],
            &format!("{before} param `issue`: the import has record {{ a, b }}, the export has record {{ b, a }}"),
        );
        check(
            create(Type::Enum(vec!["open".into()]), None),
            vec![create(Type::Enum(vec!["open".into(), "closed".into()]), None)],
            &format!("{before} param `issue`: the import has enum {{ open }}, the export has enum {{ open, closed }}"),
        );
        let letters = |text: &str| Type::Enum(text.chars().map(String::from).collect());
        check(
            create(letters("abcdefgx"), None),
            vec![create(letters("abcdefgh"), None)],
            &format!("{before} param `issue`, name 8: the import has `x`, the export has `h`"),
        );
        let renamed = Function { params: vec![Field { name: "task".into(), ty: Type::U8 }], ..create(Type::U8, None) };
        check(
            create(Type::U8, None),
            vec![renamed],
            &format!("{before} its params: the import has func(issue: u8), the export has func(task: u8)"),
        );
    }
}
