//! One round: two at one slot, or a crowd; and who must have won.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::Instant;

use super::caller::{Caller, World};
use super::operation::{Contender, Operation, Place, create, observer, prepare, somebody};
use crate::Outcome;

/// How the rounds of a pair ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// All of them.
    pub rounds: u64,
    /// As it must be.
    pub right: u64,
    /// A kill was in between: nobody or one has won.
    pub cut: u64,
    /// The longest that an answer took. Those of more than a second have waited for PostgreSQL to see a deadlock.
    pub slowest: Duration,
}

/// How all rounds ended.
#[derive(Default)]
pub struct Tally {
    /// By pair.
    pub ended: BTreeMap<String, Ended>,
    /// What is wrong.
    pub faults: Vec<String>,
    /// The slots, and whether a kill came in between.
    pub places: Vec<(Place, bool)>,
}

impl Tally {
    /// Adds what another has.
    pub fn add(&mut self, other: Self) {
        for (pair, ended) in other.ended {
            let sum = self.ended.entry(pair).or_default();
            sum.rounds += ended.rounds;
            sum.right += ended.right;
            sum.cut += ended.cut;
            sum.slowest = sum.slowest.max(ended.slowest);
        }
        self.faults.extend(other.faults);
        self.places.extend(other.places);
    }

    fn end(&mut self, pair: String, place: Place, right: bool, cut: bool, took: Duration) {
        let ended = self.ended.entry(pair).or_default();
        ended.rounds += 1;
        ended.cut += u64::from(cut);
        ended.slowest = ended.slowest.max(took);
        ended.right += u64::from(right && !cut);
        self.places.push((place, cut));
    }
}

/// Two operations at one slot, each on its own replica.
pub async fn pair(
    callers: &mut [Caller; 2],
    number: u64,
    operations: [Operation; 2],
    tally: &mut Tally,
) -> Outcome {
    let place = Place::of(number);
    let name = format!("{:?} and {:?}", operations[0], operations[1]).to_lowercase();
    let Some(contenders) = prepare(&mut callers[0], number, &place, operations).await? else {
        tally.end(name, place, true, true, Duration::ZERO);
        return Ok(());
    };
    let [one, other] = callers;
    let started = Instant::now();
    let (first, second) = tokio::try_join!(one.ask(&contenders[0].ask), other.ask(&contenders[1].ask))?;
    let took = started.elapsed();
    let cut = first.is_none() || second.is_none();
    let mut won = [false, false];
    for (side, reply) in [first, second].into_iter().enumerate() {
        let Some(reply) = reply else { continue };
        won[side] = reply.status < 300;
        if !matches!(reply.status, 200 | 201 | 409) {
            let body = reply.json();
            tally.faults.push(format!("{name}: side {side} of round {number} was answered {body}"));
        }
    }
    // What an answer does not show: the other of a swap, and what a kill left open.
    for contender in &contenders {
        if cut || contender.operation == Operation::Swap {
            for id in &contender.changes {
                if cut {
                    callers[0].world.model.doubt(id);
                }
                callers[0].look(&observer(), id).await?;
            }
        }
    }
    let right = is_right(&contenders, won);
    if !right && !cut {
        tally.faults.push(format!("{name}: round {number} was won by {won:?}"));
    }
    tally.end(name, place, right, cut, took);
    Ok(())
}

/// Who takes a free slot excludes the other. A slot that is taken is nobody's to take: not while it changes hands, and
/// not when it is given up, because somebody waits for it.
fn is_right(contenders: &[Contender; 2], won: [bool; 2]) -> bool {
    let [one, other] = [0, 1].map(|side| (contenders[side].operation, won[side]));
    let winners = usize::from(one.1) + usize::from(other.1);
    match (one.0, other.0) {
        (Operation::Swap, Operation::Swap) => winners == 2,
        // Given up first, there is nothing to swap; swapped first, the other place is given up.
        (Operation::Swap, Operation::Promote) => other.1,
        (Operation::Promote, Operation::Swap) => one.1,
        (Operation::Promote, Operation::Promote) => winners == 1,
        (a, b) if a.takes() && b.takes() => winners == 1,
        (a, _) if a.takes() => !one.1 && other.1,
        _ => one.1 && !other.1,
    }
}

/// Many create at one slot; one wins.
pub async fn crowd(world: &Arc<World>, number: u64, clients: usize, tally: &mut Tally) -> Outcome {
    let place = Place::of(number);
    let calls = (0..clients).map(|client| {
        let (world, place) = (world.clone(), place.clone());
        async move {
            let who = somebody(client as u64);
            // All overlap, none is the same.
            let from = i64::try_from(client % 15)?;
            let ask = create(who, &place, place.resource, from, 60 + from);
            Caller::new(world, client).ask(&ask).await
        }
    });
    let started = Instant::now();
    let replies = try_join_all(calls).await?;
    let took = started.elapsed();
    let statuses: Vec<u16> = replies.iter().flatten().map(|reply| reply.status).collect();
    let won = statuses.iter().filter(|status| **status == 201).count();
    let lost = statuses.iter().filter(|status| **status == 409).count();
    let right = won == 1 && won + lost == clients;
    if !right {
        tally.faults.push(format!("a crowd at one slot was answered {statuses:?}"));
    }
    tally.end(format!("{clients} times create"), place, right, false, took);
    Ok(())
}
