//! Pages: health, metrics and the public record. GET shows and never acts.

use crate::daemon::{Daemon, Shutdown, public_path};
use crate::ports::Fault;
use crate::ports::store::Store;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Larger files are not served; nothing published is.
const LARGEST: u64 = 64 << 20;

struct Pages<S> {
    daemon: Arc<Daemon<S>>,
    public: Option<PathBuf>,
}

/// Serves until shutdown; returns once it listens, with the address it listens on.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve<S: Store + 'static>(
    listen: SocketAddr,
    daemon: Arc<Daemon<S>>,
    public: Option<PathBuf>,
    shutdown: Shutdown,
) -> Result<SocketAddr, Fault> {
    let fault = |error: std::io::Error| {
        Fault::new(format!("listening on {listen} for pages"), format!("{error}; correct [web] listen"))
    };
    let listener = TcpListener::bind(listen).await.map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    let router = Router::new()
        .route("/health", get(health::<S>))
        .route("/metrics", get(metrics::<S>))
        .route("/public/{*path}", get(public_file::<S>))
        .with_state(Arc::new(Pages { daemon, public }));
    tokio::spawn(async move {
        let served =
            axum::serve(listener, router).with_graceful_shutdown(async move { shutdown.wait().await });
        if let Err(error) = served.await {
            tracing::error!(%error, "the pages are no longer served; mail goes on");
        }
    });
    Ok(address)
}

/// 200 while the record can be reached and the books balance.
async fn health<S: Store>(State(pages): State<Arc<Pages<S>>>) -> Response {
    match pages.daemon.store.books().await {
        Ok(books) if books.balance() => (StatusCode::OK, "well\n").into_response(),
        Ok(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the books do not balance\n").into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the record cannot be reached\n").into_response(),
    }
}

/// The books, in Prometheus' text form.
async fn metrics<S: Store>(State(pages): State<Arc<Pages<S>>>) -> Response {
    let Ok(books) = pages.daemon.store.books().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut text =
        String::from("# HELP atlarged_mails Mails by what became of them.\n# TYPE atlarged_mails gauge\n");
    let rows = [
        ("acted", books.acted),
        ("refused", books.refused),
        ("silent", books.silent),
        ("quarantined", books.quarantined),
        ("waiting", books.waiting),
    ];
    for (ending, count) in rows {
        let _ = writeln!(text, "atlarged_mails{{ending=\"{ending}\"}} {count}");
    }
    text.push_str("# HELP atlarged_mails_received Mails received.\n# TYPE atlarged_mails_received counter\n");
    let _ = writeln!(text, "atlarged_mails_received {}", books.received);
    (typed("text/plain; version=0.0.4; charset=utf-8"), text).into_response()
}

/// A published file, byte for byte.
async fn public_file<S: Store>(
    State(pages): State<Arc<Pages<S>>>,
    UrlPath(path): UrlPath<String>,
) -> Response {
    let Some(file) = pages.public.as_ref().and_then(|public| public_path(public, &path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let fits = tokio::fs::metadata(&file).await.is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST);
    if !fits {
        return StatusCode::NOT_FOUND.into_response();
    }
    match tokio::fs::read(&file).await {
        Ok(bytes) => {
            let kind = match file.extension().and_then(|extension| extension.to_str()) {
                Some("json") => "application/json",
                Some("html") => "text/html; charset=utf-8",
                _ => "text/plain; charset=utf-8",
            };
            let mut headers = typed(kind);
            // Our pages bring nothing along and fetch nothing, whatever stands in them.
            let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
            headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
            (headers, bytes).into_response()
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What a page is, and that nothing else is to be made of it.
fn typed(kind: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
}
