//! What happens in the village of its own accord, carried out: orders at the keyboard are letters that are
//! posted, sometimes twice, and the office takes care of what waits for a person.

use super::applicant::APPLY;
use super::outgoing::Draft;
use super::story::Event;
use super::village::{Village, held};
use super::villager::Planned;
use super::world::{Coming, World};
use crate::advance::{CaseRow, LetterBody, NewLetter};
use crate::kernel::choice::Choice;
use crate::kernel::ids::{CaseId, LetterId, OrganisationId, Party, PersonId};
use crate::kernel::people::{Region, Role};
use crate::kernel::register::Change;
use crate::kernel::workflow::{Input, Note, Opening, Order};
use crate::ports::store::{Release, Store};
use chrono::{DateTime, Datelike, Duration, Utc, Weekday};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub async fn carry_out(world: &mut World, at: DateTime<Utc>, event: Event) {
    match event {
        Event::Ballot { number, body, frozen } => ballot(world, number, body, frozen).await,
        Event::Parent { number, says } => parent(world, number, says).await,
        Event::Annul { number } => {
            let [staff, _] = Village::staff();
            let args = json!({ "reason": "The text of the question was wrong." });
            if let Some(case) = world.case(number).await {
                order(world, case, staff, "annul", args).await;
            }
        }
        Event::Paper { number, voter, choice } => paper(world, number, voter, choice).await,
        Event::Seat { person, sits } => seat(world, person, sits).await,
        Event::Prime { organisation } => prime(world, OrganisationId(organisation)).await,
        Event::Writes { person, text } => writes(world, at, person, &text),
        Event::Stranger { vouched, number } => world.stranger(at, vouched, number),
        Event::Applies { number, word } => applies(world, at, number, word),
        Event::Meeting { year } => meeting(world, year).await,
        Event::Office => office(world).await,
    }
}

/// A stranger asks for the form.
fn applies(world: &mut World, at: DateTime<Utc>, number: u32, word: usize) {
    let id = Village::applicant(number);
    let Some(villager) = world.village.people.get(&id) else { return };
    let text = format!("Good morning,\r\n\r\nwe are a group of users.\r\n\r\n{}", APPLY[word % APPLY.len()]);
    let draft = Draft::fresh(&villager.addresses[0], &villager.name, "Joining", &text);
    world.send(at, Planned::plain(at, id, draft));
}

/// The meeting elects another Chair, and each region has another Secretariat.
async fn meeting(world: &mut World, year: u32) {
    let (before, after) = if year % 2 == 1 { (1, 4) } else { (4, 1) };
    hands_over(world, [PersonId(before), PersonId(after)], Role::AlacChair, None).await;
    for (n, region) in Region::ALL.into_iter().enumerate() {
        let mut pair = Village::secretariats(n);
        if year.is_multiple_of(2) {
            pair.reverse();
        }
        hands_over(world, pair, Role::RaloSecretariat, Some(region)).await;
    }
}

/// From now on the second of these holds a role that the first held.
async fn hands_over(world: &mut World, pair: [PersonId; 2], role: Role, region: Option<Region>) {
    let now = world.now;
    let Ok(register) = world.store.register().await else { return };
    let [Some(before), Some(after)] = pair.map(|id| register.person(id).cloned()) else { return };
    let (mut before, mut after) = (before, after);
    for of in before.roles.iter_mut().filter(|of| of.role == role) {
        of.until.get_or_insert(now);
    }
    after.roles.push(held(role, region, now));
    change(world, Change::Person(before)).await;
    change(world, Change::Person(after)).await;
}

fn nonce(world: &World) -> String {
    HEXLOWER.encode(&world.keys.random(16).unwrap_or_default())
}

/// Posts a letter as the command line does; whoever lost the answer posts it again.
async fn post(world: &mut World, key: String, body: LetterBody) -> Option<LetterId> {
    let now = world.now;
    let letter = NewLetter { key, body, arrived: now, mail: None, message_id: None };
    let (id, _) = world.store.post(&letter, now).await.ok()?;
    let (again, new) = world.store.post(&letter, now).await.ok()?;
    if new || again != id {
        world.wrong.push(format!("an order was taken twice: {}", letter.key));
    }
    Some(id)
}

async fn ballot(world: &mut World, number: u32, body: Value, frozen: Option<(Duration, Duration)>) {
    let [staff, _] = Village::staff();
    let opening = Opening {
        kind: "ballot".to_owned(),
        parent: frozen.map(|_| World::parent()),
        by: Some(staff),
        body,
        arrived: world.now,
        nonce: nonce(world),
    };
    if let Some(id) = post(world, format!("ballot:{number}"), LetterBody::Opens(opening)).await {
        world.ballots.insert(number, id);
    }
    if let Some((after, lasts)) = frozen {
        let from = world.now + after;
        world.put(from, Coming::Story(Event::Parent { number, says: "freeze" }));
        world.put(from + lasts, Coming::Story(Event::Parent { number, says: "thaw" }));
    }
}

