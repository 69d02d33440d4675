//! Recording the values of `remit:plugin/model`, case by case in WIT order.

use serde_json::{Value as Json, json};

use crate::capability::bindings::model::{
    AssistantMessage, Chat, Completion, Error, Message, Overload, StopReason, Tool, ToolCall, ToolResult, Usage,
};
use crate::capability::wasi::values::{carries, enumeration, kebab, one_of, record, variant};
use crate::gate::Value;
use crate::gate::value::{Malformed, Mismatch, case_of, fields_of};

record!(Chat {
    tier as "tier",
    messages as "messages",
    tools as "tools",
    schema as "schema",
    max_tokens as "max-tokens",
    deadline_ms as "deadline-ms",
});
variant!(Message { 0 System(text), 1 User(text), 2 Assistant(said), 3 Tool(result) });
record!(AssistantMessage { text as "text", tool_calls as "tool-calls" });
record!(Tool { name as "name", description as "description", parameters as "parameters" });
record!(ToolCall { id as "id", name as "name", arguments as "arguments" });
record!(ToolResult { call_id as "call-id", text as "text", is_error as "is-error" });
record!(Completion { text as "text", tool_calls as "tool-calls", stop as "stop", usage as "usage" });
enumeration!(StopReason { End, MaxTokens, ToolUse, Refused, Other });
record!(Usage { input as "input", cached_input as "cached-input", output as "output" });
variant!(Error {
    0 Denied,
    1 UnknownTier,
    2 Overloaded(overload),
    3 Deadline,
    4 InvalidRequest(why),
    5 InvalidOutput(why),
    6 Provider(why),
    7 TooLarge,
});
record!(Overload { retry_after_ms as "retry-after-ms" });
