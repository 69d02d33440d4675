//! The smallest agent: a name in, a greeting out.
use remit_sdk::prelude::*;

#[derive(Deserialize)]
struct Input {
    name: String,
}
#[derive(Serialize)]
struct Output {
    greeting: String,
}
agent!(|input: Input| Ok(Output { greeting: format!("Hello, {}!", input.name) }));
