//! The process: asks the Runtime API for invocations and answers them.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::failure::Failure;
use crate::handler::{self, Call};
use crate::self_test;
use crate::shell::Shell;
use crate::telemetry::{self, Line};

/// Variables without which there is no Runtime API; the runtime would panic.
const NEEDED: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// Runs until Lambda ends the process; with `--self-test` only that.
pub fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => {}
        ["--version"] => return tell(&json!({"version": env!("CARGO_PKG_VERSION")})),
        ["--self-test"] => {
            return match self_test::pipeline() {
                Ok(told) => tell(&told),
                Err(failure) => fail(&failure),
            };
        }
        _ => {
            return fail(&Failure::BadConfiguration("bootstrap takes `--self-test` or `--version`, or nothing".into()));
        }
    }
    if let Some(name) = NEEDED.into_iter().find(|name| !is_set(name)) {
        let story = format!("{name} is not set: AWS Lambda starts this program; `bootstrap --self-test` needs nobody");
        return fail(&Failure::BadConfiguration(story));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve()),
        Err(error) => Err(error.into()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&Failure::Bug(error.to_string())),
    }
}

#[expect(clippy::disallowed_methods, reason = "the environment of a function is its command line")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

fn tell(told: &Value) -> ExitCode {
    telemetry::print(told);
    ExitCode::SUCCESS
}

fn fail(failure: &Failure) -> ExitCode {
    telemetry::print(&json!({"level": "FATAL", "error": {"kind": failure.kind(), "message": failure.to_string()}}));
    ExitCode::FAILURE
}

/// What was set up, once it could be.
#[derive(Default)]
struct Kept(Mutex<Option<Arc<Shell>>>);

impl Kept {
    /// What was set up; sets it up where that has failed so far, as what was in the way may have passed.
    fn shell(&self) -> Result<Arc<Shell>, Failure> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shell) = &*kept {
            return Ok(shell.clone());
        }
        let shell = Arc::new(Shell::open(Environment::read()?)?);
        *kept = Some(shell.clone());
        Ok(shell)
    }
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let kept = Arc::new(Kept::default());
    // While the process starts it has a whole core. What fails here is told by the first invocation.
    let early = kept.clone();
    drop(tokio::task::spawn_blocking(move || drop(early.shell())).await);
    let service = service_fn(move |event: LambdaEvent<Value>| {
        let kept = kept.clone();
        async move {
            // The library waits for S3 on a runtime of its own: it must not do so on a thread of this one.
            let work = tokio::task::spawn_blocking(move || invoke(&kept, &event));
            work.await.unwrap_or_else(|error| Err(Failure::Bug(error.to_string())))
        }
    });
    lambda_runtime::run(service).await
}

fn invoke(kept: &Kept, event: &LambdaEvent<Value>) -> Result<Value, Failure> {
    let context = &event.context;
    let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    let call = Call { id: &context.request_id, deadline, clock: now };
    let begun = now();
    match kept.shell() {
        Ok(shell) => handler::handle(&shell, &event.payload, &call),
        Err(failure) => {
            let mut line = Line::default();
            line.say("requestId", call.id);
            let answer = Err(failure);
            handler::finish(&mut line, &context.env_config.function_name, begun, now(), &answer);
            answer
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "lag and leases are about the real time; no finding depends on it")]
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
