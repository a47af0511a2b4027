//! Two processes of the function work on one lake at once: deliveries out of order and twice, evaluations, throttling, a sink
//! that does not always answer, and processes that are killed in the middle of any request. At the end the lake says what a
//! scan says, and the sink was told all of it.
//!
//! A seed decides what is delivered when, what fails and where a process dies; how the two get in each other's way is real.
//! `KEYTRAIL_INTERLEAVINGS=500 cargo test -p keytrail-lambda --test runtime interleavings` runs all, `KEYTRAIL_SEED` one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keytrail_fixtures::Rng;
use serde_json::{Value, json};

use crate::api::Function;
use crate::hook;
use crate::s3::server::{Fault, Seen, Server};
use crate::trail::{LAKE, deliveries, findings, function, lake, sample};

/// Interleavings in CI.
const FEW: u64 = 50;

/// Names of the processes: the SDK says them in every request.
const WORKERS: [&str; 2] = ["worker-a", "worker-b"];

/// A process that is about to die.
struct Armed {
    worker: &'static str,
    /// Requests that it makes before.
    left: u64,
    /// The last one is done, and only its answer is lost.
    is_done: bool,
    dead: Arc<AtomicBool>,
}

/// What goes wrong at the bucket.
struct Trouble {
    rng: Rng,
    armed: Option<Armed>,
    is_calm: bool,
}

impl Trouble {
    fn fault(&mut self, seen: &Seen) -> Option<Fault> {
        let of = |worker: &str| seen.headers.iter().any(|(_, value)| value.contains(worker));
        if let Some(armed) = self.armed.as_mut().filter(|armed| of(armed.worker)) {
            if armed.left > 0 {
                armed.left -= 1;
            } else if !armed.dead.swap(true, Ordering::SeqCst) && armed.is_done {
                return Some(Fault::Stall(0));
            } else {
                return Some(Fault::Silence);
            }
        }
        if self.is_calm {
            return None;
        }
        match self.rng.below(40) {
            0 => Some(Fault::Answer(503, "SlowDown", "Please reduce your request rate.")),
            1..8 => Some(Fault::Late(Duration::from_millis(self.rng.below(12)))),
            _ => None,
        }
    }
}

#[expect(clippy::disallowed_types, reason = "these logs are ours")]
fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

