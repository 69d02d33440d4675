//! A run that has ended, read back from its journal, and its replay.

use std::sync::Arc;

use remit::agent::{Again, Fork, Recalled, Replayed, Stop, Verdict, fork, recall, resume};
use remit::capability::config::Values;
use remit::digest::Digest;
use remit::gate::{Divergence, End, FuelRule, Functions, Outcome, OutputStream, Refusal, Where, class_name};
use remit::id::RunId;
use remit::journal::{Entry, Kind};
use remit::lifecycle::Wait;
use remit::meter::{Crossed, LimitKind, Usage};
use serde_json::Value as Json;

use super::{Guest, HOST, Scene, runtime};

/// An entry: kind, function, fuel, time, params, outcome.
pub type Recorded = (Kind, Option<String>, u64, u64, Vec<u8>, Vec<u8>);

/// A run that has ended.
pub struct Ran {
    scene: Scene,
    guest: Arc<Guest>,
    /// The run.
    pub id: RunId,
    /// How it ended.
    pub end: End,
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: String,
    /// The lines it logged.
    pub log: String,
    /// Its calls, from the journal.
    pub calls: Vec<Call>,
}

/// One host call, as the journal has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `interface#function`.
    pub function: String,
    /// The class of the function.
    pub class: &'static str,
    /// Fuel used when it was made.
    pub fuel: u64,
    /// What the guest gave.
    pub params: Json,
    /// What it got. Null where it follows from what was recorded before.
    pub outcome: Json,
    /// The refusal, if the remit refused it.
    pub refusal: Option<Refusal>,
    /// The stored grant that allowed it, where that is recorded.
    pub grant: Option<String>,
    /// What the entry says it took, where it says so.
    pub usage: Option<Json>,
    /// What an intent found in place before, if there was an intent.
    pub before: Option<Json>,
    /// Which entry of which run it is because of.
    pub cause: Option<String>,
    /// Whether there is an outcome. An intent has none where the run was stopped before its effect.
    pub is_answered: bool,
}

impl Call {
    /// Returns what others used for it, where the entry says so.
    pub fn used(&self) -> Option<Usage> {
        let usage = self.usage.clone()?;
        Some(serde_json::from_value(usage).expect("it is what a connector used"))
    }
}

impl Ran {
    pub(super) fn new(scene: Scene, guest: Arc<Guest>, id: RunId, end: End, shown: &[(OutputStream, Vec<u8>)]) -> Self {
        let all = |wanted| shown.iter().filter(move |(stream, _)| *stream == wanted);
        let bytes = |wanted| all(wanted).flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<u8>>();
        let text = |wanted| String::from_utf8(bytes(wanted)).expect("these guests write text");
        let (stdout, stderr, log) = (bytes(OutputStream::Stdout), text(OutputStream::Stderr), text(OutputStream::Log));
        let calls = calls(&scene, id, guest.agent.functions());
        Self { scene, guest, id, end, stdout, stderr, log, calls }
    }

    /// Returns the runs of connectors that its calls started, oldest first, as runs of `guest`.
    pub fn callees(&self, guest: &Arc<Guest>) -> Vec<Ran> {
        let runs = self.scene.journal().runs().expect("the runs can be listed").into_iter();
        let callees = runs.filter(|run| run.header.cause.is_some_and(|cause| cause.run == self.id));
        callees
            .map(|run| {
                let end = serde_json::from_slice(&run.state.expect("a connector's run has an end")).expect("an end");
                Ran::new(self.scene.clone(), guest.clone(), run.id, end, &[])
            })
            .collect()
    }

    /// Returns what it used.
    pub fn usage(&self) -> Usage {
        self.end.usage
    }

