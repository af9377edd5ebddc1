//! A way to a server on which every line is seen and timed as it passes.

use super::stopwatch;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A line that passed.
#[derive(Debug, Clone)]
pub struct Line {
    pub at: Instant,
    /// Which connection.
    pub connection: usize,
    pub from_server: bool,
    pub text: String,
}

/// Which lines are kept.
type Keep = fn(&str) -> bool;
type Kept = Arc<Mutex<Vec<Line>>>;

pub struct Tap {
    pub port: u16,
    kept: Kept,
}

impl Tap {
    pub async fn on(port: u16, keep: Keep) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let kept = Kept::default();
        let lines = kept.clone();
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((client, _)) = listener.accept().await {
                connection += 1;
                let server = TcpStream::connect(("127.0.0.1", port)).await.expect("the server");
                for socket in [&client, &server] {
                    socket.set_nodelay(true).expect("a socket");
                }
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(carry(from_client, to_server, (connection, false), keep, lines.clone()));
                tokio::spawn(carry(from_server, to_client, (connection, true), keep, lines.clone()));
            }
        });
        Tap { port: own, kept }
    }

    /// The lines kept so far.
    pub fn lines(&self) -> Vec<Line> {
        self.kept.lock().expect("the lines").clone()
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    (connection, from_server): (usize, bool),
    keep: Keep,
    kept: Kept,
) {
    let (mut buffer, mut rest) = (vec![0; 64 * 1024], Vec::new());
    while let Ok(size @ 1..) = from.read(&mut buffer).await {
        let at = stopwatch::now();
        if to.write_all(&buffer[..size]).await.is_err() {
            return;
        }
        rest.extend_from_slice(&buffer[..size]);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(&rest[..end]).trim_end().to_owned();
            rest.drain(..=end);
            if keep(&text) {
                kept.lock().expect("the lines").push(Line { at, connection, from_server, text });
            }
        }
    }
}
