//! The servers all tests of this program share. Each test has databases and mailboxes of its own in them.

use std::sync::atomic::{AtomicUsize, Ordering};

use atlarged::kernel::language::Language;
use atlarged::sandbox::{Account, Durability, Sandbox};
use tokio::sync::OnceCell;

static SHARED: OnceCell<Sandbox> = OnceCell::const_new();
static NAMES: AtomicUsize = AtomicUsize::new(0);

/// The running servers; the first test to ask starts them, and they end with the program.
pub async fn sandbox() -> &'static Sandbox {
    let start = || async { Sandbox::start_scratch(Durability::None).await.expect("the servers start") };
    SHARED.get_or_init(start).await
}

/// A name that no other test has: for a database, a mailbox, a domain.
pub fn own_name(hint: &str) -> String {
    format!("{hint}{}", NAMES.fetch_add(1, Ordering::Relaxed))
}

/// A mailbox of the test's own: `hintN@village.example`.
pub async fn mailbox(hint: &str) -> Account {
    let name = own_name(hint);
    let account = Account::new(&name, &format!("{name}@village.example"), Language::En).expect("an account");
    sandbox().await.add_account(account.clone()).expect("a mailbox");
    account
}