    /// Returns its standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("this guest writes text")
    }

    /// Returns the calls of one function.
    pub fn calls_of(&self, function: &str) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.function == function).collect()
    }

    /// Returns the calls that the remit refused.
    pub fn refused(&self) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.refusal.is_some()).collect()
    }

    /// Fails unless it succeeded, as a command does.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.end.outcome, Outcome::Succeeded { result: None }, "stdout: {}", self.text());
        self
    }

    /// Fails unless it succeeded and printed just this.
    #[track_caller]
    pub fn printed(self, text: &str) -> Self {
        let ran = self.succeeded();
        assert_eq!(ran.text(), text);
        ran
    }

    /// Fails unless the remit refused exactly one call, of this function, under a rule with these words. Returns the
    /// smallest grant that would have allowed it.
    #[track_caller]
    pub fn refused_once(&self, function: &str, rule: &str) -> Option<String> {
        let refused = self.refused();
        let [Call { function: refused, refusal: Some(refusal), .. }] = refused[..] else {
            panic!("expected one refusal, found {refused:#?}")
        };
        assert_eq!(refused, function);
        assert!(refusal.rule.contains(rule), "expected {rule:?} in the rule: {}", refusal.rule);
        refusal.grant.clone()
    }

    /// Fails unless this limit ended it. Returns by how much it was crossed.
    #[track_caller]
    pub fn limited_by(&self, limit: LimitKind) -> Crossed {
        let Outcome::Limit { crossed } = self.end.outcome else { panic!("expected a limit: {:?}", self.end) };
        assert_eq!(crossed.limit, limit);
        assert!(crossed.wanted > crossed.max, "{crossed:?}");
        assert!(crossed.how_to_raise().contains(limit.key()), "{}", crossed.how_to_raise());
        crossed
    }

    /// Fails unless it ended in a call of this function, which has no entry of its own.
    #[track_caller]
    pub fn ended_in(self, function: &str) -> Self {
        assert_eq!(self.end.at, Where::Call(function.to_owned()));
        self
    }

    /// Fails unless its journal is whole and a replay matches it: call for call, fuel for fuel, and in its end.
    #[track_caller]
    pub fn replayed(self) -> Self {
        let verified = self.scene.journal().verify(self.id, None).expect("the journal is whole");
        assert!(verified.entries > 0, "{verified:?}");
        let replayed = self.replay();
        assert!(matches!(replayed.verdict, Verdict::Matched), "{}", told(&replayed));
        assert_eq!(replayed.end.fuel, self.end.fuel);
        assert_eq!(replayed.entries, self.calls.iter().filter(|call| call.is_answered).count() as u64);
        self
    }

    /// Returns the same run, seen in a scene that was opened again.
    pub fn in_scene(self, scene: &Scene) -> Self {
        Self { scene: scene.clone(), ..self }
    }

    /// Takes the run up, as another process does that finds it parked, and goes on with it.
    #[track_caller]
    pub fn resumed(self) -> Self {
        let Self { scene, guest, id, .. } = &self;
        let recalled = self.recalled();
        let (engine, values) = (HOST.engine().fingerprint(), Values::default());
        let again = Again { engine, most: recalled.remit(), values, by: "test" };
        let taken = resume(&recalled, &guest.agent, again, scene.journal(), scene.clock().clone());
        let accepted = taken.unwrap_or_else(|error| panic!("the run is not resumed: {error}"));
        let mut shown = Vec::new();
        let mut sink = |stream, bytes: &[u8]| shown.push((stream, bytes.to_vec()));
        let end = runtime().block_on(accepted.run(&guest.agent, &Stop::default(), &mut sink));
        Self::new(scene.clone(), guest.clone(), *id, end.expect("the journal takes the run"), &shown)
    }

    /// Returns what the run waits for. Fails unless it waits.
    #[track_caller]
    pub fn waits(&self) -> Wait {
        match &self.end.outcome {
            Outcome::Waiting { wait } => wait.clone(),
            other => panic!("expected a run that waits, found {other:?}"),
        }
    }

    /// Returns how many entries it has.
    pub fn entries(&self) -> u64 {
        self.scene.journal().summary(self.id).expect("the run is there").entries
    }

    /// Replays with the component of the run.
    #[track_caller]
    pub fn replay(&self) -> Replayed {
        self.replay_with(&self.guest)
    }

    /// Replays with another component.
    #[track_caller]
    pub fn replay_with(&self, guest: &Guest) -> Replayed {
        let rule = self.recalled().fuel_rule(Digest::of(&guest.bytes), HOST.engine().fingerprint());
        self.replay_by(guest, rule)
    }

    /// Replays with a component under a rule about fuel.
    #[track_caller]
    pub fn replay_by(&self, guest: &Guest, rule: FuelRule) -> Replayed {
        self.replay_until(guest, rule, &Stop::default())
    }

    /// Replays, told to stop at once.
    #[track_caller]
    pub fn replay_stopped(&self) -> Replayed {
        let stop = Stop::default();
        stop.ask();
        self.replay_until(&self.guest, FuelRule::Compared, &stop)
    }

    #[track_caller]
    fn replay_until(&self, guest: &Guest, rule: FuelRule, stop: &Stop) -> Replayed {
        let recalled = self.recalled();
        let replay = recalled.replay(&guest.agent, rule, self.scene.journal(), stop);
        runtime().block_on(replay).expect("the record can be read")
    }

    /// Makes a disarmed fork, and runs it to its end.
    #[track_caller]
    pub fn forked(&self, at: u64) -> Self {
        let (journal, clock) = (self.scene.journal(), self.scene.clock());
        let asked = Fork { at, set: Vec::new(), is_armed: false, by: "test" };
        let made = fork(&self.recalled(), self.guest.agent.functions(), asked, journal, clock);
        let recalled = recall(journal, made.expect("it can be forked there")).expect("the header can be read");
        let most = recalled.remit().clone();
        let again = Again { engine: HOST.engine().fingerprint(), most: &most, values: Values::default(), by: "test" };
        let accepted = resume(&recalled, &self.guest.agent, again, journal, clock.clone()).expect("it goes on");
        let (id, stop) = (accepted.id, Stop::default());
        let mut shown = Vec::new();
        let mut sink = |stream, bytes: &[u8]| shown.push((stream, bytes.to_vec()));
        let end = runtime().block_on(accepted.run(&self.guest.agent, &stop, &mut sink));
        Self::new(self.scene.clone(), self.guest.clone(), id, end.expect("the journal takes the run"), &shown)
    }

    /// Returns its entries as they are recorded: kind, function, fuel, time, params, outcome.
    pub fn record(&self) -> Vec<Recorded> {
        let mut reader = self.scene.journal().reader(self.id).expect("the run is there");
        let mut entries = Vec::new();
        while let Some(entry) = reader.next().expect("the entries are whole") {
            let function = entry.function_name().map(str::to_owned);
            let (params, outcome) = (entry.params().to_vec(), entry.outcome().to_vec());
            entries.push((entry.kind(), function, entry.fuel(), entry.time_us(), params, outcome));
        }
        entries
    }

    fn recalled(&self) -> Recalled {
        recall(self.scene.journal(), self.id).expect("the header can be read")
    }

    /// Fails unless a replay with another component leaves the record. Returns where.
    #[track_caller]
    pub fn diverges_with(&self, guest: &Guest) -> Divergence {
        match self.replay_with(guest).verdict {
            Verdict::Diverged(divergence) => *divergence,
            verdict => panic!("expected a divergence, found {verdict:?}"),
        }
    }
}

