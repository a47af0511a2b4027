//! What an invocation is about. Whoever can write into the queue writes these texts: every shape is looked at field by field,
//! and what nobody knows is said to be unknown, never guessed.
//!
//! | envelope | recognized by | key |
//! |---|---|---|
//! | S3 notification | `Records[].eventSource` = `aws:s3` | form-encoded |
//! | … in a message of SQS | `Records[].eventSource` = `aws:sqs`; `body` is any envelope of this list | as inside |
//! | … in a message of SNS | `Records[].EventSource` = `aws:sns`, or `Type` and `TopicArn`; `Message` is any of this list | as inside |
//! | CloudTrail's own notice | `s3Bucket` and `s3ObjectKey[]` | plain |
//! | EventBridge, from S3 | `detail-type` = `Object Created` and `source` = `aws.s3` | plain |
//! | EventBridge, by schedule | `detail-type` = `Scheduled Event` | |
//! | CloudWatch Logs subscription | `awslogs.data` | |
//! | S3's test message, SNS's confirmation, CloudTrail's validation | `Event` = `s3:TestEvent`, `Type`, the text | |
//! | our own | `keytrail` = `evaluate` (with `after`), `ingest` (with `objects`), `hold` (with `minutes`), `drill`, `self-test` | plain |

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Envelopes in envelopes in envelopes: S3 in SNS in SQS is three.
const DEPTH: usize = 4;

/// Records that one envelope may hold. S3 sends one, CloudTrail a few, SQS at most ten thousand messages.
const MOST: usize = 10_000;

/// Minutes for which nobody may be told: three days, whatever becomes of the backfill.
const LONGEST_HOLD: u32 = 3 * 24 * 60;

/// What an invocation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Something was delivered, or said to be.
    Delivery {
        /// One for each message of a queue; exactly one without an id otherwise.
        messages: Vec<Message>,
        /// Who sent it wants to know which messages failed, by their ids.
        from_queue: bool,
    },
    /// It is time to evaluate the lake.
    Evaluate {
        /// A backfill is over: nothing is held any more, and what is new is told in one message.
        after_backfill: bool,
    },
    /// A backfill begins: evaluations shall tell nobody for so many minutes, or until one after the backfill.
    Hold(u32),
    /// These objects shall be brought into the lake; nobody is told of anything.
    Ingest(Message),
    /// A test message to every sink, as evidence that alerts arrive.
    Drill,
    /// Does it work at all?
    SelfTest,
}

/// What arrives or fails as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of it.
    pub id: Option<String>,
    /// Objects that it names.
    pub objects: Vec<Notice>,
    /// Log records that it brings: the text of CloudWatch Logs as it came, base64 of gzip.
    pub logs: Vec<String>,
    /// Records that are about something else, such as objects that were deleted, or that test the way.
    pub others: u64,
    /// What could not be understood.
    pub wrong: Vec<String>,
}

/// An object that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// Bytes.
    pub size: Option<u64>,
    /// ETag.
    pub etag: Option<String>,
    /// When it was written, RFC 3339.
    pub time: Option<String>,
}

/// Reads the payload of an invocation.
pub fn objects(payload: &Value) -> Envelope {
    match payload.get("keytrail").map(|asked| asked.as_str().unwrap_or_default()) {
        Some("evaluate") => return Envelope::Evaluate { after_backfill: text(payload, "after") == Some("backfill") },
        Some("hold") => {
            let minutes =
                payload.get("minutes").and_then(Value::as_u64).and_then(|minutes| u32::try_from(minutes).ok());
            if let Some(minutes) = minutes.filter(|minutes| *minutes <= LONGEST_HOLD) {
                return Envelope::Hold(minutes);
            }
            let wrong = vec![format!("`minutes` is missing, or more than {LONGEST_HOLD}")];
            return Envelope::Delivery { messages: vec![Message { wrong, ..Message::default() }], from_queue: false };
        }
        Some("self-test") => return Envelope::SelfTest,
        Some("drill") => return Envelope::Drill,
        Some("ingest") => return Envelope::Ingest(ingest(payload)),
        Some(other) => {
            let wrong = vec![format!("nothing is called `{}` here", short(other))];
            return Envelope::Delivery { messages: vec![Message { wrong, ..Message::default() }], from_queue: false };
        }
        None => {}
    }
    if is_scheduled(payload) {
        return Envelope::Evaluate { after_backfill: false };
    }
    if let Some(records) = records(payload, "eventSource", "aws:sqs") {
        let messages = records.iter().map(message_of_queue).collect();
        return Envelope::Delivery { messages, from_queue: true };
    }
    let mut message = Message::default();
    message.read(payload, DEPTH);
    Envelope::Delivery { messages: vec![message], from_queue: false }
}

