//! What a completion took, for the run's usage and for the entry.

use serde::Deserialize;
use serde_json::json;

use crate::meter::Usage;
use crate::model::Outcome;

/// Returns what all exchanges took together. What does not leave this host is not counted as sent.
pub(super) fn usage(outcome: &Outcome, reaches_out: bool) -> Usage {
    let tokens = outcome.usage();
    let usage = Usage {
        input_tokens: tokens.input,
        cached_input_tokens: tokens.cached_input,
        output_tokens: tokens.output,
        ..Usage::default()
    };
    if !reaches_out {
        return usage;
    }
    Usage {
        remote_calls: outcome.exchanges.len() as u64,
        sent_bytes: outcome.exchanges.iter().map(|exchange| exchange.sent_bytes).sum(),
        received_bytes: outcome.exchanges.iter().map(|exchange| exchange.received_bytes).sum(),
        ..usage
    }
}

/// Returns what the entry says: tokens by kind, and every exchange with what it took and why it was not the last. The
/// number of exchanges and the length of each fault are bounded, so an entry has room for it. Nothing where nothing was
/// asked.
pub(super) fn written(outcome: &Outcome, reaches_out: bool) -> Option<String> {
    let tokens = outcome.usage();
    let mut account = json!({
        "input-tokens": tokens.input,
        "cached-input-tokens": tokens.cached_input,
        "output-tokens": tokens.output,
        "exchanges": outcome.exchanges,
    });
    if !reaches_out {
        account["local"] = json!(true);
    }
    (!outcome.exchanges.is_empty()).then(|| account.to_string())
}

/// What is read of an entry's account.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Account {
    input_tokens: u64,
    cached_input_tokens: u64,
    output_tokens: u64,
    exchanges: Vec<Bytes>,
    local: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Bytes {
    sent_bytes: u64,
    received_bytes: u64,
}

/// Returns what a recorded completion took, by what [`written`] wrote.
pub(super) fn read(account: Option<&str>) -> Usage {
    let account: Account = account.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let out = if account.local { &[][..] } else { &account.exchanges[..] };
    Usage {
        input_tokens: account.input_tokens,
        cached_input_tokens: account.cached_input_tokens,
        output_tokens: account.output_tokens,
        remote_calls: out.len() as u64,
        sent_bytes: out.iter().map(|exchange| exchange.sent_bytes).sum(),
        received_bytes: out.iter().map(|exchange| exchange.received_bytes).sum(),
        ..Usage::default()
    }
}