async fn parent(world: &mut World, number: u32, says: &str) {
    let Some(case) = world.case(number).await else { return };
    let note = Note { from: World::parent(), body: json!(says), arrived: world.now };
    post(world, format!("{says}:{number}"), LetterBody::ToCase(case, Input::Note(note))).await;
}

async fn order(world: &mut World, case: CaseId, by: PersonId, verb: &str, args: Value) -> String {
    let order = Order {
        by,
        verb: verb.to_owned(),
        args,
        at: world.now,
        os_user: "village".to_owned(),
        nonce: nonce(world),
    };
    let key = format!("order:{}", world.number());
    post(world, key.clone(), LetterBody::ToCase(case, Input::Order(order))).await;
    key
}

async fn paper(world: &mut World, number: u32, voter: PersonId, choice: &str) {
    let Some(case) = world.case(number).await else { return };
    let (voter, [_, staff]) = (Party::Person(voter), Village::staff());
    let args = json!({ "voter": voter, "choice": choice, "reference": "folder 3" });
    let key = order(world, case, staff, "record", args).await;
    let choice = Choice::ALL.into_iter().find(|of| of.word().eq_ignore_ascii_case(choice));
    world.on_paper(key, case, voter, choice.unwrap_or(Choice::Yes), staff);
}

/// Appends to the register as an import does.
async fn change(world: &mut World, change: Change) {
    let Ok(register) = world.store.register().await else { return };
    let taken = world.store.change_register(register.version, &[change], "village", world.now).await;
    if !taken.is_ok_and(|taken| taken) {
        world.wrong.push("a change of the register was not taken".to_owned());
    }
}

/// A member's seat is vacated, or taken again.
async fn seat(world: &mut World, id: PersonId, sits: bool) {
    let Ok(register) = world.store.register().await else { return };
    let Some(person) = register.person(id) else { return };
    let mut person = person.clone();
    if sits {
        person.roles.push(held(Role::AlacMember, Some(Region::Europe), world.now));
    } else {
        for role in person.roles.iter_mut().filter(|held| held.role == Role::AlacMember) {
            role.until.get_or_insert(world.now);
        }
    }
    change(world, Change::Person(person)).await;
}

/// The other representative speaks for an organisation from now on.
async fn prime(world: &mut World, id: OrganisationId) {
    let Ok(register) = world.store.register().await else { return };
    let Some(organisation) = register.organisation(id) else { return };
    let mut organisation = organisation.clone();
    let other = organisation.representatives.iter().copied().find(|of| Some(*of) != organisation.prime);
    organisation.prime = other;
    if let Some(other) = other {
        world.model.speaks(Party::Organisation(id), other, register.version + 1);
    }
    change(world, Change::Organisation(organisation)).await;
}

fn writes(world: &mut World, at: DateTime<Utc>, person: PersonId, text: &str) {
    let Some(villager) = world.village.people.get(&person) else { return };
    let draft = Draft::fresh(&villager.addresses[0], &villager.name, "A question", text);
    world.send(at, Planned::plain(at, person, draft));
}

/// A person looks at what waits for one: what killed the process is tried again, what is doubtful is put
/// aside, what could not be sent is sent once more.
async fn office(world: &mut World) {
    for item in world.store.quarantined().await.unwrap_or_default() {
        let killed = item.why.contains("ended the process");
        let release = if killed { Release::Retry } else { Release::Discard("looked at") };
        if world.store.unquarantine(&item, release, world.now).await.is_err() {
            world.wrong.push("quarantine cannot be emptied".to_owned());
        }
    }
    if world.now.weekday() == Weekday::Mon {
        without_matter(world).await;
    }
    for id in world.store.stuck() {
        if world.store.resend(id, world.now).await.is_err() {
            world.wrong.push(format!("{id} cannot be sent again"));
        }
    }
}

/// A vote on an application that was taken back stands still: staff, who were told so, annul it.
async fn without_matter(world: &mut World) {
    let cases = world.store.cases().await.unwrap_or_default();
    let withdrawn: BTreeSet<CaseId> =
        cases.iter().filter(|case| case.phase == "withdrawn").map(|case| case.id).collect();
    let still =
        |case: &&CaseRow| case.phase == "frozen" && case.parent.is_some_and(|of| withdrawn.contains(&of));
    let votes: Vec<CaseId> = cases.iter().filter(still).map(|case| case.id).collect();
    let [staff, _] = Village::staff();
    for vote in votes {
        order(world, vote, staff, "annul", json!({ "reason": "The application was taken back." })).await;
    }
}
