//! Every accepted shape, every reason to skip, reject or note, from bytes.

use keytrail::decode::records::LONGEST_RECORD;
use keytrail::decode::select::{
    BINDINGS, DENIED_PHRASES, FAILURE_CODES, FAILURE_PHRASES, IAM_POLICIES, KEY_MEMBERS, KEY_STATES, Search,
    TRAIL_CONTROLS, class_of,
};
use keytrail::decode::{Class, Decoder, Limits, Note, ObjectReport, RejectReason, SkipReason};

use super::support::{KMS, NETWORK, STS, decode, decode_within, fill, gzip, windows};

fn rejected(report: &ObjectReport) -> Vec<(u32, RejectReason)> {
    assert_eq!(report.rejected.total(), report.rejected.first.len() as u64);
    report.rejected.first.clone()
}

#[test]
fn every_shape_gives_its_records() {
    let text = serde_json::to_string(KMS).unwrap();
    for (document, records, kept) in [
        (r#"{"Records":[KMS,STS,KMS]}"#.to_owned(), 3, vec![0, 2]),
        ("{\n \"a\": {\"Records\": 1},\n \"Records\" : [\n  KMS ,\n  STS\n ],\n \"b\": []\n}\n".to_owned(), 2, vec![0]),
        (r#"{"Records":[STS],"more":1,"Records":[KMS]}"#.to_owned(), 2, vec![1]),
        ("[STS, KMS]".to_owned(), 2, vec![1]),
        ("KMS".to_owned(), 1, vec![0]),
        ("KMS\nSTS\r\nKMS".to_owned(), 3, vec![0, 2]),
        ("KMSSTS KMS".to_owned(), 3, vec![0, 2]),
        ("{\"Records\":[KMS]}\n{\"Records\":[STS,KMS]}\n".to_owned(), 3, vec![0, 2]),
        ("[KMS][KMS]".to_owned(), 2, vec![0, 1]),
        ("\u{feff} \n{\"Records\":[KMS]}".to_owned(), 1, vec![0]),
        (format!(r#"{{"NextToken":"x","Events":[{{"EventId":"e","CloudTrailEvent":{text}}}]}}"#), 1, vec![0]),
        (format!("{{\"EventId\":\"e\",\"CloudTrailEvent\":{text}}}\nSTS\n"), 2, vec![0]),
        (r#"{"Records":[]}"#.to_owned(), 0, vec![]),
        ("[]".to_owned(), 0, vec![]),
        ("{\"foo\":1,\"eventSource\":\"kms.amazonaws.com\"}".to_owned(), 1, vec![0]),
    ] {
        let document = fill(&document);
        for limits in [Limits::default(), windows(1), windows(100)] {
            let (report, memory) = decode_within(limits, document.as_bytes());
            assert_eq!((report.skip, report.rejected.total()), (None, 0), "{document}");
            assert_eq!(report.records, records, "{document}");
            assert_eq!(memory.kept.iter().map(|kept| kept.index).collect::<Vec<_>>(), kept, "{document}");
        }
    }
}

#[test]
fn records_that_eventbridge_delivers_are_read() {
    let event = |kind: &str, source: &str, detail: &str| {
        format!(r#"{{"version":"0","detail-type":"{kind}","source":"{source}","detail":{detail}}}"#)
    };
    let (call, service) = ("AWS API Call via CloudTrail", "AWS Service Event via CloudTrail");
    let lines = [event(call, "aws.kms", KMS), event(call, "aws.s3", STS), event(service, "aws.kms", KMS)].join("\n");
    let (report, memory) = decode(lines.as_bytes());
    assert_eq!((report.skip, report.records, report.rejected.total()), (None, 3, 0));
    assert_eq!(memory.kept.iter().map(|kept| kept.index).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(memory.kept[0].value["eventName"], "Decrypt");
    assert_eq!(report.first.unwrap().region.as_deref(), Some("eu-west-1"));
    for other in
        [event("AWS Health Event", "aws.health", KMS), event(call, "aws.kms", "1"), event(call, "aws.kms", "{}")]
    {
        assert_eq!(decode(other.as_bytes()).0.skip, Some(SkipReason::NotCloudTrail), "{other}");
    }
}

#[test]
fn the_first_record_tells_where_and_when() {
    let (report, _) = decode(fill("[KMS,STS]").as_bytes());
    let first = report.first.unwrap();
    assert_eq!(first.account.as_deref(), Some("111122223333"));
    assert_eq!(first.region.as_deref(), Some("eu-west-1"));
    assert_eq!(first.time.as_deref(), Some("2026-01-02T03:04:05Z"));
}

#[test]
fn every_skip_has_its_bytes() {
    use SkipReason as S;
    let packed = gzip(KMS.as_bytes());
    let mut bad_crc = packed.clone();
    let at = bad_crc.len() - 6;
    bad_crc[at] ^= 1;
    let mut bad_length = packed.clone();
    let at = bad_length.len() - 1;
    bad_length[at] ^= 1;
    let mut bad_deflate = packed.clone();
    bad_deflate[12..30].fill(0xff);
    let cases: Vec<(Vec<u8>, S)> = vec![
        (b"".to_vec(), S::Empty),
        (b" \n".to_vec(), S::Empty),
        (gzip(b""), S::Empty),
        (packed[..packed.len() - 1].to_vec(), S::TruncatedGzip),
        (packed[..packed.len() / 2].to_vec(), S::TruncatedGzip),
        (packed[..5].to_vec(), S::TruncatedGzip),
        ([packed.clone(), packed[..packed.len() / 2].to_vec()].concat(), S::TruncatedGzip),
        (bad_crc, S::BadGzip),
        (bad_length, S::BadGzip),
        (bad_deflate, S::BadGzip),
        (b"\x1f\x8bno gzip at all, whatever the first bytes say".to_vec(), S::BadGzip),
        (b"2 111122223333 eni-0a 10.0.0.1 443 ACCEPT OK\n".to_vec(), S::NotJson),
        (b"{hello} there".to_vec(), S::NotJson),
        (b"{\"Records\":".to_vec(), S::NotJson),
        (b"[[[[".to_vec(), S::NotJson),
        (b"\xff\xfe{\0".to_vec(), S::NotJson),
        (b"{\"a\":1}".to_vec(), S::NotCloudTrail),
        (b"{}\n{\"level\":\"info\"}".to_vec(), S::NotCloudTrail),
        (b"[1,2]".to_vec(), S::NotCloudTrail),
        (b"42".to_vec(), S::NotCloudTrail),
        (b"{\"Records\":[{\"a\":1}]}".to_vec(), S::NotCloudTrail),
        (b"{\"awsAccountId\":\"1\",\"digestStartTime\":\"x\",\"logFiles\":[{}]}".to_vec(), S::Digest),
        (fill(r#"{"Records":[INSIGHT,INSIGHT]}"#).into_bytes(), S::Insight),
        (br#"{"Events":[{"eventVersion":"1.07","insightDetails":{}}]}"#.to_vec(), S::Insight),
        (
            br#"[{"eventVersion":"1.0","eventType":"AwsAggregatedEvent","eventSource":"s3.amazonaws.com"}]"#.to_vec(),
            S::Aggregated,
        ),
        (fill("NETWORK\nNETWORK\n").into_bytes(), S::NetworkActivity),
        (
            br#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{}}]}"#
                .to_vec(),
            S::Notification,
        ),
        (br#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#.to_vec(), S::Notification),
        (br#"{"Type":"Notification","TopicArn":"arn","Message":"{\"Records\":[]}"}"#.to_vec(), S::Notification),
        (br#"{"version":"0","source":"aws.s3","detail":{"object":{}}}"#.to_vec(), S::Notification),
    ];
    for (bytes, skip) in cases {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let plain = !bytes.starts_with(&[0x1f, 0x8b]);
        for limits in [Limits::default(), windows(1), windows(40)] {
            let (report, memory) = decode_within(limits, &bytes);
            assert_eq!(report.skip, Some(skip), "{shown}");
            assert!(memory.kept.is_empty() && report.kept == 0, "{shown}");
            if plain && !bytes.is_empty() {
                assert_eq!(decode_within(limits, &gzip(&bytes)).0.skip, Some(skip), "gzip of {shown}");
            }
        }
    }
    // Left to others: told by paths, by S3, by a lake, or by whoever catches a panic.
    assert!(SkipReason::ALL.len() == 24);
}

#[test]
fn what_cannot_be_read_is_rejected_and_the_rest_kept() {
    use RejectReason as R;
    type Case = (&'static str, u64, Vec<(u32, R)>, Vec<u32>);
    let cases: &[Case] = &[
        (r#"{"Records":[KMS,{"eventSource":"kms.amazonaws.com",nope},KMS]}"#, 3, vec![(1, R::InvalidJson)], vec![0, 2]),
        (r#"{"Records":[{"eventSource":nope},KMS]}"#, 2, vec![(0, R::InvalidJson)], vec![1]),
        (
            r#"{"Records":[1,"}",null,[KMS],KMS,true]}"#,
            6,
            [0, 1, 2, 3, 5].map(|at| (at, R::NotAnObject)).to_vec(),
            vec![4],
        ),
        (r#"{"Records":[KMS,{"eventSource":"kms.amaz"#, 2, vec![(1, R::Truncated)], vec![0]),
        (r#"{"Records":[{"eventSource":"kms.amaz"#, 1, vec![(0, R::Truncated)], vec![]),
        (r#"{"Records":[KMS,"#, 1, vec![(1, R::Truncated)], vec![0]),
        (r#"[KMS,STS"#, 2, vec![(2, R::Truncated)], vec![0]),
        ("KMS\n{\"eventSource\":\"km", 2, vec![(1, R::Truncated)], vec![0]),
        ("KMS\nlogs follow\nKMS\n", 3, vec![(1, R::InvalidJson)], vec![0, 2]),
        ("KMS\n{\"eventSource\":\"kms.amazonaws.com\nKMS\nKMS\n", 4, vec![(1, R::InvalidJson)], vec![0, 2, 3]),
        ("KMS\n{\"eventSource\":[{\nKMS\nKMS", 4, vec![(1, R::InvalidJson)], vec![0, 2, 3]),
        (
            "KMS\n{\"eventName\":\"x\nKMS\n{\"eventName\":\"x\nKMS",
            5,
            vec![(1, R::InvalidJson), (3, R::InvalidJson)],
            vec![0, 2, 4],
        ),
        (r#"[KMS,{"eventName":"kms.amazonaws.com"}]"#, 2, vec![(1, R::MissingEventSource)], vec![0]),
        (r#"[{"a":1},KMS]"#, 2, vec![(0, R::MissingEventSource)], vec![1]),
        (
            r#"{"Events":[{"CloudTrailEvent":"{"},{"CloudTrailEvent":"[]"},KMS]}"#,
            3,
            vec![(0, R::InvalidJson), (1, R::NotAnObject)],
            vec![2],
        ),
    ];
    for (document, records, rejects, kept) in cases {
        let document = fill(document);
        for limits in [Limits::default(), windows(1), windows(100)] {
            let (report, memory) = decode_within(limits, document.as_bytes());
            assert_eq!(report.skip, None, "{document}");
            assert_eq!(&rejected(&report), rejects, "{document}");
            assert_eq!(report.records, *records, "{document}");
            assert_eq!(&memory.kept.iter().map(|kept| kept.index).collect::<Vec<_>>(), kept, "{document}");
        }
    }
}

#[test]
fn the_sink_may_reject_too() {
    struct Picky;
    impl keytrail::decode::RecordSink for Picky {
        fn record(&mut self, record: &keytrail::decode::Record<'_>) -> Result<(), RejectReason> {
            if record.index == 0 { Err(RejectReason::BadEventTime) } else { Ok(()) }
        }
        fn stage(&mut self) {}
        fn settle(&mut self, _: bool) {}
    }
    let report = Decoder::new(Limits::default()).read(&mut fill("[KMS,KMS]").as_bytes(), None, &mut Picky);
    assert_eq!((report.kept, rejected(&report)), (1, vec![(0, RejectReason::BadEventTime)]));
}

#[test]
fn records_too_long_are_rejected_in_bounded_memory() {
    let long = KMS.replace("Decrypt", &"x".repeat(LONGEST_RECORD));
    for document in [format!("{{\"Records\":[{KMS},{long},{KMS}]}}"), format!("{KMS}\n{long}\n{KMS}\n")] {
        for limits in [Limits::default(), windows(1 << 20)] {
            let (report, memory) = decode_within(limits, document.as_bytes());
            assert_eq!(rejected(&report), [(1, RejectReason::TooLong)]);
            assert_eq!(memory.kept.iter().map(|kept| kept.index).collect::<Vec<_>>(), [0, 2]);
        }
    }
}

#[test]
fn records_of_other_categories_are_left_out_and_noted() {
    for document in ["[KMS,NETWORK,STS]", "[NETWORK,KMS]", "INSIGHT\nINSIGHT\nSTS\nKMS"] {
        let (report, memory) = decode(fill(document).as_bytes());
        assert_eq!((report.skip, memory.kept.len()), (None, 1), "{document}");
        let others = document.matches("NETWORK").count() + document.matches("INSIGHT").count();
        assert_eq!(report.notes.get(&Note::MixedCategories), Some(&(others as u64)), "{document}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let mut bytes = KMS.replace("Decrypt", "De?rypt").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[at] = 0xe9;
    let (report, memory) = decode(&bytes);
    assert_eq!((report.kept, report.notes.get(&Note::RepairedUtf8)), (1, Some(&1)));
    assert_eq!(memory.kept[0].value["eventName"], "De\u{fffd}rypt");
}

#[test]
fn deep_nesting_costs_neither_the_stack_nor_much_time() {
    let deep = "[".repeat(1 << 20);
    let close = "]".repeat(1 << 20);
    let record = format!("{{\"eventSource\":\"kms.amazonaws.com\",\"a\":{deep}{close}}}");
    let (report, memory) = decode(format!("[{record},{KMS}]").as_bytes());
    assert_eq!(rejected(&report), [(0, RejectReason::InvalidJson)]);
    assert_eq!(memory.kept.len(), 1);
    decode(deep.as_bytes());
    decode("{\"a\":".repeat(1 << 19).as_bytes());
    decode("{\"a\":{\"b\":1},".repeat(1 << 17).as_bytes());
    decode("{\"eventName\":\"x\n".repeat(1 << 15).as_bytes());
}

/// What [`class_of`] says, and whether the search lets the record through.
fn judged(record: &str) -> Option<Class> {
    let mut text = record.as_bytes().to_vec();
    let class = class_of(simd_json::to_tape(&mut text).unwrap().as_value());
    assert!(class.is_none() || Search::new().matches(record.as_bytes()), "the search holds back {record}");
    class
}

#[test]
fn every_entry_of_the_table_is_found_by_the_search() {
    assert!(BINDINGS.is_sorted());
    assert_eq!(judged(KMS), Some(Class::Kms));
    for (service, name, bare) in BINDINGS {
        let event = format!(r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{name}""#);
        assert_eq!(judged(&format!("{event}}}")).is_some(), *bare, "{name}");
        for member in KEY_MEMBERS {
            for place in ["requestParameters", "responseElements"] {
                let record = format!(r#"{event},"{place}":{{"a":[{{"{member}":"alias/x"}}]}}}}"#);
                assert_eq!(judged(&record), Some(Class::Binding));
                assert_eq!(judged(&record.replace("alias/x", "")).is_some(), *bare);
                assert_eq!(judged(&format!("{},\"errorCode\":\"Throttled\"}}", &record[..record.len() - 1])), None);
            }
        }
    }
    let event = r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject""#;
    for code in FAILURE_CODES {
        assert_eq!(judged(&format!(r#"{event},"errorCode":"Client.{code}X"}}"#)), Some(Class::Failure), "{code}");
    }
    for phrase in FAILURE_PHRASES {
        let record = format!(r#"{event},"errorCode":"X","errorMessage":"a {phrase} b"}}"#);
        assert_eq!(judged(&record), Some(Class::Failure), "{phrase}");
        assert_eq!(judged(&record.replace(r#""errorCode":"X","#, r#""errorCode":null,"#)), None);
    }
    for state in KEY_STATES {
        let record = format!(r#"{event},"errorCode":"X","errorMessage":"arn:aws:kms:r:1:key/k {state}."}}"#);
        assert_eq!(judged(&record), Some(Class::Failure), "{state}");
    }
    for phrase in DENIED_PHRASES {
        let record = format!(r#"{event},"errorCode":"AccessDeniedException","errorMessage":"no{phrase}Decrypt"}}"#);
        assert_eq!(judged(&record), Some(Class::Failure), "{phrase}");
        assert_eq!(judged(&record.replace("AccessDeniedException", "Throttling")), None);
    }
    let record = format!(r#"{event},"errorCode":"InvalidKeyId","errorMessage":"the key is gone"}}"#);
    assert_eq!(judged(&record), Some(Class::Failure));
    for name in IAM_POLICIES {
        let record = format!(
            r#"{{"eventSource":"iam.amazonaws.com","eventName":"{name}","requestParameters":{{"policyDocument":"p"}}}}"#
        );
        assert_eq!(judged(&record), Some(Class::IamPolicy));
        assert_eq!(judged(&record.replace("policyD", "PolicyD")), Some(Class::IamPolicy));
        assert_eq!(judged(&record.replace("policyD", "roleD")), None);
    }
    for name in TRAIL_CONTROLS {
        let record = format!(r#"{{"eventSource":"cloudtrail.amazonaws.com","eventName":"{name}"}}"#);
        assert_eq!(judged(&record), Some(Class::TrailControl));
    }
}

#[test]
fn near_misses_do_not_matter() {
    for record in [
        r#"{"eventSource":"kms.amazonaws.com.evil"}"#,
        r#"{"eventSource":"KMS.amazonaws.com"}"#,
        r#"{"EventSource":"kms.amazonaws.com"}"#,
        r#"{"eventSource":"kms.amazonaws.com","eventSource":"s3.amazonaws.com"}"#,
        r#"{"requestParameters":{"eventSource":"kms.amazonaws.com"},"eventSource":"events.amazonaws.com"}"#,
        NETWORK,
        r#"{"eventSource":"ec2.amazonaws.com","errorCode":"Client.UnauthorizedOperation","errorMessage":"Encoded authorization failure message: x9kmsKMSQ/KMS+Kms"}"#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"GetRole","errorCode":"AccessDenied","errorMessage":"User arn:aws:iam::1:role/kms-admin may not"}"#,
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"CreateVolume","requestParameters":{"encrypted":true}}"#,
        r#"{"eventSource":"iam.amazonaws.com","eventName":"DeletePolicy","requestParameters":{"policyDocument":"p"}}"#,
        r#"{"eventSource":"cloudtrail.amazonaws.com","eventName":"LookupEvents","requestParameters":{"x":"kms.amazonaws.com"}}"#,
    ] {
        assert_eq!(judged(record), None, "{record}");
    }
    let last_wins = r#"{"eventSource":"s3.amazonaws.com","eventSource":"\u006bms.amazonaws.com"}"#;
    assert_eq!(judged(last_wins), Some(Class::Kms));
}
