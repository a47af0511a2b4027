//! A Runtime API on loopback, and the real `bootstrap` that asks it for invocations.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// How long an invocation may take, and how long a test waits for it. `KEYTRAIL_PATIENCE` says other seconds, for a machine
/// that has more to do.
fn patience() -> Duration {
    let seconds = std::env::var("KEYTRAIL_PATIENCE").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}

/// How an invocation ended.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The answer; or type and message of the error.
    pub(crate) result: Result<Value, (String, String)>,
    /// Lines that it left in the log.
    pub(crate) lines: Vec<Value>,
}

impl Answer {
    /// The line of the invocation itself.
    pub(crate) fn line(&self) -> &Value {
        self.lines.iter().find(|line| line.get("_aws").is_some()).unwrap()
    }

    /// A metric of it.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        self.line()[name].as_f64().unwrap_or_default()
    }

    /// Findings that it told.
    pub(crate) fn findings(&self) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["kind"] == "finding").map(|line| &line["finding"]).collect()
    }

    /// Ids of messages that are to come again.
    pub(crate) fn again(&self) -> Vec<&str> {
        let failures = self.result.as_ref().unwrap()["batchItemFailures"].as_array().unwrap();
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect()
    }
}

type Pending = (u64, Vec<u8>);

#[derive(Clone)]
struct Api {
    events: Arc<AsyncMutex<mpsc::Receiver<Pending>>>,
    answers: mpsc::Sender<(String, bool, Vec<u8>)>,
    /// Milliseconds that an invocation has.
    time: Arc<Mutex<i64>>,
    /// When the function asked for its first invocation.
    asked: Arc<OnceLock<Instant>>,
}

impl Api {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let path = request.uri().path().to_owned();
        if path.ends_with("/invocation/next") {
            self.asked.get_or_init(Instant::now);
            let Some((id, body)) = self.events.lock().await.recv().await else {
                // The test is over.
                return Ok(Response::builder().status(500).body(Full::default()).unwrap());
            };
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
            let response = Response::builder()
                .header("Lambda-Runtime-Aws-Request-Id", format!("id-{id}"))
                .header("Lambda-Runtime-Deadline-Ms", (now + *self.time.lock().unwrap()).to_string())
                .header(
                    "Lambda-Runtime-Invoked-Function-Arn",
                    "arn:aws:lambda:eu-west-1:111122223333:function:keytrail",
                )
                .header("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
                .body(Full::from(body));
            return Ok(response.unwrap());
        }
        let failed = path.ends_with("/error");
        let body = request.into_body().collect().await?.to_bytes().to_vec();
        self.answers.send((path, failed, body)).await.unwrap();
        Ok(Response::builder().status(202).body(Full::default()).unwrap())
    }
}

/// The program: the one that was built for the tests, or another one.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("KEYTRAIL_BOOTSTRAP").map_or_else(|| env!("CARGO_BIN_EXE_bootstrap").into(), PathBuf::from)
}

/// A process of the function.
pub(crate) struct Function {
    begun: Instant,
    asked: Arc<OnceLock<Instant>>,
    events: mpsc::Sender<Pending>,
    answers: mpsc::Receiver<(String, bool, Vec<u8>)>,
    log: Arc<Mutex<Vec<String>>>,
    time: Arc<Mutex<i64>>,
    child: Child,
    runtime: Option<Runtime>,
    count: u64,
}

impl Drop for Function {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Function {
    /// Starts the function with some variables more.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (events, waiting) = mpsc::channel(16);
        let (sender, answers) = mpsc::channel(16);
        let time = Arc::new(Mutex::new(patience().as_millis() as i64));
        let asked: Arc<OnceLock<Instant>> = Arc::default();
        let api = Api {
            events: Arc::new(AsyncMutex::new(waiting)),
            answers: sender,
            time: time.clone(),
            asked: asked.clone(),
        };
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let api = api.clone();
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| api.clone().answer(request));
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    drop(builder.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        let begun = Instant::now();
        let mut child = Command::new(program())
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "keytrail")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (lines, out) = (log.clone(), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        Self { begun, asked, events, answers, log, time, child, runtime: Some(runtime), count: 0 }
    }

    /// Waits until the function asks for its first invocation, and gives how long that took.
    pub(crate) fn started(&self) -> Duration {
        self.asked.wait().duration_since(self.begun)
    }

    /// The most memory that it had at once, in KiB; nothing where the system does not tell.
    pub(crate) fn peak_kib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
    }

    /// Gives invocations so many milliseconds.
    pub(crate) fn hurry(&self, time: i64) {
        *self.time.lock().unwrap() = time;
    }

    /// Invokes the function and waits for its answer.
    pub(crate) fn invoke(&mut self, payload: &Value) -> Answer {
        self.invoke_until(payload, &AtomicBool::new(false)).unwrap()
    }

    /// Invokes the function and waits for its answer, or kills it once `dead` is set.
    pub(crate) fn invoke_until(&mut self, payload: &Value, dead: &AtomicBool) -> Option<Answer> {
        self.count += 1;
        let id = format!("id-{}", self.count);
        let runtime = self.runtime.as_ref().unwrap();
        let event = (self.count, serde_json::to_vec(payload).unwrap());
        runtime.block_on(self.events.send(event)).unwrap();
        let begun = Instant::now();
        let (path, failed, body) = loop {
            let answer =
                runtime.block_on(async { tokio::time::timeout(Duration::from_millis(5), self.answers.recv()).await });
            if let Ok(answer) = answer {
                break answer.unwrap();
            }
            if dead.load(Ordering::SeqCst) {
                self.child.kill().unwrap();
                return None;
            }
            assert!(begun.elapsed() < patience(), "no answer in time: {:?}", self.log.lock().unwrap());
        };
        assert!(path.contains(&id), "{path} answers {id}");
        let body: Value = serde_json::from_slice(&body).unwrap();
        let result = if failed {
            let text = |name: &str| body[name].as_str().unwrap().to_owned();
            Err((text("errorType"), text("errorMessage")))
        } else {
            Ok(body)
        };
        // The line is written before the answer, but another thread reads it.
        let answered = Instant::now();
        while answered.elapsed() < patience() {
            let mut log = self.log.lock().unwrap();
            if log.iter().any(|line| line.contains("\"_aws\"") && line.contains(&format!("\"{id}\""))) {
                let lines = std::mem::take(&mut *log);
                drop(log);
                return Some(Answer { result, lines: lines.iter().map(|line| parse(line)).collect() });
            }
            drop(log);
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no line about {id}: {:?}", self.log.lock().unwrap());
    }
}

/// A line of the log: JSON in plain ASCII.
fn parse(line: &str) -> Value {
    assert!(line.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{line:?}");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
