//! Stand-ins for everything outside: in a home that has this file, runs send nothing. What would have gone out is a line in the
//! file, and is answered here.
//!
//! `remit crashtest` makes such homes. That it is the home which says so, and not a flag, means that no command can send
//! for real what a rehearsed run has begun.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::exit::Exit;
use super::report::{OrFail as _, Result};
use super::session::Session;
use crate::agent::Outward;
use crate::capability::model::{Models, Tier};
use crate::capability::wasi::http::{ErrorCode, Exchange, Network, NoResponse, Outbound, Response};
use crate::config::{self, Provider};
use crate::digest::Digest;
use crate::home::Home;
use crate::model::Script;
use crate::scope::Remit;

/// What a home has in which nothing is sent.
pub const FILE_NAME: &str = "effects.jsonl";

/// The seed of every run in such a home: runs differ by what is tried out, and not by chance.
pub const SEED: [u8; 32] = [7; 32];

/// A request that would have gone out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Effect {
    /// The method.
    pub method: String,
    /// Where to.
    pub url: String,
    /// The SHA-256 of its body.
    pub body: String,
    /// The idempotency key that it carries.
    pub key: Option<String>,
}

/// Returns where a home notes what would have gone out; nothing for one that sends.
pub fn file_of(home: &Home) -> Option<PathBuf> {
    let path = home.path().join(FILE_NAME);
    path.exists().then_some(path)
}

/// Returns what was noted in a home.
///
/// # Errors
/// When it cannot be read.
pub fn effects(home: &Path) -> Result<Vec<Effect>> {
    let path = home.join(FILE_NAME);
    let what = || format!("cannot read {}", path.display());
    let text = std::fs::read_to_string(&path).or_fail(Exit::HostFailed, what())?;
    // A line that the kill cut off was not sent.
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).or_fail(Exit::HostFailed, what())).collect()
}

/// Returns ways out that lead nowhere.
///
/// # Errors
/// When the file, or a script that the configuration names, cannot be opened.
pub fn outward(session: &Session, file: &Path, remit: &Remit) -> Result<Outward> {
    let opened = OpenOptions::new().append(true).open(file);
    let file = opened.or_fail(Exit::HostFailed, format!("cannot open {}", file.display()))?;
    let network = (!remit.http().is_empty()).then(|| Arc::new(StandIn(Arc::new(file))) as Arc<dyn Network>);
    let Some(scope) = remit.model() else { return Ok(Outward { network, models: None }) };
    let config = config::read(session.home().path())?;
    let mut models = Models::new(session.clock().clone());
    for name in scope.tiers() {
        let script = match config.models.get(name).map(|model| &model.provider) {
            Some(Provider::Scripted { script }) => {
                config::read_script(script.as_deref()).or_fail(Exit::Usage, format!("models.{name}.script"))?
            }
            _ => Script::embedded(),
        };
        models = models.with(name.clone(), Tier::scripted(script));
    }
    Ok(Outward { network, models: Some(Arc::new(models)) })
}

/// Notes each request, and answers it.
struct StandIn(Arc<File>);

impl Network for StandIn {
    fn send(&self, outbound: Outbound) -> Exchange {
        let noted = note(&self.0, &outbound);
        Box::pin(async move {
            noted.map_err(|error| NoResponse {
                why: Some(format!("the stand-in cannot note it: {error}")),
                ..NoResponse::of(ErrorCode::InternalError(None)).unsent()
            })?;
            let headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
            Ok(Response { status: 200, headers, body: b"{}".to_vec(), trailers: Vec::new() })
        })
    }
}

/// Appends a line, in one write: a kill of this process leaves it whole, or nothing of it.
fn note(mut file: &File, Outbound { request, .. }: &Outbound) -> io::Result<()> {
    let key = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"));
    let effect = Effect {
        method: request.target.method().to_string(),
        url: format!(
            "{}://{}{}",
            request.target.scheme().word(),
            request.target.authority(),
            request.target.path_with_query()
        ),
        body: Digest::of(&request.body).to_string(),
        key: key.map(|(_, value)| String::from_utf8_lossy(value).into_owned()),
    };
    let mut line = serde_json::to_vec(&effect)?;
    line.push(b'\n');
    file.write_all(&line)
}
