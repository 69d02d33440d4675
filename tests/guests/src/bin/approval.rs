//! `approval`: asks a person.
//!
//! | arguments | asks |
//! |---|---|
//! | `ask TITLE...` | for each title in turn, with details that name it |
//! | `within MILLISECONDS ANSWER` | for so long, and `deny` or `approve` holds by default |
//! | `raw TITLE INTENT DETAILS` | just this |
//!
//! Prints what was decided, one line each, such as `denied: WHY`, or `error: MESSAGE`.

use std::time::Duration;

use guests::{arguments, number, usage};
use remit_sdk::{
    approval::{self, Decision},
    bindings::remit::plugin::approval as wit,
};

fn main() {
    let arguments = arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["ask", ref titles @ ..] => {
            for title in titles {
                say(approval::proposal(*title, &serde_json::json!({ "what": title })).because("a test").ask());
            }
        }
        ["within", time, answer] => {
            let asked = approval::proposal("soon", &1).expires(Duration::from_millis(number(time)));
            say(if answer == "approve" { asked.approved_by_default() } else { asked }.ask());
        }
        ["raw", title, intent, details] => {
            let (title, intent, details) = (title.to_owned(), intent.to_owned(), details.to_owned());
            let default = wit::DefaultAnswer::Deny;
            match wit::ask(&wit::Proposal { title, intent, details, expires: None, default }) {
                Ok(decision) => println!("{decision:?}"),
                Err(wit::Error::Invalid(problem)) => println!("error: {problem}"),
                Err(error) => println!("error: {error:?}"),
            }
        }
        _ => usage("approval ask|within|raw ..."),
    }
}

fn say(decided: Result<Decision, approval::Error>) {
    match decided {
        Ok(Decision::Approved) => println!("approved"),
        Ok(Decision::Denied(why)) => println!("denied: {why}"),
        Ok(Decision::Expired { is_approved }) => println!("expired, approved: {is_approved}"),
        Err(error) => println!("error: {error}"),
    }
}
