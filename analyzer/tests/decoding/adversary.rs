//! Generated documents that try to be misread.

use keytrail::decode::select::{BINDINGS, FAILURE_CODES, FAILURE_PHRASES, IAM_POLICIES, KEY_MEMBERS, TRAIL_CONTROLS};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{decode, decode_within, expected, gzip, parse_everything, windows};

/// A small generator of its own: one seed, one document.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.roll(choices.len())]
    }

    /// Text that looks like structure, like a record, or like what is searched for.
    fn text(&mut self) -> String {
        let traps = [
            "kms.amazonaws.com",
            "\"eventSource\":\"kms.amazonaws.com\"",
            "{\"eventSource\":\"kms.amazonaws.com\"}",
            "}]}",
            "{[{",
            "\\",
            "\\\\\"",
            "\"},{\"eventSource\":\"kms.amazonaws.com\",\"x\":\"",
            "é€\u{1F511}",
            "\n{\"a\":1}",
            "arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444",
            "AwK3kmsQ9/KMS+",
            "plain",
            "",
        ];
        (0..self.roll(4)).map(|_| self.of(&traps)).collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.roll(if depth == 0 { 5 } else { 8 }) {
            0 => json!(null),
            1 => json!(self.roll(1_000)),
            2 => json!(self.roll(2) == 0),
            3 | 4 => json!(self.text()),
            5 => (0..self.roll(4)).map(|_| self.value(depth - 1)).collect(),
            6 => json!({"eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "nested": self.value(depth - 1)}),
            _ => json!({self.of(KEY_MEMBERS): self.value(depth - 1), "a": self.value(depth - 1)}),
        }
    }

    fn record(&mut self) -> Value {
        let (service, name, _) = BINDINGS[self.roll(BINDINGS.len())];
        let binding = format!("{service}.amazonaws.com");
        let (source, name) = match self.roll(7) {
            0 | 1 => ("kms.amazonaws.com", "Decrypt"),
            2 => ("kms.amazonaws.com.evil", "Decrypt"),
            3 => ("iam.amazonaws.com", self.of(IAM_POLICIES)),
            4 => ("cloudtrail.amazonaws.com", self.of(TRAIL_CONTROLS)),
            _ => (binding.as_str(), name),
        };
        let mut record = json!({
            "eventVersion": "1.11",
            "eventSource": source,
            "eventName": name,
            "eventTime": "2026-01-02T03:04:05Z",
            "requestParameters": self.value(3),
            "responseElements": self.value(3),
        });
        if self.roll(3) == 0 {
            let codes = ["AccessDenied", "InvalidKeyId", "NoSuchBucket", "Client.InvalidKMSKey.InvalidState"];
            record["errorCode"] = match self.roll(3) {
                0 => json!(null),
                1 => json!(format!("x{}y", self.of(FAILURE_CODES))),
                _ => json!(self.of(&codes)),
            };
            let message = match self.roll(3) {
                0 => self.text(),
                1 => self.of(FAILURE_PHRASES).to_owned(),
                _ => "User: x is not authorized to perform: kms:Decrypt on key".to_owned(),
            };
            record["errorMessage"] = json!(message);
        }
        if self.roll(3) == 0 {
            record["requestParameters"] = json!({"policyDocument": self.text(), "kmsKeyId": self.text()});
        }
        if self.roll(12) == 0 {
            record["eventCategory"] = json!(self.of(&["NetworkActivity", "Insight", "Data"]));
        }
        record
    }

    fn space(&mut self, out: &mut String, style: usize) {
        if style > 0 && self.roll(3) < style {
            out.push_str(self.of(&[" ", "\n", "\t", "\r\n  "]));
        }
    }

    fn string(&mut self, out: &mut String, text: &str) {
        out.push('"');
        // Some strings are written in escapes to a good part, most are not.
        let escapes = [0, 0, 0, 3][self.roll(4)];
        for letter in text.chars() {
            if escapes > 0 && self.roll(escapes) == 0 && u32::from(letter) < 0x80 {
                let code = u32::from(letter);
                out.push_str(&if self.roll(2) == 0 { format!("\\u{code:04x}") } else { format!("\\u{code:04X}") });
                continue;
            }
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '/' if self.roll(2) == 0 => out.push_str("\\/"),
                letter => out.push(letter),
            }
        }
        out.push('"');
    }

    /// Writes a value with members in any order, some of them twice, and space where space may be.
    fn write(&mut self, out: &mut String, value: &Value, style: usize) {
        match value {
            Value::String(text) => self.string(out, text),
            Value::Array(list) => {
                out.push('[');
                for (at, value) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.space(out, style);
                    self.write(out, value, style);
                    self.space(out, style);
                }
                out.push(']');
            }
            Value::Object(object) => {
                let mut members: Vec<_> = object.iter().collect();
                for at in 1..members.len() {
                    members.swap(at, self.roll(at + 1));
                }
                out.push('{');
                for (at, (name, value)) in members.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    if self.roll(20) == 0 {
                        self.string(out, name);
                        out.push_str(":\"kms.amazonaws.com\",");
                    }
                    self.space(out, style);
                    self.string(out, name);
                    self.space(out, style);
                    out.push(':');
                    self.space(out, style);
                    self.write(out, value, style);
                    self.space(out, style);
                }
                out.push('}');
            }
            other => out.push_str(&other.to_string()),
        }
    }

    fn document(&mut self) -> String {
        let records: Vec<Value> = (0..self.roll(7)).map(|_| self.record()).collect();
        let style = self.roll(3);
        let mut out = String::new();
        if self.roll(8) == 0 {
            out.push('\u{feff}');
        }
        match self.roll(7) {
            0 | 1 => {
                self.space(&mut out, style);
                out.push('{');
                if self.roll(3) == 0 {
                    out.push_str("\"meta\":");
                    let value = self.value(3);
                    self.write(&mut out, &value, style);
                    out.push(',');
                }
                out.push_str("\"Records\":");
                self.write(&mut out, &Value::Array(records), style);
                if self.roll(3) == 0 {
                    out.push_str(",\"count\" : {\"a\":[\"]\"]}");
                }
                out.push('}');
            }
            2 => self.write(&mut out, &Value::Array(records), style),
            3 => {
                for record in records {
                    self.write(&mut out, &record, style);
                    out.push_str(self.of(&["\n", "", " \r\n\n"]));
                }
            }
            4 => {
                for record in records {
                    self.write(&mut out, &json!({"Records": [record.clone(), record]}), style);
                    out.push('\n');
                }
            }
            5 => {
                for record in records {
                    let event = json!({
                        "version": "0",
                        "detail-type": "AWS API Call via CloudTrail",
                        "source": self.of(&["aws.kms", "aws.s3"]),
                        "detail": record,
                    });
                    self.write(&mut out, &event, style);
                    out.push('\n');
                }
            }
            _ => {
                let events: Vec<_> = records
                    .iter()
                    .map(|record| {
                        let mut text = String::new();
                        self.write(&mut text, record, 0);
                        json!({"EventId": "e", "ReadOnly": "true", "CloudTrailEvent": text})
                    })
                    .collect();
                self.write(&mut out, &json!({"NextToken": "t", "Events": events}), style);
            }
        }
        out
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn the_fast_path_keeps_what_parsing_everything_keeps(seed in 1u64.., window in 1u64..3_000) {
        let document = Dice(seed).document();
        let bytes = document.as_bytes();
        let all = parse_everything(bytes);
        let (report, memory) = decode(bytes);
        prop_assert_eq!(report.rejected.total(), 0, "{}", &document);
        prop_assert_eq!(report.records, all.len() as u64, "{}", &document);
        prop_assert_eq!(&memory.kept, &expected(&all), "{}", &document);

        let (again, pieces) = decode_within(windows(window), bytes);
        prop_assert_eq!(&pieces.kept, &memory.kept);
        prop_assert_eq!(&again, &report);

        let packed = gzip(bytes);
        let (again, pieces) = decode_within(windows(window), &packed);
        prop_assert_eq!(&pieces.kept, &memory.kept);
        prop_assert_eq!((again.records, again.skip, &again.rejected), (report.records, report.skip, &report.rejected));
    }

    #[test]
    fn any_bytes_give_a_report(bytes in proptest::collection::vec(any::<u8>(), 0..400), window in 1u64..500) {
        decode(&bytes);
        decode_within(windows(window), &bytes);
        decode(&gzip(&bytes));
    }

    #[test]
    fn damaged_documents_read_alike_whole_and_in_windows(
        seed in 1u64..,
        cuts in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..4),
        window in 1u64..3_000,
    ) {
        let mut bytes = Dice(seed).document().into_bytes();
        for (at, byte) in cuts {
            let at = usize::from(at) % (bytes.len() + 1);
            match byte % 3 {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => bytes[at] = [b'"', b'{', b'}', b'\\', 0xff, b'\n'][usize::from(byte / 3) % 6],
                _ => bytes.insert(at, byte),
            }
        }
        let whole = decode(&bytes);
        let pieces = decode_within(windows(window), &bytes);
        prop_assert_eq!(whole.0, pieces.0, "{}", String::from_utf8_lossy(&bytes));
        prop_assert_eq!(whole.1.kept, pieces.1.kept);
    }
}
