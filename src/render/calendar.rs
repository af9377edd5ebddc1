//! The entry for the recipient's calendar: the moment by which to have answered, with an alarm a day before.
//! It asks for no reply of its own (no METHOD: a file to import, RFC 5545, not an invitation, RFC 5546).

use chrono::{DateTime, Duration, Utc};
use icalendar::{Alarm, Calendar, Component, Event, EventLike, Property};

pub(super) struct Entry<'a> {
    /// The same for every notice of this case to this party, so that a later one moves the entry.
    pub uid: &'a str,
    pub sequence: u32,
    pub at: DateTime<Utc>,
    /// When the mail is written.
    pub stamp: DateTime<Utc>,
    pub summary: &'a str,
}

/// An iCalendar object, lines ended by CRLF.
pub(super) fn ics(entry: &Entry<'_>) -> String {
    let mut alarm = Alarm::display(entry.summary, -Duration::days(1));
    // Left out, the library would draw one and read the clock.
    alarm.uid(&format!("alarm-{}", entry.uid)).timestamp(entry.stamp);
    let event = Event::with_uid(entry.uid)
        .sequence(entry.sequence)
        .timestamp(entry.stamp)
        .starts(entry.at)
        .ends(entry.at)
        .summary(entry.summary)
        .add_property("TRANSP", "TRANSPARENT")
        .alarm(alarm)
        .done();
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", "-//atlarged//clerk//EN"));
    calendar.push(event);
    calendar.to_string()
}
