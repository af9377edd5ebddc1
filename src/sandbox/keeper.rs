//! One thread that starts the sandbox's servers, watches over them and stops them.
//!
//! The kernel kills a server when the thread that started it ends (`PR_SET_PDEATHSIG`, set by setpriv(1)), so that a
//! sandbox never outlives its program, however that ended. A pool's thread may end early; this one lives as long as
//! the sandbox.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::ports::Fault;

/// How a server is asked to end; also what it gets when this program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Int,
    Quit,
    Term,
    Kill,
}

impl Signal {
    /// The name kill(1) and setpriv(1) know.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Int => "INT",
            Signal::Quit => "QUIT",
            Signal::Term => "TERM",
            Signal::Kill => "KILL",
        }
    }
}

enum Order {
    Start { name: &'static str, command: Box<Command>, end: Signal, done: oneshot::Sender<Result<(), Fault>> },
    Stop { name: &'static str, signal: Signal, done: oneshot::Sender<()> },
    Lives { name: &'static str, answer: oneshot::Sender<bool> },
}

struct Server {
    name: &'static str,
    child: Child,
    end: Signal,
}

/// The handle on the thread. Dropping it stops every server, last started first.
pub struct Keeper {
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new() -> Result<Keeper, Fault> {
        let (orders, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sandbox".into())
            .spawn(move || keep(&inbox))
            .map_err(|e| Fault::new("starting the sandbox's thread", e))?;
        Ok(Keeper { orders: Some(orders), thread: Some(thread) })
    }

    /// Starts a server in a process group of its own; `end` is how it is stopped with the sandbox.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub async fn start(&self, name: &'static str, command: Command, end: Signal) -> Result<(), Fault> {
        let (done, started) = oneshot::channel();
        self.order(Order::Start { name, command: Box::new(command), end, done });
        started.await.map_err(|e| Fault::new(format!("starting {name}"), e))?
    }

    /// Sends a server the signal and waits until it has ended, by force after ten seconds. No such server: done.
    pub async fn stop(&self, name: &'static str, signal: Signal) {
        let (done, stopped) = oneshot::channel();
        self.order(Order::Stop { name, signal, done });
        let _ended_or_thread_gone = stopped.await;
    }

    /// Whether the server runs.
    pub async fn lives(&self, name: &'static str) -> bool {
        let (answer, lives) = oneshot::channel();
        self.order(Order::Lives { name, answer });
        lives.await.unwrap_or(false)
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _thread_gone = orders.send(order);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn keep(inbox: &mpsc::Receiver<Order>) {
    let mut servers: Vec<Server> = Vec::new();
    while let Ok(order) = inbox.recv() {
        match order {
            Order::Start { name, command, end, done } => {
                let started = spawn(name, *command).map(|child| servers.push(Server { name, child, end }));
                let _nobody_waits = done.send(started);
            }
            Order::Stop { name, signal, done } => {
                if let Some(at) = servers.iter().position(|s| s.name == name) {
                    let mut server = servers.swap_remove(at);
                    signal_to(&server.child, signal);
                    wait(&mut server);
                }
                let _nobody_waits = done.send(());
            }
            Order::Lives { name, answer } => {
                let server = servers.iter_mut().find(|s| s.name == name);
                let lives = server.is_some_and(|s| matches!(s.child.try_wait(), Ok(None)));
                let _nobody_waits = answer.send(lives);
            }
        }
    }
    // All are told before any is waited for: they end side by side.
    for server in &servers {
        signal_to(&server.child, server.end);
    }
    for server in servers.iter_mut().rev() {
        wait(server);
    }
}

fn spawn(name: &str, mut command: Command) -> Result<Child, Fault> {
    use std::os::unix::process::CommandExt;
    command.process_group(0).stdin(Stdio::null());
    command.spawn().map_err(|e| Fault::new(format!("starting {name}"), e))
}

/// By the shell's own `kill`: it is everywhere, and a signal needs no unsafe code here.
fn signal_to(child: &Child, signal: Signal) {
    signal_process(&child.id().to_string(), signal);
}

/// Sends a signal to a process ("123") or a process group ("-123").
pub fn signal_process(target: &str, signal: Signal) {
    let _already_gone = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\" 2>/dev/null", "sh", signal.name(), target])
        .status();
}

/// Ten seconds for a server to end; then its whole group is killed.
fn wait(server: &mut Server) {
    for _ in 0..1000 {
        if !matches!(server.child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    tracing::warn!(server = server.name, "does not stop; killed");
    signal_process(&format!("-{}", server.child.id()), Signal::Kill);
    let _gone = server.child.wait();
}
