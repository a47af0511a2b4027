use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keytrail::decode::SkipReason;
use keytrail::source::s3::Body;

use super::fetching::{content, fetch_all};
use super::server::{Fault, Seen, Server};

const KEY: &str =
    "User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:Decrypt on the resource associated";

/// A server whose objects fail by name, so many times each.
fn server(faults: &[(&'static str, usize, Fault)]) -> Server {
    let left: Mutex<BTreeMap<String, (usize, Fault)>> = Mutex::new(
        faults.iter().map(|(name, times, fault)| (format!("/logs/{name}"), (*times, fault.clone()))).collect(),
    );
    let server = Server::with(move |seen: &Seen| {
        let mut left = left.lock().unwrap();
        let (times, fault) = left.get_mut(&seen.path)?;
        *times = times.checked_sub(1)?;
        Some(fault.clone())
    });
    for (name, _, _) in faults {
        server.buckets.put("logs", name, format!("the content of {name}").repeat(100));
    }
    server
}

/// Content, or what was said about it.
type Outcome = Result<Vec<u8>, (SkipReason, String)>;

/// What became of each object.
fn outcomes(server: &Server) -> Vec<(String, Outcome)> {
    let name = |uri: &str| uri.trim_start_matches("s3://logs/").to_owned();
    let outcome = |body| match body {
        Body::Failed { reason, detail } => Err((reason, detail)),
        body => Ok(content(body)),
    };
    fetch_all(&server.session()).into_iter().map(|found| (name(&found.object.uri), outcome(found.body))).collect()
}

#[test]
fn what_passes_is_overcome() {
    let faults = [
        ("cut", 2, Fault::Cut(700)),
        ("cut-at-once", 2, Fault::Cut(0)),
        ("flipped", 2, Fault::Flip),
        ("late", 2, Fault::Late(Duration::from_millis(100))),
        ("silent", 1, Fault::Silence),
        ("slow-down", 2, Fault::Answer(503, "SlowDown", "Please reduce your request rate.")),
        ("stalled", 2, Fault::Stall(100)),
        ("timeout", 2, Fault::Answer(400, "RequestTimeout", "Your socket connection was not read from.")),
        ("wrong", 2, Fault::Answer(500, "InternalError", "We encountered an internal error.")),
    ];
    let started = now();
    for (name, outcome) in outcomes(&server(&faults)) {
        assert_eq!(outcome, Ok(format!("the content of {name}").repeat(100).into_bytes()), "{name}");
    }
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[test]
fn what_stays_has_a_reason() {
    use SkipReason as R;
    let archived = "The operation is not valid for the object's storage class";
    let cipher = "The ciphertext refers to a customer master key that does not exist";
    let cases = [
        ("archived", Fault::Answer(403, "InvalidObjectState", archived), R::Archived),
        ("changed", Fault::Answer(412, "PreconditionFailed", "no"), R::Changed),
        ("cut", Fault::Cut(700), R::Incomplete),
        ("denied", Fault::Answer(403, "AccessDenied", "Access Denied"), R::Denied),
        ("down", Fault::Answer(503, "SlowDown", "Please reduce your request rate."), R::Unavailable),
        ("flipped", Fault::Flip, R::ChecksumMismatch),
        ("gone", Fault::Answer(404, "NoSuchKey", "The specified key does not exist."), R::Gone),
        ("key-cipher", Fault::Answer(400, "AccessDenied", cipher), R::KeyDenied),
        ("key-denied", Fault::Answer(403, "AccessDenied", KEY), R::KeyDenied),
        ("key-disabled", Fault::Answer(400, "KMS.DisabledException", "key/1 is disabled."), R::KeyDenied),
        ("silent", Fault::Silence, R::Unavailable),
        ("stalled", Fault::Stall(100), R::Incomplete),
        ("wrong", Fault::Answer(500, "InternalError", "We encountered an internal error."), R::Unavailable),
    ];
    let faults = cases.clone().map(|(name, fault, _)| (name, 1000, fault));
    let started = now();
    let found = outcomes(&server(&faults));
    for ((name, _, expected), (found_name, outcome)) in cases.iter().zip(&found) {
        assert_eq!(name, found_name);
        let Err((reason, detail)) = outcome else { panic!("{name}: {outcome:?}") };
        assert_eq!(reason, expected, "{name}: {detail}");
        assert!(!detail.is_empty(), "{name}");
    }
    assert_eq!(found.len(), cases.len());
    let lines: Vec<String> = found
        .into_iter()
        .filter_map(|(name, outcome)| Some(format!("{name}: {}", outcome.err()?.1)))
        .filter(|line| !line.starts_with("cut"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    archived: InvalidObjectState: The operation is not valid for the object's storage class
    changed: PreconditionFailed: no
    denied: AccessDenied: Access Denied
    down: SlowDown: Please reduce your request rate.
    flipped: after 2200 of 2200 bytes: streaming error: body checksum mismatch. expected body checksum to be 88de6c7a but it was 848a6201
    gone: NoSuchKey: The specified key does not exist.
    key-cipher: AccessDenied: The ciphertext refers to a customer master key that does not exist
    key-denied: AccessDenied: User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:Decrypt on the resource associated
    key-disabled: KMS.DisabledException: key/1 is disabled.
    silent: dispatch failure: timeout: HTTP read timeout occurred after 1.5s: timed out
    stalled: 100 of 2200 bytes, then nothing for 0.5 s
    wrong: InternalError: We encountered an internal error.
    ");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn one_that_cannot_be_read_does_not_stop_the_others() {
    let server = server(&[("0", 1000, Fault::Answer(403, "AccessDenied", "Access Denied"))]);
    for file in 1..200 {
        server.buckets.put("logs", &file.to_string(), "x");
    }
    let found = outcomes(&server);
    assert_eq!(found.iter().filter(|(_, outcome)| outcome.is_ok()).count(), 199);
}

#[test]
fn objects_that_are_replaced_or_deleted_after_they_were_listed() {
    let server = Server::new();
    let large = |byte: u8| vec![byte; 20 << 20];
    server.buckets.put("logs", "deleted", "x");
    server.buckets.put("logs", "grown", "x");
    server.buckets.put("logs", "large", large(1));
    server.buckets.put("logs", "large-deleted", large(1));
    let session = server.session();
    let listed = super::fetching::objects(&session);
    server.buckets.remove("logs", "deleted");
    server.buckets.remove("logs", "large-deleted");
    server.buckets.put("logs", "grown", "x".repeat(5000));
    server.buckets.put("logs", "large", large(2));
    let mut found: Vec<_> = session.fetch((0..).zip(listed)).collect();
    found.sort_by_key(|fetched| fetched.index);
    let reason = |body: &Body| match body {
        Body::Failed { reason, .. } => Some(*reason),
        _ => None,
    };
    assert_eq!(
        found.iter().map(|fetched| reason(&fetched.body)).collect::<Vec<_>>(),
        [Some(SkipReason::Gone), None, None, Some(SkipReason::Gone)]
    );
    let bodies: Vec<_> = found.into_iter().map(|fetched| fetched.body).collect();
    let mut bodies = bodies.into_iter().skip(1);
    assert_eq!(content(bodies.next().unwrap()).len(), 5000);
    assert!(content(bodies.next().unwrap()) == large(2));
}

#[test]
fn a_large_object_that_never_stays_the_same_is_given_up() {
    let count = Arc::new(Mutex::new(0_u8));
    let server = {
        let count = count.clone();
        Server::with(move |seen| {
            // Whenever it is looked at, the next read finds another one.
            (seen.path == "/logs/large" && seen.method == "GET").then(|| *count.lock().unwrap() += 1)?;
            Some(Fault::Answer(412, "PreconditionFailed", "At least one of the pre-conditions did not hold"))
        })
    };
    server.buckets.put("logs", "large", vec![0; 20 << 20]);
    let found = outcomes(&server);
    assert!(matches!(&found[0].1, Err((SkipReason::Changed, _))), "{found:?}");
}

#[test]
fn parts_of_large_objects_are_repeated() {
    let turn = Mutex::new(0);
    let server = Server::with(move |seen| {
        if seen.path != "/logs/large" {
            return None;
        }
        let mut turn = turn.lock().unwrap();
        *turn += 1;
        match *turn {
            1 => Some(Fault::Cut(1 << 20)),
            2 => Some(Fault::Stall(1000)),
            3 => Some(Fault::Answer(503, "SlowDown", "Please reduce your request rate.")),
            _ => None,
        }
    });
    let bytes: Vec<u8> = (0..26_u32 << 20).map(|at| (at >> 8) as u8).collect();
    server.buckets.put("logs", "large", bytes.clone());
    let (_, outcome) = outcomes(&server).pop().unwrap();
    assert!(outcome.unwrap() == bytes);
}

#[expect(clippy::disallowed_methods, reason = "a test that hangs shall fail")]
fn now() -> Instant {
    Instant::now()
}