fn told(replayed: &Replayed) -> String {
    match &replayed.verdict {
        Verdict::Diverged(divergence) => divergence.to_string(),
        verdict => format!("{verdict:?} after {} entries: {:?}", replayed.entries, replayed.end),
    }
}

/// Reads the calls of a run. An intent and its outcome are one call.
fn calls(scene: &Scene, id: RunId, functions: &Functions) -> Vec<Call> {
    let mut reader = scene.journal().reader(id).expect("the run is there");
    let mut calls: Vec<Call> = Vec::new();
    while let Some(entry) = reader.next().expect("the entries are whole") {
        match entry.kind() {
            Kind::Call | Kind::Intent => calls.push(call(&entry, functions)),
            Kind::Outcome => {
                let intent = calls.last_mut().expect("an outcome follows its intent");
                let Call { outcome, refusal, usage, .. } = call(&entry, functions);
                (intent.outcome, intent.refusal, intent.usage, intent.is_answered) = (outcome, refusal, usage, true);
            }
            Kind::State | Kind::Note => {}
        }
    }
    calls
}

fn call(entry: &Entry<'_>, functions: &Functions) -> Call {
    let definition = entry.function().expect("a call names its function");
    let name = entry.function_name().expect("a call names its function");
    let function = functions.get(name).expect("the host links what it recorded");
    let extension = entry.extension().expect("the extension is whole");
    let is_empty = entry.outcome().is_empty();
    Call {
        function: name.to_owned(),
        class: class_name(extension.class.map_or(definition.class, |own| u8::try_from(own).expect("it is a class"))),
        fuel: entry.fuel(),
        params: function.show_params(entry.params()),
        outcome: if is_empty { Json::Null } else { function.show_outcome(entry.outcome()) },
        refusal: extension.denial.map(|text| serde_json::from_str(&text).expect("a refusal is JSON")),
        usage: extension.usage.map(|text| serde_json::from_str(&text).expect("usage is JSON")),
        is_answered: entry.kind() == Kind::Call,
        grant: extension.grant,
        cause: extension.cause,
        before: extension.before.map(|text| serde_json::from_str(&text).expect("what was there is JSON")),
    }
}
