//! Every shape of notification, as `lambda/tests/envelopes` has them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;

use keytrail_lambda::envelope::{Envelope, Message, Notice, objects};
use serde_json::{Value, json};

const KEY: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/111122223333_CloudTrail_eu-west-1_20260901T1205Z_aBcDeFgHiJkLmNoP.json.gz";

fn payload(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/envelopes/{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn messages(name: &str) -> Vec<Message> {
    match objects(&payload(name)) {
        Envelope::Delivery { messages, from_queue } => {
            assert_eq!(from_queue, name.ends_with("_sqs"), "{name}");
            assert!(messages.iter().all(|message| message.id.is_some() == from_queue), "{name}");
            messages
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn keys(message: &Message) -> Vec<&str> {
    message.objects.iter().map(|notice| notice.key.as_str()).collect()
}

/// Keys of all messages of an envelope in which nothing is wrong, and how many records were about something else.
fn clean(name: &str) -> (Vec<Vec<String>>, u64) {
    let messages = messages(name);
    assert!(messages.iter().all(|message| message.wrong.is_empty()), "{name}: {messages:?}");
    let keys = messages.iter().map(|message| keys(message).into_iter().map(str::to_owned).collect()).collect();
    (keys, messages.iter().map(|message| message.others).sum())
}

#[test]
fn a_notification_of_s3_says_all_there_is_to_know() {
    let messages = messages("s3");
    assert_eq!(messages.len(), 1);
    let expected = Notice {
        bucket: "trail-logs".into(),
        key: KEY.into(),
        size: Some(4711),
        etag: Some("0123456789abcdef0123456789abcdef".into()),
        time: Some("2026-09-01T12:06:01.123Z".into()),
    };
    assert_eq!(messages[0].objects[0], expected);
    assert_eq!(keys(&messages[0])[1], "a/b c+d@e/ü.json.gz", "keys are encoded as in a form");
    assert_eq!((messages[0].objects.len(), messages[0].others), (3, 1), "a deletion is no delivery");
    assert_eq!(messages[0].objects[2].bucket, "other-logs");
}

#[test]
fn messages_of_a_queue_stay_apart() {
    let (keys, others) = clean("s3_sqs");
    assert_eq!(keys, [vec![KEY], vec!["x y.json.gz", "z.json.gz"]]);
    assert_eq!(others, 0);
    let ids: Vec<_> = messages("s3_sqs").into_iter().filter_map(|message| message.id).collect();
    assert_eq!(ids, ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"]);
}

#[test]
fn topics_and_queues_of_topics_carry_the_same() {
    assert_eq!(clean("sns"), (vec![vec![KEY.to_owned()]], 0));
    assert_eq!(clean("s3_sns_sqs"), (vec![vec!["x y.json.gz".to_owned()]], 0));
}

#[test]
fn keys_of_cloudtrail_and_eventbridge_are_plain() {
    let plain = "AWSLogs/a+b%20c.json.gz".to_owned();
    assert_eq!(clean("cloudtrail_sns_sqs"), (vec![vec![KEY.to_owned(), plain.clone()]], 0));
    assert_eq!(clean("eventbridge"), (vec![vec![plain.clone()]], 0));
    assert_eq!(clean("eventbridge_sqs"), (vec![vec![plain], vec![]], 1));
    let event = &messages("eventbridge")[0].objects[0];
    assert_eq!((event.size, event.etag.as_deref()), (Some(4711), Some("0123456789abcdef0123456789abcdef")));
    assert_eq!(event.time.as_deref(), Some("2026-09-01T12:06:03Z"));
}

#[test]
fn tests_and_confirmations_pass_by() {
    for (name, count) in [("test_event_sqs", 1), ("subscription_confirmation_sqs", 1), ("cloudtrail_validation_sqs", 2)]
    {
        assert_eq!(clean(name), (vec![Vec::new(); count], count as u64), "{name}");
    }
}

#[test]
fn a_subscription_of_cloudwatch_logs_is_handed_on() {
    let messages = messages("cloudwatch_logs");
    assert_eq!((messages.len(), messages[0].logs.len(), messages[0].objects.len()), (1, 1, 0));
}

#[test]
fn what_is_asked_for_by_name() {
    let evaluate = |after_backfill| Envelope::Evaluate { after_backfill };
    assert_eq!(objects(&payload("schedule")), evaluate(false));
    assert_eq!(objects(&json!({"keytrail": "evaluate"})), evaluate(false));
    assert_eq!(objects(&json!({"keytrail": "evaluate", "after": "backfill"})), evaluate(true));
    assert_eq!(objects(&json!({"keytrail": "hold", "minutes": 90})), Envelope::Hold(90));
    for minutes in [json!(null), json!(-1), json!("9"), json!(1_000_000)] {
        let Envelope::Delivery { messages, .. } = objects(&json!({"keytrail": "hold", "minutes": minutes})) else {
            panic!("{minutes} minutes are held")
        };
        assert_eq!(messages[0].wrong.len(), 1, "{minutes}");
    }
    assert_eq!(objects(&json!({"keytrail": "self-test"})), Envelope::SelfTest);
    let Envelope::Ingest(message) = objects(&payload("ingest")) else { panic!("no ingest") };
    assert_eq!(keys(&message), [KEY, "a+b%20c.json.gz"]);
    assert_eq!((message.objects[1].size, message.wrong.len()), (Some(12), 2));
    for odd in [json!({"keytrail": "destroy"}), json!({"keytrail": 1}), json!({}), json!(null), json!([]), json!("x")] {
        let Envelope::Delivery { messages, from_queue: false } = objects(&odd) else { panic!("{odd}") };
        assert_eq!((messages.len(), messages[0].wrong.len()), (1, 1), "{odd}");
    }
}

#[test]
fn hostile_messages_are_wrong_and_only_they() {
    let messages = messages("hostile_sqs");
    let (last, hostile) = messages.split_last().unwrap();
    assert_eq!(keys(last), ["k"], "the least that names an object");
    assert!(last.wrong.is_empty());
    let (size, hostile) = hostile.split_last().unwrap();
    assert_eq!((size.objects[0].size, size.wrong.len()), (None, 0), "a size that is none is asked for");
    let (mixed, hostile) = hostile.split_last().unwrap();
    assert_eq!((keys(mixed), mixed.wrong.len()), (vec![KEY], 1), "what is good in a message is read");
    for (at, message) in hostile.iter().enumerate() {
        assert!(message.objects.is_empty(), "{at}: {message:?}");
        // An empty list of records is no error.
        assert_eq!(message.wrong.is_empty(), at == 5, "{at}: {message:?}");
    }
}

#[test]
fn a_log_is_no_notification() {
    let record = json!({"eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "s3": {}});
    let Envelope::Delivery { messages, .. } = objects(&json!({"Records": vec![record; 394]})) else { panic!() };
    assert_eq!((messages[0].objects.len(), messages[0].wrong.len()), (0, 5), "the first few say it all");
}

/// Our fixtures are what AWS's own definitions of these events say.
#[test]
fn the_fixtures_have_the_shapes_of_aws() {
    use aws_lambda_events::{cloudwatch_logs, eventbridge, s3, sns, sqs};
    let s3: s3::S3Event = serde_json::from_value(payload("s3")).unwrap();
    assert_eq!(s3.records.len(), 4);
    let sns: sns::SnsEvent = serde_json::from_value(payload("sns")).unwrap();
    assert!(sns.records[0].sns.message.contains("ObjectCreated:Put"));
    for name in ["eventbridge", "schedule"] {
        serde_json::from_value::<eventbridge::EventBridgeEvent<Value>>(payload(name)).unwrap();
    }
    let logs: cloudwatch_logs::LogsEvent = serde_json::from_str(&payload("cloudwatch_logs").to_string()).unwrap();
    assert_eq!(logs.aws_logs.data.log_events.len(), 1);
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/envelopes")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".json").filter(|name| name.ends_with("_sqs")) else { continue };
        serde_json::from_value::<sqs::SqsEvent>(payload(name)).unwrap();
    }
}
