//! A caller with its connectors, put together as the command line does it, through the library.

use std::path::PathBuf;
use std::sync::Arc;

use remit::agent::{Connected, Connectors, Links, Node, Outward, PrepareError};
use remit::capability::connector::route::Linked;
use remit::capability::wasi::http::Network;
use remit::meter::LimitKind;

use crate::harness::{Guest, HOST, Play, Scene, component};

/// What grants a caller all of the tests' connector.
pub const ALL: &str = "[capabilities.connectors.\"test:tracker/issues@1.2.0\"]\nwhy = \"test\"";

/// What grants the connector a part of kv.
pub const KV: &str = "[capabilities.kv]\nprefixes = [\"issue/\"]\naccess = \"read-write\"\nwhy = \"test\"";

/// The interface that callers import.
pub const ISSUES: &str = "test:tracker/issues@1.2.0";

/// One connector that may take part.
pub struct Part {
    /// Its component.
    pub guest: Arc<Guest>,
    /// What is granted to it.
    pub granted: &'static str,
    /// Its own limits.
    pub limits: Vec<(LimitKind, u64)>,
    /// What it may call: interfaces, and the numbers of those who answer.
    pub calls: Vec<(&'static str, usize)>,
    /// What the operator's grant says, where it says more than a request can.
    pub grant: Option<&'static str>,
    /// The folder of its files `out`.
    pub out: Option<PathBuf>,
    /// Its way out.
    pub network: Option<Arc<dyn Network>>,
}

impl Part {
    /// Returns the tests' connector.
    pub fn tracker() -> Self {
        Self::of(tracker())
    }

    /// Returns a connector that calls nobody.
    pub fn of(guest: Arc<Guest>) -> Self {
        let (limits, calls) = (Vec::new(), Vec::new());
        Self { guest, granted: "", limits, calls, grant: None, out: None, network: None }
    }

    /// Returns a connector written by hand.
    pub fn of_text(text: &str) -> Self {
        Self::of(recorded(wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))))
    }

    /// Grants it something.
    pub fn granted(self, granted: &'static str) -> Self {
        Self { granted, ..self }
    }

    /// Sets one of its limits.
    pub fn limit(mut self, kind: LimitKind, value: u64) -> Self {
        self.limits.push((kind, value));
        self
    }

    /// Lets it call an interface.
    pub fn calling(mut self, interface: &'static str, number: usize) -> Self {
        self.calls.push((interface, number));
        self
    }
}

/// Returns the tests' connector, prepared for replays.
pub fn tracker() -> Arc<Guest> {
    recorded(component("guest_connector"))
}

/// Prepares a component whose calls are answered from a record.
pub fn recorded(bytes: Vec<u8>) -> Arc<Guest> {
    Guest::linked(bytes, Connected::ByRecord).unwrap_or_else(|error| panic!("the guest is refused: {error}"))
}

/// Prepares a caller that imports `interface`, answered by the first of the parts.
pub fn linked(bytes: Vec<u8>, parts: &[Part], interface: &str) -> Result<Arc<Guest>, PrepareError> {
    Guest::linked(bytes, Connected::To(links(parts, &[(interface, 0)]).linked()))
}

fn links(parts: &[Part], calls: &[(&str, usize)]) -> Links {
    let mut links = Links::default();
    for (interface, number) in calls {
        let interface = interface.parse().expect("an interface");
        let exported = parts[*number].guest.agent.exports()[0].interface.clone();
        links.add(Linked { granted: interface, interface: exported, connector: format!("part-{number}") }, *number, 0);
    }
    links
}

/// Begins a run of a caller of the first part.
pub fn play(scene: &Scene, caller: Vec<u8>, interface: &str, parts: Vec<Part>) -> Play {
    play_of(scene, caller, &[(interface, 0)], parts)
}

/// Begins a run of a caller that may call these interfaces, each answered by the part with that number.
pub fn play_of(scene: &Scene, caller: Vec<u8>, calls: &[(&str, usize)], parts: Vec<Part>) -> Play {
    let own = links(&parts, calls);
    let caller = Guest::linked(caller, Connected::To(own.linked()));
    let caller = caller.unwrap_or_else(|error| panic!("the caller is refused: {error}"));
    let nodes = (0..parts.len()).map(|number| node(scene, &parts, number)).collect();
    let connectors =
        Connectors::new(nodes, HOST.engine().fingerprint(), scene.journal().clone(), scene.clock().clone());
    scene.play("caller", caller).calling(&Arc::new(connectors), &Arc::new(own))
}

/// Begins a run of the tests' caller, with these arguments.
pub fn caller<'a>(scene: &Scene, arguments: impl IntoIterator<Item = &'a str>, part: Part) -> Play {
    play(scene, component("connector"), ISSUES, vec![part]).granted(ALL).arguments(arguments)
}

fn node(scene: &Scene, parts: &[Part], number: usize) -> Node {
    let Part { guest, granted, limits, calls, grant, out, network } = &parts[number];
    let play = scene.play(&format!("part-{number}"), guest.clone()).granted(granted);
    let play = grant.iter().fold(play, |play, grant| play.granted_by(grant));
    let play = out.iter().fold(play, |play, out| play.at("out", out));
    let play = calls.iter().fold(play, |play, (interface, _)| {
        play.granted(&format!("[capabilities.connectors.\"{interface}\"]\nwhy = \"test\""))
    });
    let launch = limits.iter().fold(play, |play, &(kind, value)| play.limit(kind, value)).launch();
    let own = links(parts, calls);
    let agent = match calls.is_empty() {
        true => guest.agent.clone(),
        false => {
            let linked = Guest::linked(guest.bytes.clone(), Connected::To(own.linked()));
            linked.unwrap_or_else(|error| panic!("a connector is refused: {error}")).agent.clone()
        }
    };
    let outward = Outward { network: network.clone(), ..Outward::default() };
    Node { launch, agent, outward, links: Arc::new(own) }
}