/// Logs in which keys are disabled, enabled, given away and deleted.
fn logs() -> BTreeMap<String, Vec<u8>> {
    let words =
        ["DisableKey", "EnableKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "PutKeyPolicy", "DisabledException"];
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let tells = |bytes: &Vec<u8>| {
        let text = inflated(bytes);
        words.into_iter().filter(|word| memchr::memmem::find(&text, word.as_bytes()).is_some()).collect::<Vec<_>>()
    };
    let mut logs = sample();
    logs.retain(|_, bytes| {
        let found = tells(bytes);
        let is_new = found.iter().any(|word| taken.get(word).copied().unwrap_or(0) < 3);
        found.into_iter().for_each(|word| *taken.entry(word).or_default() += 1);
        is_new
    });
    assert!((6..=16).contains(&logs.len()), "{}", logs.len());
    logs
}

/// One world: a bucket with logs and a lake, a sink, and what is to be delivered.
struct World {
    server: Server,
    hook: hook::Server,
    trouble: Arc<Mutex<Trouble>>,
    queue: Mutex<Vec<String>>,
    config: String,
    deaths: AtomicUsize,
}

impl World {
    fn new(seed: u64, logs: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut rng = Rng::part(seed, 0);
        let trouble = Arc::new(Mutex::new(Trouble { rng: Rng::part(seed, 1), armed: None, is_calm: false }));
        let asked = trouble.clone();
        let server = Server::with(move |seen| asked.lock().unwrap().fault(seen));
        let mut queue = Vec::new();
        for (key, bytes) in logs {
            server.buckets.put("logs", key, bytes.clone());
            queue.extend(vec![key.clone(); if rng.below(5) == 0 { 2 } else { 1 }]);
        }
        for at in (1..queue.len()).rev() {
            queue.swap(at, rng.index(at + 1));
        }
        let hook = hook::Server::start();
        let lost = Mutex::new(Rng::part(seed, 2));
        // What it answers so, it has taken all the same: nobody can know.
        hook.answer(move |_| hook::Answer::status(if lost.lock().unwrap().below(20) == 0 { 500 } else { 200 }));
        let most = if rng.below(2) == 0 { 2 } else { 20 };
        let config = format!(
            "[alert]\nmax_per_run = {most}\n[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n",
            hook.url("hook")
        );
        Self { server, hook, trouble, queue: Mutex::new(queue), config, deaths: AtomicUsize::new(0) }
    }

    fn start(&self, worker: &str) -> Function {
        function(&self.server, &[("KEYTRAIL_CONFIG", &self.config), ("AWS_SDK_UA_APP_ID", worker)])
    }

    /// What one process does in a while. What it does not finish comes again.
    fn work(&self, worker: &str, kept: &mut Option<Function>, mut rng: Rng, dead: &AtomicBool) {
        for _ in 0..=rng.below(4) {
            let function = kept.get_or_insert_with(|| self.start(worker));
            let mut taken = Vec::new();
            if rng.below(3) > 0 {
                let mut queue = self.queue.lock().unwrap();
                let most = queue.len().min(1 + rng.index(3));
                taken.extend(queue.drain(..most));
            }
            let payload = if taken.is_empty() { json!({"keytrail": "evaluate"}) } else { deliveries(&taken) };
            let Some(answer) = function.invoke_until(&payload, dead) else {
                *kept = None;
                self.deaths.fetch_add(1, Ordering::SeqCst);
                self.queue.lock().unwrap().extend(taken);
                return;
            };
            // A throttled evaluation fails; the next one does its work.
            if !taken.is_empty() {
                let again: Vec<String> = if answer.result.is_err() {
                    taken
                } else {
                    answer.again().iter().map(|id| taken[id[1..].parse::<usize>().unwrap()].clone()).collect()
                };
                self.queue.lock().unwrap().extend(again);
            }
        }
    }

    /// Leases run out, and the digest is due.
    fn pass_time(&self) {
        let mut buckets = self.server.buckets.0.lock().unwrap();
        for (key, thing) in buckets.get_mut("logs").unwrap() {
            if key.starts_with("lake/alerts/") && key.ends_with(".json") {
                let mut state: Value = serde_json::from_slice(&thing.bytes).unwrap();
                for member in ["lease_until", "digest_at"] {
                    if state[member].is_string() {
                        state[member] = "1970-01-01T00:00:00Z".into();
                    }
                }
                thing.bytes = serde_json::to_vec(&state).unwrap().into();
            }
        }
        drop(buckets);
        let was_calm = std::mem::replace(&mut self.trouble.lock().unwrap().is_calm, true);
        let lake = lake(&self.server);
        if lake.was_leased("evaluate").unwrap() {
            lake.seize("evaluate", "", 0).unwrap();
        }
        self.trouble.lock().unwrap().is_calm = was_calm;
    }

    fn run(&self, seed: u64) {
        let mut kept = [None, None];
        let mut round = 0;
        while !self.queue.lock().unwrap().is_empty() {
            round += 1;
            assert!(round < 60, "it never ends");
            let mut rng = Rng::part(seed, 100 + round);
            let dead = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
            if rng.below(2) == 0 {
                let at = rng.index(2);
                let (left, is_done) = (rng.below(60), rng.below(2) == 0);
                let armed = Armed { worker: WORKERS[at], left, is_done, dead: dead[at].clone() };
                self.trouble.lock().unwrap().armed = Some(armed);
            }
            std::thread::scope(|scope| {
                for (at, kept) in kept.iter_mut().enumerate() {
                    let (rng, dead) = (Rng::part(seed, 1000 + 2 * round + at as u64), &dead[at]);
                    scope.spawn(move || self.work(WORKERS[at], kept, rng, dead));
                }
            });
            self.trouble.lock().unwrap().armed = None;
            if rng.below(2) == 0 {
                self.pass_time();
            }
        }
        self.trouble.lock().unwrap().is_calm = true;
        let mut last = self.start(WORKERS[0]);
        for attempt in 0.. {
            self.pass_time();
            let answer = last.invoke(&json!({"keytrail": "evaluate"}));
            assert_eq!(answer.result.as_ref().unwrap()["evaluated"], true, "{answer:?}");
            if answer.metric("AlertsPending") == 0.0 && answer.metric("AlertsSent") == 0.0 {
                break;
            }
            assert!(attempt < 20, "something is never told: {:?}", answer.line());
        }
    }
}

/// What was told of an incident, in order: id of the message, and what had changed.
type Story = BTreeMap<String, Vec<(String, String)>>;

/// Holds what was told against what is there.
fn check(told: &[hook::Received], whole: &[String]) {
    let mut stories = Story::new();
    let mut about: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for message in told {
        let said = message.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let incident = said["incident"].as_str().map(str::to_owned);
        let first = about.entry(message.id()).or_insert_with(|| incident.clone());
        assert_eq!(*first, incident, "one id is of one thing");
        let listed = said["incidents"].as_array().cloned().unwrap_or_default();
        let mut tell = |incident: String, change: String, mark: &str| {
            stories.entry(incident).or_default().push((format!("{mark}{}", message.id()), change));
        };
        match incident {
            Some(incident) => tell(incident, text(&said["kind"]), ""),
            None => listed.iter().for_each(|one| tell(text(&one["incident"]), text(&one["change"]), "many ")),
        }
    }
    let mut open: BTreeMap<String, bool> = BTreeMap::new();
    for finding in whole.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let is_open = finding["status"] == "open" && finding["severity"] != "info";
        *open.entry(finding["incident"].as_str().unwrap().to_owned()).or_default() |= is_open;
    }
    assert!(open.values().any(|is_open| *is_open));
    for (incident, _) in open.iter().filter(|(_, is_open)| **is_open) {
        let story = stories.get(incident).unwrap_or_else(|| panic!("nobody was told of {incident}"));
        let last = &story.last().unwrap().1;
        assert!(["new", "worse"].contains(&last.as_str()), "{incident} is open, and told was {story:?}");
    }
    for (incident, story) in &stories {
        let count = |change: &str| story.iter().filter(|(_, told)| told == change).count();
        if !open.contains_key(incident) {
            assert_eq!(story.last().unwrap().1, "withdrawn", "{incident} is none, and told was {story:?}");
        }
        let new: BTreeSet<&String> =
            story.iter().filter(|(id, change)| change == "new" && !id.starts_with("many")).map(|(id, _)| id).collect();
        assert!(new.len() <= 1 + count("withdrawn"), "{incident} was new more than once: {story:?}");
    }
}

#[test]
fn interleavings_end_in_what_a_scan_says_and_lose_no_alert() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("KEYTRAIL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("KEYTRAIL_INTERLEAVINGS").unwrap_or(FEW),
    };
    let logs = logs();
    let (mut deaths, mut messages, mut repeats) = (0, 0, 0);
    for seed in seeds.clone() {
        // A failure names the seed.
        println!("seed {seed}");
        let world = World::new(seed, &logs);
        world.run(seed);
        let whole = findings(&world.server, "s3://logs/AWSLogs/");
        assert_eq!(findings(&world.server, LAKE), whole);
        let told = world.hook.take();
        check(&told, &whole);
        let ids: BTreeSet<&str> = told.iter().map(hook::Received::id).collect();
        deaths += world.deaths.load(Ordering::SeqCst);
        messages += told.len();
        repeats += told.len() - ids.len();
    }
    println!("{deaths} deaths, {messages} messages, {repeats} of them repeats with the same id");
    // What never happens proves nothing.
    assert!(seeds.end - seeds.start < FEW || deaths > 5 && repeats > 0, "{deaths} {repeats}");
}
