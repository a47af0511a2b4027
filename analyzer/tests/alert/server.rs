//! A webhook: keeps what it was sent, and answers as it is told.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// What kind of message it was, and its subject.
    pub(crate) fn said(&self) -> (String, String) {
        let json = self.json();
        (json["kind"].as_str().unwrap().to_owned(), json["subject"].as_str().unwrap().to_owned())
    }

    pub(crate) fn id(&self) -> &str {
        &self.headers["idempotency-key"]
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) after: Duration,
    pub(crate) location: Option<String>,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, after: Duration::ZERO, location: None }
    }

    pub(crate) fn after(after: Duration) -> Self {
        Self { after, ..Self::status(200) }
    }
}

type Decide = Box<dyn Fn(&Received) -> Answer + Send + Sync>;

struct Shared {
    received: Mutex<Vec<Received>>,
    decide: Mutex<Decide>,
}

pub(crate) struct Server {
    shared: Arc<Shared>,
    pub(crate) address: String,
    // Ends the server when it is dropped.
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let decide: Decide = Box::new(|_| Answer::status(200));
        let shared = Arc::new(Shared { received: Mutex::default(), decide: Mutex::new(decide) });
        let all = Arc::clone(&shared);
        runtime.spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let shared = Arc::clone(&all);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { shared, address, _runtime: runtime }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// From now on requests are answered so.
    pub(crate) fn answer(&self, decide: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        *self.shared.decide.lock().unwrap() = Box::new(decide);
    }

    /// What came since the last time that this was asked, in the order of arrival.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.shared.received.lock().unwrap())
    }

    /// The same as kinds and subjects.
    pub(crate) fn said(&self) -> Vec<(String, String)> {
        self.take().iter().map(Received::said).collect()
    }

    /// Waits until something came.
    pub(crate) fn wait(&self) {
        for _ in 0..600 {
            if !self.shared.received.lock().unwrap().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("nothing came");
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let received = Received { path, headers, body: String::from_utf8(body.to_vec()).unwrap() };
    let decided = (shared.decide.lock().unwrap())(&received);
    shared.received.lock().unwrap().push(received);
    tokio::time::sleep(decided.after).await;
    let mut response = Response::builder().status(decided.status);
    if let Some(location) = decided.location {
        response = response.header("location", location);
    }
    Ok(response.body(Full::new(Bytes::from_static(b"said the server"))).unwrap())
}
