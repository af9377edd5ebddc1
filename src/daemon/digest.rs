//! The weekly digest: what waits for whom with days left, and how the books stand.

use super::Daemon;
use crate::advance::CaseRow;
use crate::kernel::workflow::Overdue;
use crate::ports::store::{Answer, Store};
use crate::workflows::office::{Late, News, TurnedAway, Waiting};
use crate::workflows::{Case, Kind};
use chrono::{DateTime, Datelike, Duration, Timelike, Utc, Weekday};
use serde_json::json;

/// Hour of Monday, UTC, from which the digest is written.
const HOUR: u32 = 7;
/// The fact under which the store keeps the week of the newest digest.
const WEEK: &str = "digest-week";
/// Overdue matters in one mail.
const LISTED: usize = 200;

impl<S: Store> Daemon<S> {
    /// Posts the digest of this week if it is time and has not been. Harmless to repeat.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn digest(&self, now: DateTime<Utc>) -> Answer<()> {
        if now.weekday() == Weekday::Mon && now.hour() < HOUR {
            return Ok(());
        }
        let week = format!("{}-W{:02}", now.iso_week().year(), now.iso_week().week());
        let newest = self.store.fact(WEEK).await?;
        if newest.as_deref() == Some(&week) {
            return Ok(());
        }
        // The first week is not told about itself: nothing has happened yet.
        if newest.is_some() {
            let news = self.summary(now).await?;
            self.tell_office(&format!("digest:{week}"), news, now).await?;
            let late = self.overdue(now).await?;
            if !late.is_empty() {
                self.tell_office(&format!("overdue:{week}"), News::Overdue(late), now).await?;
            }
        }
        self.store.set_fact(WEEK, &week).await
    }

    /// Matters that have taken longer than their rules give them, the longest first.
    async fn overdue(&self, now: DateTime<Utc>) -> Answer<Vec<Late>> {
        let late = |row: CaseRow| {
            let case = Case::load(Kind::from_name(&row.kind)?, &row.state).ok()?;
            let Overdue { days, why, end } = case.overdue(now, &self.policies)?;
            Some(Late { case: row.id.to_string(), title: case.titles(), days, why: why.to_owned(), end })
        };
        let mut late: Vec<Late> = self.store.cases().await?.into_iter().filter_map(late).collect();
        late.sort_by_key(|one| std::cmp::Reverse(one.days));
        late.truncate(LISTED);
        Ok(late)
    }

    async fn summary(&self, now: DateTime<Utc>) -> Answer<News> {
        let mut tasks = Vec::new();
        for open in self.store.tasks().await? {
            tasks.push(Waiting {
                case: open.task.case.to_string(),
                title: self.titles(open.task.case, open.title).await?,
                to: open.task.to,
                since: open.opened_at,
                days_left: open.task.due.map(|due| (due - now).num_days()),
            });
        }
        let away = self.store.turned_away(now - Duration::days(7)).await?;
        let turned_away = away.into_iter().map(|(domain, count)| TurnedAway { domain, count }).collect();
        let books = self.store.books().await?;
        let quarantined = self.store.quarantined().await?.len();
        Ok(News::Digest {
            tasks,
            books: json!(books),
            quarantined: u64::try_from(quarantined).unwrap_or(u64::MAX),
            silent: books.silent,
            turned_away,
        })
    }
}
