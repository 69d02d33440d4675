//! Asks a tracker for its issues and lists the open ones: HTTP with a token that the agent never sees.
use remit_sdk::prelude::*;

#[derive(Deserialize)]
struct Input {
    url: String,
}
#[derive(Deserialize)]
struct Issue {
    title: String,
    open: bool,
}
#[derive(Serialize)]
struct Output {
    open: Vec<String>,
    closed: usize,
}

agent!(|input: Input| {
    let issues: Vec<Issue> = http::get(input.url).header("accept", "application/json").send()?.ok()?.json()?;
    let all = issues.len();
    let open: Vec<_> = issues.into_iter().filter(|issue| issue.open).map(|issue| issue.title).collect();
    Ok(Output { closed: all - open.len(), open })
});
