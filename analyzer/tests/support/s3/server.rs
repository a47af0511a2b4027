//! A real S3 server on loopback, with a front that fails on demand.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo};
use keytrail::source::s3::{AccessKey, Patience, S3Options, Session};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3};

use super::buckets::Buckets;

/// What goes wrong with one answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// An error instead: status, code, message.
    Answer(u16, &'static str, &'static str),
    /// An error without a body, and the Region in the header, as `HEAD` is answered.
    Elsewhere(u16, &'static str),
    /// No answer at all.
    Silence,
    /// The first so many bytes of the body, then the connection breaks.
    Cut(usize),
    /// The first so many bytes of the body, then nothing.
    Stall(usize),
    /// A body with one bit that is wrong.
    Flip,
    /// A late answer.
    Late(Duration),
}

/// A request, as far as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
}

type Faults = Arc<dyn Fn(&Seen) -> Option<Fault> + Send + Sync>;

/// A server, gone when dropped.
pub(crate) struct Server {
    pub(crate) buckets: Buckets,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) address: SocketAddr,
    /// Most objects asked for at the same time.
    pub(crate) most: Arc<AtomicU64>,
    /// Bytes of bodies sent.
    pub(crate) sent: Arc<AtomicU64>,
    /// Keys and folders that listings showed.
    pub(crate) shown: Arc<AtomicU64>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Server {
    /// A server without faults.
    pub(crate) fn new() -> Self {
        Self::with(|_| None)
    }

    /// A server with faults.
    pub(crate) fn with(faults: impl Fn(&Seen) -> Option<Fault> + Send + Sync + 'static) -> Self {
        let buckets = Buckets::default();
        buckets.0.lock().unwrap().insert("logs".into(), Default::default());
        Self::start(buckets.clone(), buckets, Arc::new(faults))
    }

    /// A server on other storage.
    pub(crate) fn on(storage: impl S3) -> Self {
        Self::start(storage, Buckets::default(), Arc::new(|_| None))
    }

    fn start(storage: impl S3, buckets: Buckets, faults: Faults) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut service = S3ServiceBuilder::new(storage);
        service.set_auth(SimpleAuth::from_single("AKIDEXAMPLE", "secret"));
        let (seen, sent, most, shown) = (Arc::default(), Arc::default(), Arc::default(), Arc::default());
        let front = Front {
            service: service.build(),
            seen: Arc::clone(&seen),
            sent: Arc::clone(&sent),
            shown: Arc::clone(&shown),
            now: Arc::default(),
            most: Arc::clone(&most),
            faults,
        };
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let front = front.clone();
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| front.clone().count(request));
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    drop(builder.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { buckets, seen, address, most, sent, shown, runtime: Some(runtime) }
    }

    /// Options for this server: impatient, so that tests are quick.
    pub(crate) fn options(&self) -> S3Options {
        S3Options {
            endpoint_url: Some(format!("http://{}", self.address)),
            path_style: true,
            credentials: Some(AccessKey { id: "AKIDEXAMPLE".into(), secret: "secret".into(), token: None }),
            patience: Patience {
                connect: Duration::from_secs(2),
                response: Duration::from_millis(1500),
                stall: Duration::from_millis(500),
                attempts: 3,
                first_wait: Duration::from_millis(5),
                longest_wait: Duration::from_millis(50),
            },
            ..S3Options::default()
        }
    }

    /// A session on this server.
    pub(crate) fn session(&self) -> Session {
        Session::new(self.options()).unwrap()
    }

    /// Requests so far, of which the next count knows nothing.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Requests that were for listings.
    pub(crate) fn listings(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.query.contains("list-type=2")).count()
    }
}

#[derive(Clone)]
struct Front {
    service: S3Service,
    seen: Arc<Mutex<Vec<Seen>>>,
    sent: Arc<AtomicU64>,
    shown: Arc<AtomicU64>,
    /// Objects asked for and not answered yet.
    now: Arc<AtomicU64>,
    most: Arc<AtomicU64>,
    faults: Faults,
}

type Answer = hyper::Response<Broken>;

impl Front {
    /// Counts how many objects are asked for at a time. One is answered before its client can ask for another.
    async fn count(self, request: hyper::Request<Incoming>) -> Result<Answer, std::convert::Infallible> {
        let is_object = request.uri().query().is_some_and(|query| query.contains("x-id=GetObject"));
        let (now, most) = (self.now.clone(), self.most.clone());
        if is_object {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        }
        let answer = self.answer(request).await;
        if is_object {
            now.fetch_sub(1, Ordering::SeqCst);
        }
        answer
    }

    async fn answer(self, request: hyper::Request<Incoming>) -> Result<Answer, std::convert::Infallible> {
        let headers = request.headers().iter();
        let seen = Seen {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned())).collect(),
        };
        let fault = (self.faults)(&seen);
        let is_listing = seen.query.contains("list-type=2");
        self.seen.lock().unwrap().push(seen);
        match &fault {
            Some(Fault::Answer(status, code, message)) => {
                let xml =
                    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
                return Ok(reply(*status, None, xml));
            }
            Some(Fault::Elsewhere(status, region)) => return Ok(reply(*status, Some(region), String::new())),
            Some(Fault::Silence) => std::future::pending::<()>().await,
            Some(Fault::Late(by)) => tokio::time::sleep(*by).await,
            _ => {}
        }
        let answer = self.service.call(request.map(Body::from)).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if is_listing {
            let count = |tag: &str| memchr::memmem::find_iter(&bytes, tag).count() as u64;
            self.shown.fetch_add(count("<Key>") + count("<CommonPrefixes>"), Ordering::Relaxed);
        }
        let body = match fault {
            Some(Fault::Cut(at)) => Broken::new(bytes, at, End::Break),
            Some(Fault::Stall(at)) => Broken::new(bytes, at, End::Never),
            Some(Fault::Flip) => {
                let mut bytes = bytes.to_vec();
                bytes[0] ^= 1;
                Broken::whole(bytes.into())
            }
            _ => Broken::whole(bytes),
        };
        Ok(hyper::Response::from_parts(parts, body))
    }
}

fn reply(status: u16, region: Option<&str>, body: String) -> Answer {
    let mut reply = hyper::Response::builder().status(status).header("content-type", "application/xml");
    if let Some(region) = region {
        reply = reply.header("x-amz-bucket-region", region);
    }
    reply.body(Broken::whole(body.into())).unwrap()
}

/// How a body ends.
#[derive(Clone, Copy)]
enum End {
    Whole,
    Break,
    Never,
}

/// After this, what was sent is on its way: a connection that breaks at once gives no answer at all.
const BREATH: Duration = Duration::from_millis(30);

/// A body of which only the beginning may come.
struct Broken {
    announced: u64,
    bytes: Bytes,
    end: End,
    breath: Pin<Box<tokio::time::Sleep>>,
}

impl Broken {
    fn new(bytes: Bytes, at: usize, end: End) -> Self {
        let breath = Box::pin(tokio::time::sleep(BREATH));
        Self { announced: bytes.len() as u64, bytes: bytes.slice(..at.min(bytes.len())), end, breath }
    }

    fn whole(bytes: Bytes) -> Self {
        Self::new(bytes.clone(), bytes.len(), End::Whole)
    }
}

impl hyper::body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if !self.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes)))));
        }
        let end = self.end;
        match end {
            End::Whole => Poll::Ready(None),
            End::Break if self.breath.as_mut().poll(context).is_pending() => Poll::Pending,
            End::Break => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
            End::Never => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && matches!(self.end, End::Whole)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