fn is_scheduled(payload: &Value) -> bool {
    text(payload, "detail-type") == Some("Scheduled Event")
}

/// The records of an envelope whose first one comes from there.
fn records<'p>(payload: &'p Value, name: &str, source: &str) -> Option<&'p [Value]> {
    let records = payload.get("Records")?.as_array()?;
    (text(records.first()?, name) == Some(source)).then_some(records)
}

fn message_of_queue(record: &Value) -> Message {
    let mut message = Message { id: text(record, "messageId").map(str::to_owned), ..Message::default() };
    match text(record, "body") {
        Some(body) => message.read_text(body, DEPTH - 1),
        None => message.fault("the message has no body"),
    }
    message
}

/// `objects` of our own payload: `s3://bucket/key` texts, or objects with `uri`, or `bucket` and `key`, and what is known of
/// `size` and `etag`.
fn ingest(payload: &Value) -> Message {
    let mut message = Message::default();
    let Some(objects) = payload.get("objects").and_then(Value::as_array) else {
        message.fault("`objects` is missing or no list");
        return message;
    };
    for object in objects {
        let place = match object.as_str().or_else(|| text(object, "uri")) {
            Some(uri) => uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')),
            None => text(object, "bucket").zip(text(object, "key")),
        };
        let notice = place.map(|(bucket, key)| Notice {
            bucket: bucket.into(),
            key: key.into(),
            size: object.get("size").and_then(Value::as_u64),
            etag: text(object, "etag").map(str::to_owned),
            time: None,
        });
        match notice.filter(Notice::is_possible) {
            Some(notice) => message.objects.push(notice),
            None => message.fault(format!("no object: {}", short(&object.to_string()))),
        }
    }
    message
}

impl Message {
    /// Notes what was not understood; the first few say it all.
    fn fault(&mut self, what: impl Into<String>) {
        if self.wrong.len() < 5 {
            self.wrong.push(what.into());
        }
    }

    fn read_text(&mut self, body: &str, depth: usize) {
        match serde_json::from_str(body) {
            Ok(inner) => self.read(&inner, depth),
            Err(_) if body.contains("CloudTrail validation message") => self.others += 1,
            Err(error) => self.fault(format!("the message is not JSON: {error}")),
        }
    }

    fn read(&mut self, payload: &Value, depth: usize) {
        if depth == 0 {
            self.fault("envelopes within envelopes, too many");
        } else if let Some(records) = payload.get("Records").and_then(Value::as_array) {
            if records.len() > MOST {
                self.fault(format!("{} records in one message", records.len()));
                return;
            }
            records.iter().for_each(|record| self.record(record, depth));
        } else if let Some(keys) = payload.get("s3ObjectKey") {
            self.notice_of_cloudtrail(payload, keys);
        } else if let Some(kind) = text(payload, "Type") {
            self.message_of_topic(payload, kind, depth);
        } else if let Some(kind) = text(payload, "detail-type") {
            self.event(payload, kind);
        } else if let Some(logs) = payload.get("awslogs") {
            match text(logs, "data") {
                Some(data) => self.logs.push(data.to_owned()),
                None => self.fault("`awslogs` without `data`"),
            }
        } else if text(payload, "Event") == Some("s3:TestEvent") || is_validation(payload) {
            self.others += 1;
        } else {
            self.fault("no shape that is known");
        }
    }

