//! Judging an answer, and telling the model what was wrong with it.

use super::chat::{AssistantMessage, CheckedChat, Message, ToolCall, ToolResult};
use super::completion::{Completion, StopReason};

/// What is to be done with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It can be given to the agent.
    Good(Completion),
    /// The model should try again.
    Wrong {
        /// What was wrong, for people.
        why: String,
        /// What the conversation goes on with, so that the model corrects it.
        repair: Vec<Message>,
    },
}

/// Judges an answer to `checked`. Only a finished answer is held to the schema, and only calls that the model waits for
/// are held to their tools: anything cut off or refused is given to the agent as such, without calls.
pub(super) fn judge(checked: &CheckedChat, completion: Completion) -> Verdict {
    match completion.stop {
        StopReason::End => judge_text(checked, completion),
        StopReason::ToolUse => judge_calls(checked, completion),
        StopReason::MaxTokens | StopReason::Refused | StopReason::Other => {
            Verdict::Good(Completion { tool_calls: Vec::new(), ..completion })
        }
    }
}

fn judge_text(checked: &CheckedChat, completion: Completion) -> Verdict {
    let Some(schema) = &checked.answer else { return Verdict::Good(completion) };
    let text = unfenced(&completion.text);
    match schema.check(text) {
        Ok(()) => Verdict::Good(Completion { text: text.to_owned(), ..completion }),
        Err(problems) => {
            let why = problems.join("; ");
            let request = format!(
                "That answer does not fit the JSON Schema: {why}. Answer again with the whole corrected JSON and nothing \
                 else."
            );
            let said = if completion.text.trim().is_empty() { "(no answer)".to_owned() } else { completion.text };
            let said = Message::Assistant(AssistantMessage { text: said, tool_calls: Vec::new() });
            Verdict::Wrong { why, repair: vec![said, Message::user(request)] }
        }
    }
}

/// Returns the text without the Markdown fence that models like to put around JSON.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inside = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    inside.map_or(text, |inside| inside.strip_prefix("json").unwrap_or(inside).trim())
}

fn judge_calls(checked: &CheckedChat, completion: Completion) -> Verdict {
    let problems: Vec<_> = completion.tool_calls.iter().map(|call| problem(checked, call)).collect();
    let Some((call, first)) =
        completion.tool_calls.iter().zip(&problems).find_map(|(call, p)| Some((call, p.as_ref()?)))
    else {
        return match completion.tool_calls.is_empty() {
            false => Verdict::Good(completion),
            true => judge_text(checked, Completion { stop: StopReason::End, ..completion }),
        };
    };
    let why = format!("the call of `{}`: {first}", super::error::quote(&call.name));
    let results = completion.tool_calls.iter().zip(&problems).map(|(call, problem)| {
        let text = problem.clone().unwrap_or_else(|| "not called, since another call beside it is wrong".to_owned());
        Message::Tool(ToolResult { call_id: call.id.clone(), text: format!("{text}. Call again."), is_error: true })
    });
    let results: Vec<_> = results.collect();
    let said = AssistantMessage { text: completion.text, tool_calls: completion.tool_calls };
    Verdict::Wrong { why, repair: std::iter::once(Message::Assistant(said)).chain(results).collect() }
}

fn problem(checked: &CheckedChat, call: &ToolCall) -> Option<String> {
    let Some(schema) = checked.tools.get(&call.name) else {
        return Some("there is no tool of that name".to_owned());
    };
    let problems = schema.check(&call.arguments).err()?;
    Some(format!("the arguments do not fit: {}", problems.join("; ")))
}
