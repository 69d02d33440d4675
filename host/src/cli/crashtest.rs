//! `remit crashtest`: does a plugin's run end as it should, wherever its host dies?

mod left;
mod stage;

use std::collections::BTreeMap;

use serde_json::json;

use self::left::{Likeness, NOT_THERE, left};
use self::stage::Stage;
use super::Shell;
use super::args;
use super::exit::Exit;
use super::find::Named;
use super::report::{Failure, Result, note, print, print_json};
use super::session::Session;

/// How a process is killed.
const DEATHS: [(&str, &[&str]); 2] =
    [("with that entry on disk", &[]), ("with its last entries on their way", &["--crash-suddenly"])];

/// What is told of at most.
const TOLD_MAX: usize = 12;

/// Kills runs of the plugin, and judges what is left.
pub fn crashtest(shell: &Shell, args: &args::Crashtest) -> Result {
    let named = Named::read(shell, &args.run.plugin)?;
    let session = Session::open(shell, &format!("remit crashtest {}", named.name()))?;
    let plugin = named.plugin(session.journal(), &args.run.plugin)?.runnable()?;
    let stage = Stage::of(&session, &plugin, &args.run)?;
    session.close()?;
    let (entries, likeness) = rehearse(&stage)?;
    let points = spread(entries, args.most);
    note(format!("{} records {entries} entries; what is compared: {}", plugin.name(), likeness.compared()));
    let mut tally = Tally::default();
    for entry in points {
        for (how, death) in DEATHS {
            tally.add(entry, how, attempt(&stage, &likeness, entry, death)?);
        }
    }
    tally.tell(&plugin.name(), args.run.json)
}

/// Runs it twice without a crash, and returns how many entries it records and what both runs agree on.
fn rehearse(stage: &Stage) -> Result<(u64, Likeness)> {
    let once = |stage: &Stage| {
        stage.set()?;
        let said = stage.run(&[])?;
        let left = left(stage)?;
        if left.state == NOT_THERE {
            return Err(said.failure());
        }
        if !left.is_ended() {
            let message = format!("a run that nobody killed is {}: {}", left.state, said.last_line());
            return Err(Failure::new(Exit::Usage, message).hint("crashtest needs a run that ends by itself"));
        }
        stage.keep_compiled()?;
        Ok(left)
    };
    let (first, second) = (once(stage)?, once(stage)?);
    let entries = first.entries.min(second.entries);
    Ok((entries, Likeness::of(first, second)))
}

/// Returns so many entries at most, evenly spread, the first and the last among them. The end is no entry to die after.
fn spread(entries: u64, most: u64) -> Vec<u64> {
    let last = entries.saturating_sub(2);
    let count = most.min(last + 1);
    let mut points: Vec<u64> =
        (0..count).map(|at| if count > 1 { at * last / (count - 1) } else { last / 2 }).collect();
    points.dedup();
    points
}

/// What became of a run that was killed.
enum Verdict {
    /// It ended as one that nobody killed.
    Whole,
    /// A person has to say what became of this call.
    InDoubt(String),
    /// What is wrong.
    Broken(String),
}

fn attempt(stage: &Stage, likeness: &Likeness, entry: u64, death: &[&str]) -> Result<Verdict> {
    stage.set()?;
    let at = entry.to_string();
    let said = stage.run(&[&["--crash-after", &at], death].concat())?;
    if !said.was_killed {
        return Ok(Verdict::Broken(format!("was not killed, and ended with code {:?}", said.code)));
    }
    if !stage.has_a_run()? {
        // Nothing was accepted, so there is nothing to go on with.
        stage.run(&[])?;
    }
    let said = stage.remit(&["resume", "last"])?;
    let left = left(stage)?;
    if let Some(broken) = likeness.broken(&left) {
        return Ok(Verdict::Broken(broken));
    }
    match left.in_doubt {
        Some(call) => Ok(Verdict::InDoubt(call)),
        None if left.is_ended() => Ok(Verdict::Whole),
        None => Ok(Verdict::Broken(format!("is {}: {}", left.state, said.last_line()))),
    }
}

/// What became of all.
#[derive(Default)]
struct Tally {
    whole: u64,
    in_doubt: BTreeMap<String, u64>,
    broken: Vec<(u64, &'static str, String)>,
}

impl Tally {
    fn add(&mut self, entry: u64, how: &'static str, verdict: Verdict) {
        match verdict {
            Verdict::Whole => self.whole += 1,
            Verdict::InDoubt(call) => *self.in_doubt.entry(call).or_default() += 1,
            Verdict::Broken(what) => self.broken.push((entry, how, what)),
        }
    }

    fn tell(&self, name: &str, is_json: bool) -> Result {
        let in_doubt = self.in_doubt.values().sum::<u64>();
        let broken = self.broken.len() as u64;
        let all = self.whole + in_doubt + broken;
        if is_json {
            let broken: Vec<_> = self
                .broken
                .iter()
                .map(|(entry, how, what)| json!({ "entry": entry, "how": how, "what": what }))
                .collect();
            print_json(&json!({ "killed": all, "whole": self.whole, "in-doubt": self.in_doubt, "broken": broken }))?;
        } else {
            print(format!("{name} was killed {all} times: {} runs ended as without it\n", self.whole))?;
            for (call, count) in self.in_doubt.iter().take(TOLD_MAX) {
                print(format!("  {count} wait for a person to say what became of {call}\n"))?;
            }
            for (entry, how, what) in self.broken.iter().take(TOLD_MAX) {
                print(format!("  broken, killed after entry {entry} {how}: {what}\n"))?;
            }
        }
        Ok(if broken == 0 { Exit::Ok } else { Exit::Diverged })
    }
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn points_are_spread_from_the_first_entry_to_the_last_before_the_end() {
        assert_eq!(spread(5, 100), [0, 1, 2, 3]);
        assert_eq!(spread(102, 3), [0, 50, 100]);
        assert_eq!(spread(102, 1), [50]);
        assert_eq!(spread(1, 100), [0]);
    }
}
