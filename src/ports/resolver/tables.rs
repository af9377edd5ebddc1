//! A zone as the tables the verifier asks before it asks DNS. With a zone they know everything there is, so
//! that DNS is never asked; without one they know nothing, and it always is.

use super::zone::Zone;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::Dmarc;
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::{Macro, Mechanism, Spf};
use mail_auth::{DnsError, DnssecStatus, Error, MX, RecordSet, ResolverCache, Txt};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

/// Put in front of a name that SPF's `exists` asks about. The verifier takes whatever a table knows for an
/// existing name, even the empty answer, so `exists:NAME` is asked as `a:_exists.NAME/0//0` instead.
const EXISTS: &str = "_exists.";

/// What is known of names, and the answer for all others; none means: ask DNS.
pub struct Table<K, V> {
    known: HashMap<K, V>,
    rest: Option<V>,
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Table<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.known.get(name).or(self.rest.as_ref()).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

/// The tables of every kind of record.
pub struct Tables {
    pub txt: Table<Box<str>, Txt>,
    pub mx: Table<Box<str>, RecordSet<MX>>,
    pub ipv4: Table<Box<str>, RecordSet<Ipv4Addr>>,
    pub ipv6: Table<Box<str>, RecordSet<Ipv6Addr>>,
    pub ptr: Table<IpAddr, RecordSet<Box<str>>>,
}

impl Tables {
    pub fn of(zone: Option<&Zone>) -> Tables {
        let (empty, whole) = (Zone::default(), zone.is_some());
        let zone = zone.unwrap_or(&empty);
        let not_found = || Txt::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)));
        let txt = zone.txt.iter().map(|(name, records)| (fqdn(name), text(name, records))).collect();
        let mx = zone.mx.iter().map(|(name, hosts)| (fqdn(name), exchanges(hosts))).collect();
        let mut ipv4: HashMap<_, _> =
            zone.a.iter().map(|(name, found)| (fqdn(name), set(found.clone()))).collect();
        let mut ipv6: HashMap<_, _> =
            zone.aaaa.iter().map(|(name, found)| (fqdn(name), set(found.clone()))).collect();
        for (name, found) in &zone.a {
            let asked = fqdn(&format!("{EXISTS}{name}"));
            ipv4.insert(asked.clone(), set(found.clone()));
            ipv6.insert(asked, set(found.iter().map(Ipv4Addr::to_ipv6_mapped).collect()));
        }
        let ptr = zone.ptr.iter().map(|(ip, names)| (*ip, set(names.iter().map(|n| fqdn(n)).collect())));
        Tables {
            txt: Table { known: txt, rest: whole.then(not_found) },
            mx: Table { known: mx, rest: whole.then(|| set(Vec::new())) },
            ipv4: Table { known: ipv4, rest: whole.then(|| set(Vec::new())) },
            ipv6: Table { known: ipv6, rest: whole.then(|| set(Vec::new())) },
            ptr: Table { known: ptr.collect(), rest: whole.then(|| set(Vec::new())) },
        }
    }
}

fn fqdn(name: &str) -> Box<str> {
    format!("{name}.").into()
}

fn set<T>(found: Vec<T>) -> RecordSet<T> {
    RecordSet { rrset: found.into(), dnssec_status: DnssecStatus::Indeterminate }
}

fn exchanges(hosts: &[(u16, String)]) -> RecordSet<MX> {
    let mut hosts = hosts.to_vec();
    hosts.sort();
    let exchange = |(preference, host): (u16, String)| MX { preference, exchanges: Box::new([fqdn(&host)]) };
    set(hosts.into_iter().map(exchange).collect())
}

/// A text record as what its name says it is: the first of those there that can be read.
fn text(name: &str, records: &[String]) -> Txt {
    if name.contains("._domainkey.") {
        return parsed::<DomainKey>(records).into();
    }
    if name.starts_with("_dmarc.") {
        return parsed::<Dmarc>(records).into();
    }
    parsed::<Spf>(records).map(without_exists).into()
}

fn parsed<T: TxtRecordParser>(records: &[String]) -> mail_auth::Result<T> {
    let none = Err(Error::Dns(DnsError::InvalidRecordType));
    records.iter().fold(none, |found, record| found.or_else(|_| T::parse(record.as_bytes())))
}

fn without_exists(mut spf: Spf) -> Spf {
    for directive in &mut spf.directives {
        if let Mechanism::Exists { macro_string } = &directive.mechanism {
            let prefix = Macro::Literal(EXISTS.as_bytes().into());
            let name: Vec<Macro> = match macro_string {
                Macro::List(list) => list.to_vec(),
                one => vec![one.clone()],
            };
            directive.mechanism = Mechanism::A {
                macro_string: Macro::List([prefix].into_iter().chain(name).collect()),
                ip4_mask: 0,
                ip6_mask: 0,
            };
        }
    }
    spf
}
