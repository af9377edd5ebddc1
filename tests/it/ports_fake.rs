//! An SMTP server that misbehaves as told: refuses, hangs up, falls silent, at the step one names.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server does at a step instead of what is right.
#[derive(Clone, Copy)]
pub enum Act {
    Say(&'static str),
    HangUp,
    Silence,
}

/// One connection's misdeeds, each done once, by step: GREETING, EHLO, AUTH, MAIL, RCPT, DATA, BODY, RSET.
#[derive(Clone, Default)]
pub struct Plan {
    pub acts: Vec<(&'static str, Act)>,
    /// Lines of the answer to EHLO.
    pub extensions: Vec<&'static str>,
    /// Hang up, without a word, after this many mails.
    pub mails: Option<usize>,
}

impl Plan {
    pub fn at(step: &'static str, act: Act) -> Plan {
        Plan { acts: vec![(step, act)], ..Plan::default() }
    }

    pub fn with(extensions: &[&'static str]) -> Plan {
        Plan { extensions: extensions.to_vec(), ..Plan::default() }
    }
}

#[derive(Default)]
pub struct Heard {
    pub connections: usize,
    /// Command lines, all connections together.
    pub lines: Vec<String>,
    /// Mails as they were, dots undone.
    pub mails: Vec<Vec<u8>>,
}

pub struct Fake {
    pub port: u16,
    heard: Arc<Mutex<Heard>>,
}

impl Fake {
    /// The first connection gets the first plan, and so on; the last plan is for all others.
    pub async fn start(plans: &[Plan]) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let (mut plans, ear) = (VecDeque::from(plans.to_vec()), heard.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let plan = if plans.len() > 1 { plans.pop_front() } else { plans.front().cloned() };
                ear.lock().expect("an ear").connections += 1;
                tokio::spawn(serve(socket, plan.unwrap_or_default(), ear.clone()));
            }
        });
        Fake { port, heard }
    }

    pub fn heard<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().expect("an ear"))
    }
}

/// `None`: the connection ends.
async fn serve(socket: TcpStream, mut plan: Plan, heard: Arc<Mutex<Heard>>) -> Option<()> {
    let mut stream = BufReader::new(socket);
    let mut mails = 0;
    reply(&mut stream, &mut plan, "GREETING", "220 fake.example ESMTP").await?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
        let line = line.trim_end().to_string();
        heard.lock().ok()?.lines.push(line.clone());
        let verb = line.split([' ', ':']).next()?.to_uppercase();
        match verb.as_str() {
            "EHLO" => {
                let lines = [&["fake.example"], plan.extensions.as_slice()].concat();
                let (last, first) = lines.split_last()?;
                let text: String = first.iter().map(|l| format!("250-{l}\r\n")).collect();
                reply(&mut stream, &mut plan, "EHLO", &format!("{text}250 {last}")).await?
            }
            "AUTH" => reply(&mut stream, &mut plan, "AUTH", "235 2.7.0 welcome").await?,
            "MAIL" => reply(&mut stream, &mut plan, "MAIL", "250 2.1.0 ok").await?,
            "RCPT" => reply(&mut stream, &mut plan, "RCPT", "250 2.1.5 ok").await?,
            "DATA" => {
                if !reply(&mut stream, &mut plan, "DATA", "354 go on").await? {
                    continue;
                }
                let mail = body(&mut stream).await?;
                heard.lock().ok()?.mails.push(mail);
                mails += 1;
                reply(&mut stream, &mut plan, "BODY", "250 2.0.0 queued as 42").await?;
                if plan.mails == Some(mails) {
                    return None;
                }
                true
            }
            "QUIT" => {
                reply(&mut stream, &mut plan, "QUIT", "221 2.0.0 bye").await?;
                return None;
            }
            _ => reply(&mut stream, &mut plan, "RSET", "250 2.0.0 ok").await?,
        };
    }
}

/// Says what the plan or else what is right; whether the answer was positive.
async fn reply(stream: &mut BufReader<TcpStream>, plan: &mut Plan, step: &str, right: &str) -> Option<bool> {
    let act = plan.acts.iter().position(|(at, _)| *at == step).map(|n| plan.acts.remove(n).1);
    let text = match act {
        None => right,
        Some(Act::Say(text)) => text,
        Some(Act::HangUp) => return None,
        Some(Act::Silence) => std::future::pending().await,
    };
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
    Some(text.starts_with(['2', '3']))
}

async fn body(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).await.ok().filter(|n| *n > 0)?;
        match line.as_slice() {
            b".\r\n" => return Some(mail),
            [b'.', rest @ ..] => mail.extend_from_slice(rest),
            all => mail.extend_from_slice(all),
        }
    }
}

/// An IMAP server that answers each command line with what `answer` gives for it, tag left out: `+ go on`,
/// `* …` lines, and a last line without a tag such as `OK done`.
pub async fn imap(answer: fn(&str) -> &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ear = heard.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(converse(socket, answer, ear.clone()));
        }
    });
    (port, heard)
}

async fn converse(
    socket: TcpStream,
    answer: fn(&str) -> &'static str,
    heard: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut stream = BufReader::new(socket);
    stream.get_mut().write_all(answer("GREETING").as_bytes()).await.ok()?;
    let mut tag = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
        let line = line.trim_end();
        heard.lock().ok()?.push(line.to_string());
        let command = match line.split_once(' ') {
            Some((new, command)) => {
                tag = new.to_string();
                command
            }
            None => line,
        };
        let text = answer(command);
        let (untagged, last) = text.rsplit_once('\n').map_or(("", text), |(before, last)| (before, last));
        let untagged: String = untagged.lines().map(|l| format!("{l}\r\n")).collect();
        let last = if last.starts_with('+') { format!("{last}\r\n") } else { format!("{tag} {last}\r\n") };
        stream.get_mut().write_all((untagged + &last).as_bytes()).await.ok()?;
    }
}