    /// One record of a notification of S3, or of an invocation by SNS.
    fn record(&mut self, record: &Value, depth: usize) {
        if let Some(inner) = record.get("Sns") {
            let kind = text(inner, "Type").unwrap_or("Notification");
            return self.message_of_topic(inner, kind, depth);
        }
        // A log of CloudTrail has `Records` with an `eventSource` too.
        let (Some("aws:s3"), Some(entity)) = (text(record, "eventSource"), record.get("s3")) else {
            self.fault("a record that is no notification of S3");
            return;
        };
        // Some senders keep the prefix that the configuration of a bucket has.
        let name = text(record, "eventName").unwrap_or_default().trim_start_matches("s3:");
        if !name.starts_with("ObjectCreated:") {
            self.others += 1;
            return;
        }
        let object = entity.get("object").unwrap_or(&Value::Null);
        let key = match text(object, "key").map(form_decoded) {
            Some(Some(key)) => key,
            Some(None) => return self.fault("a key that is no text once decoded"),
            None => return self.fault("an object without a key"),
        };
        self.add(entity.get("bucket"), key, object, text(object, "eTag"), text(record, "eventTime"));
    }

    /// An event of EventBridge. Their keys are not encoded.
    fn event(&mut self, payload: &Value, kind: &str) {
        if text(payload, "source") != Some("aws.s3") {
            self.fault(format!("an event `{}` that is not about objects", short(kind)));
            return;
        }
        if kind != "Object Created" {
            self.others += 1;
            return;
        }
        let detail = payload.get("detail").unwrap_or(&Value::Null);
        let object = detail.get("object").unwrap_or(&Value::Null);
        let Some(key) = text(object, "key") else {
            return self.fault("an object without a key");
        };
        self.add(detail.get("bucket"), key.to_owned(), object, text(object, "etag"), text(payload, "time"));
    }

    /// What CloudTrail says by itself, when a trail names a topic. Keys are not encoded.
    fn notice_of_cloudtrail(&mut self, payload: &Value, keys: &Value) {
        let keys = match keys {
            Value::Array(keys) => keys.as_slice(),
            one => std::slice::from_ref(one),
        };
        for key in keys {
            let named = text(payload, "s3Bucket").zip(key.as_str()).map(|(bucket, key)| Notice {
                bucket: bucket.into(),
                key: key.into(),
                size: None,
                etag: None,
                time: None,
            });
            match named.filter(Notice::is_possible) {
                Some(notice) => self.objects.push(notice),
                None => self.fault("a notice of CloudTrail without bucket or key"),
            }
        }
    }

    fn message_of_topic(&mut self, payload: &Value, kind: &str, depth: usize) {
        match (kind, text(payload, "Message")) {
            // A person confirms a subscription, not whoever reads the queue: the link in it may lead anywhere.
            ("SubscriptionConfirmation" | "UnsubscribeConfirmation", _) => self.others += 1,
            ("Notification", Some(message)) => self.read_text(message, depth - 1),
            ("Notification", None) => self.fault("a notification without a message"),
            (kind, _) => self.fault(format!("a message of the type `{}`", short(kind))),
        }
    }

    fn add(&mut self, bucket: Option<&Value>, key: String, object: &Value, etag: Option<&str>, time: Option<&str>) {
        let bucket = bucket.and_then(|bucket| text(bucket, "name")).unwrap_or_default().to_owned();
        let size = object.get("size").and_then(Value::as_u64);
        let notice = Notice { bucket, key, size, etag: etag.map(str::to_owned), time: time.map(str::to_owned) };
        if notice.is_possible() {
            self.objects.push(notice);
        } else {
            self.fault("a name that no object can have");
        }
    }
}

impl Notice {
    /// True when S3 could have an object of this name: what it could not is never asked for.
    fn is_possible(&self) -> bool {
        let bucket = self.bucket.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (3..=255).contains(&bucket.len()) && bucket.iter().all(allowed) && (1..=1024).contains(&self.key.len())
    }
}

/// CloudTrail tries a topic when a trail is given one.
fn is_validation(payload: &Value) -> bool {
    let told = |value: &Value| value.as_str().is_some_and(|text| text.contains("CloudTrail validation message"));
    payload.as_object().is_some_and(|members| members.len() == 1 && members.values().any(told))
}

fn text<'p>(value: &'p Value, name: &str) -> Option<&'p str> {
    value.get(name)?.as_str()
}

/// A key as notifications of S3 write it: as in a form, so that `+` is a space. `None` when it is not UTF-8 then.
fn form_decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|key| key.into_owned())
}

/// The beginning of something that others wrote.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
