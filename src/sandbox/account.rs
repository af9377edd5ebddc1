//! Who has a mailbox in the sandbox.

use data_encoding::BASE32_NOPAD;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

use crate::kernel::language::Language;
use crate::ports::Fault;

/// A person with a mailbox: what `sandbox.json` tells about each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// As written in a From line.
    pub name: String,
    /// The preferred address.
    pub address: String,
    /// Other addresses whose mail arrives in the same mailbox.
    pub more_addresses: Vec<String>,
    /// What a mail program logs in with; shaped like an address.
    pub login: String,
    pub password: String,
    pub language: Language,
    /// What the person is in the community, in the words of whoever made the account.
    pub roles: Vec<String>,
}

impl Account {
    /// An account that logs in with its address and a random password.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(name: &str, address: &str, language: Language) -> Result<Account, Fault> {
        let mut bytes = [0; 10];
        let random = SystemRandom::new().fill(&mut bytes);
        random.map_err(|_| Fault::new("making a password", "the system gives no random bytes"))?;
        Ok(Account {
            name: name.to_owned(),
            address: address.to_lowercase(),
            more_addresses: Vec::new(),
            login: address.to_lowercase(),
            password: BASE32_NOPAD.encode(&bytes).to_lowercase(),
            language,
            roles: Vec::new(),
        })
    }

    /// Every address, the preferred one first.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.address.as_str()).chain(self.more_addresses.iter().map(String::as_str))
    }

    /// Whether the servers' tables can hold it: plain addresses in lower case, a password without spaces and colons.
    ///
    /// # Errors
    /// Names the first value that cannot be held.
    pub fn check(&self) -> Result<(), Fault> {
        for address in self.addresses().chain([self.login.as_str()]) {
            if !is_plain_address(address) {
                return Err(Fault::new(
                    format!("adding mailbox {address}"),
                    "it must be name@domain.tld in lower case",
                ));
            }
        }
        let plain = |c: char| c.is_ascii_graphic() && !":\\{}\"".contains(c);
        if self.password.is_empty() || !self.password.chars().all(plain) {
            return Err(Fault::new(
                format!("adding mailbox {}", self.login),
                "its password must have visible ASCII signs only, and none of : \\ { } \"",
            ));
        }
        Ok(())
    }
}

fn is_plain_address(address: &str) -> bool {
    let plain = |s: &str| {
        !s.is_empty() && s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    address
        .split_once('@')
        .is_some_and(|(local, domain)| plain(local) && plain(domain) && domain.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::Account;
    use crate::kernel::language::Language;

    fn check(change: impl Fn(&mut Account), expect: &str) {
        let mut account = Account::new("Amina", "Amina@Village.Example", Language::Fr).expect("random bytes");
        change(&mut account);
        let said = account.check().map_or_else(|fault| fault.to_string(), |()| "fine".to_owned());
        assert!(said.contains(expect), "{said}");
    }

    #[test]
    fn an_account_that_would_corrupt_the_servers_tables_is_refused() {
        check(|_| (), "fine");
        check(|a| a.more_addresses.push("amina.k@work.example".into()), "fine");
        check(|a| a.login = "amina".into(), "adding mailbox amina");
        check(|a| a.more_addresses.push("x: y@z.example".into()), "name@domain.tld");
        check(|a| a.address = "Amina@village.example".into(), "lower case");
        check(|a| a.password = "a:b".into(), "password");
        check(|a| a.password = String::new(), "password");
    }

    #[test]
    fn two_accounts_have_different_passwords() {
        let make = || Account::new("A", "a@b.example", Language::En).expect("random bytes").password;
        assert_ne!(make(), make());
    }
}
