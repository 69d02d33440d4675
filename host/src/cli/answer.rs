//! `remit decide --done VALUE`: the outcome of an effect, as a person writes it.

use serde_json::Value as Json;

use super::exit::Exit;
use super::report::{Failure, Result};
use super::session::Session;
use crate::journal::{Extension, FunctionDef, Header, Kind, Record, Settlement, TakenOver};

/// Where to see what is expected.
const HINT: &str = "`remit show RUN --calls --json` prints outcomes in the form that is read";

/// Reads VALUE.
///
/// # Errors
/// When it is not JSON.
pub(super) fn parsed(value: &str) -> Result<Json> {
    let not_json = |error| Failure::new(Exit::Usage, format!("VALUE is not JSON: {error}")).hint(HINT);
    serde_json::from_str(value).map_err(not_json)
}

/// Records the outcome that an effect had, once it is known to be one of its function's.
///
/// # Errors
/// When it is not; nothing is recorded then.
pub(super) fn answer(
    session: &Session,
    taken: &mut TakenOver,
    entry: u64,
    value: &Json,
    header: &Header,
) -> Result<()> {
    let (definition, fuel) = intent(session, taken, entry)?;
    let outcome = outcome(session, header, &definition, entry, value)?;
    let function = taken.writer.function(definition.name, definition.class);
    let extension = Extension { answers: Some(entry), ..Extension::default() };
    taken.writer.settle(entry, Settlement::Used);
    taken.writer.call(&Record {
        kind: Kind::Outcome,
        function,
        fuel,
        time_us: taken.time_us,
        params: &[],
        outcome: &outcome,
        extension: Some(&extension),
    })?;
    Ok(())
}

/// Returns the function that an intent names, and the fuel at it.
fn intent(session: &Session, taken: &TakenOver, entry: u64) -> Result<(FunctionDef, u64)> {
    let mut reader = session.journal().reader(taken.writer.id())?;
    reader.pass(entry)?;
    let intent = reader.next()?.and_then(|intent| Some((intent.function()?.clone(), intent.fuel())));
    intent.ok_or_else(|| Failure::new(Exit::Usage, format!("entry {entry} names no function")))
}

/// Returns the recorded form of a value.
fn outcome(session: &Session, header: &Header, definition: &FunctionDef, entry: u64, value: &Json) -> Result<Vec<u8>> {
    let refused = |message: String| Failure::new(Exit::Usage, message).hint(HINT);
    let functions = session.functions(header)?;
    let unknown = || refused(format!("this host does not know what {} returns", definition.name));
    let known = functions.get(&definition.name).ok_or_else(unknown)?;
    let name = &definition.name;
    let mismatch = |mismatch| refused(format!("entry {entry} cannot have that outcome: {name} returns {mismatch}"));
    known.read_outcome(value, None).map_err(mismatch)
}
