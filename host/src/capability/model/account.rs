//! What a completion took, for the run's usage and for the entry.

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
pub(super) fn written(outcome: &Outcome) -> Option<String> {
    let tokens = outcome.usage();
    let account = json!({
        "input-tokens": tokens.input,
        "cached-input-tokens": tokens.cached_input,
        "output-tokens": tokens.output,
        "exchanges": outcome.exchanges,
    });
    (!outcome.exchanges.is_empty()).then(|| account.to_string())
}
