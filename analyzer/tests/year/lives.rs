//! Some seventy keys and what happens to each in a year, with the rules that must speak of it (above `info`) and no other.

use keytrail_fixtures::{
    Record, Time, Who, aws_internal, ec2_attach, key_arn, key_arn_in, kms, role, root, service, user,
};
use serde_json::{Value, json};

/// One key.
pub(crate) struct Life {
    pub(crate) arn: String,
    pub(crate) kind: &'static str,
    pub(crate) records: Vec<Record>,
    /// Rules that must speak of it.
    pub(crate) expected: &'static [&'static str],
}

type Script = fn(&mut Life, i64);

/// Kinds of life, how many keys live it, what must be found, what happens. The number is that of the key within its kind: it
/// moves the dates.
const KINDS: &[(&str, i64, &[&str], Script)] = &[
    ("rotates", 5, &[], |life, _| life.born().weekly(0, 52)),
    ("never-rotated", 3, &["missing-rotation"], |life, n| {
        life.at(2 + n, 9, kms::create_key(&life.arn.clone(), day(2 + n), kms::SYMMETRIC, "example"), ops());
        life.weekly(0, 52);
    }),
    ("rotation-off", 2, &["missing-rotation", "rotation-disabled"], |life, n| {
        life.born().weekly(0, 52);
        life.call(200 + n, "DisableKeyRotation", ops());
    }),
    ("rotation-stretched", 2, &["rotation-disabled"], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        life.at(200 + n, 10, kms::enable_rotation(&arn, Some(2560)), ops());
    }),
    ("rotation-off-and-on", 1, &["rotation-disabled"], |life, n| {
        life.born().weekly(0, 52);
        life.call(200 + n, "DisableKeyRotation", ops());
        life.call(203 + n, "EnableKeyRotation", ops());
    }),
    ("signs", 2, &[], |life, n| {
        let arn = life.arn.clone();
        life.at(2 + n, 9, kms::create_key(&arn, day(2 + n), kms::RSA_SIGN, "example"), ops());
        for week in 1..52 {
            life.at(week * 7, 9, Record::kms("Sign").key(&arn), app());
        }
    }),
    ("authenticates", 1, &[], |life, n| {
        let arn = life.arn.clone();
        life.at(2 + n, 9, kms::create_key(&arn, day(2 + n), kms::HMAC, "example"), ops());
        for week in 1..52 {
            life.at(week * 7, 9, Record::kms("GenerateMac").key(&arn), app());
        }
    }),
    ("imported", 2, &[], |life, n| {
        life.imported(n).weekly(0, 52);
    }),
    ("material-deleted", 2, &["imported-material-deleted"], |life, n| {
        life.imported(n).weekly(0, 43);
        life.call(305 + n, "DeleteImportedKeyMaterial", ops());
    }),
    ("material-back", 1, &["imported-material-deleted"], |life, n| {
        life.imported(n).weekly(0, 52);
        life.call(300 + n, "DeleteImportedKeyMaterial", ops());
        life.call(300 + n, "ImportKeyMaterial", ops());
    }),
    ("ransom", 2, &["imported-material-deleted", "ransom-chain"], |life, n| {
        let arn = life.arn.clone();
        life.at(340 + n, 9, kms::create_key(&arn, day(340 + n), kms::IMPORTED, "example"), mallory());
        life.call(340 + n, "ImportKeyMaterial", mallory());
        for object in 0..5 {
            let context = [("aws:s3:arn", format!("arn:aws:s3:::payroll/{object}"))];
            life.at(341 + n, 11 + object, kms::generate_data_key(&arn).context(context), mallory());
        }
        life.call(342 + n, "DeleteImportedKeyMaterial", mallory());
    }),
    ("off-and-failing", 3, &["disabled-key-failure", "key-disabled"], |life, n| {
        life.born().weekly(0, 50);
        life.call(352 + n * 3, "DisableKey", ops());
        let arn = life.arn.clone();
        for hour in 0..6 {
            life.at(353 + n * 3, hour, kms::decrypt(&arn).fails_disabled(&arn), app());
        }
    }),
    ("off-and-on", 2, &["key-disabled"], |life, n| {
        life.born().weekly(0, 52);
        life.call(150 + n * 5, "DisableKey", ops());
        life.call(150 + n * 5, "EnableKey", ops());
    }),
    ("deleted-in-use", 2, &["key-deletion-scheduled"], |life, n| {
        life.born().weekly(0, 50);
        let arn = life.arn.clone();
        life.at(358 + n * 2, 9, kms::schedule_deletion(&arn, day(358 + n * 2), 7), ops());
    }),
    ("deletion-cancelled", 1, &["key-deletion-scheduled"], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        life.at(240 + n, 9, kms::schedule_deletion(&arn, day(240 + n), 30), ops());
        life.call(241 + n, "CancelKeyDeletion", ops());
        life.call(241 + n, "EnableKey", ops());
    }),
    ("made-by-mistake", 2, &[], |life, n| {
        let arn = life.arn.clone();
        life.at(220 + n, 9, kms::create_key(&arn, day(220 + n), kms::SYMMETRIC, "example"), ops());
        life.at(220 + n, 12, kms::schedule_deletion(&arn, day(220 + n), 7), ops());
        life.at(228 + n, 12, gone(&arn), aws_internal());
    }),
    ("gone-unseen", 1, &["key-deletion-scheduled"], |life, n| {
        let arn = life.arn.clone();
        life.at(30 + n, 9, gone(&arn), aws_internal());
    }),
    ("given-away", 2, &["over-broad-grant"], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        let record = grant(&arn, n, "arn:aws:iam::777788889999:root", &["Decrypt", "CreateGrant"], None);
        life.at(250 + n, 9, record, ops());
    }),
    ("volumes", 2, &[], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        let volume = format!("vol-0c3d4e5f6071829{n}a");
        let grantee = "111122223333:aws:ec2-infrastructure:i-0c3d4e5f60718293a";
        let bound = json!({"encryptionContextSubset": {"aws:ebs:id": volume}});
        life.at(250 + n, 9, grant(&arn, n, grantee, &["Decrypt"], Some(bound)).via("ec2.amazonaws.com"), app());
        let decrypt = kms::decrypt(&arn).context([("aws:ebs:id", volume.as_str())]);
        life.at(250 + n, 10, decrypt, ec2_attach("i-0c3d4e5f60718293a"));
    }),
    ("public", 2, &["over-broad-key-policy"], |life, n| {
        life.born().weekly(0, 52);
        let public = json!({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"});
        life.policy(260 + n, vec![own_root(), public], None);
    }),
    ("for-a-service", 2, &[], |life, n| {
        life.born().weekly(0, 52);
        let pinned = json!({
            "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "kms:GenerateDataKey*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}}
        });
        life.policy(260 + n, vec![own_root(), pinned], None);
    }),
    ("taken-over", 1, &["over-broad-key-policy", "policy-lockout"], |life, n| {
        life.born().weekly(0, 52);
        let theirs = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::777788889999:root"}, "Action": "kms:*", "Resource": "*"});
        life.policy(270 + n, vec![theirs], Some(true));
    }),
    ("root", 2, &["root-uses-key"], |life, n| {
        life.born().weekly(0, 52);
        life.call(280 + n, "TagResource", root());
    }),
    ("one-hand", 2, &["admin-uses-key"], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        life.policy(285 + n, vec![own_root()], None);
        life.at(286 + n, 9, kms::decrypt(&arn), ops());
    }),
    ("forgotten", 3, &["unused-key"], |life, n| {
        life.born().weekly(0, 10 + n);
    }),
    ("refused", 2, &[], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        for name in ["DisableKey", "ScheduleKeyDeletion", "DisableKeyRotation", "PutKeyPolicy"] {
            let record = kms::on_key(name, &arn).denied(&format!("kms:{name}"), &arn);
            life.at(290 + n, 9, record, user("intern"));
        }
    }),
    ("older-than-the-log", 3, &[], |life, _| life.weekly(0, 52)),
    ("copy", 2, &[], |life, n| {
        // A replica: rotation is its primary's.
        let arn = life.arn.clone();
        let config = json!({
            "multiRegionKeyType": "REPLICA",
            "primaryKey": {"arn": arn.replace("eu-west-1", "us-east-1"), "region": "us-east-1"},
            "replicaKeys": [{"arn": arn, "region": "eu-west-1"}]
        });
        let mut record = kms::create_key(&arn, day(20 + n), kms::SYMMETRIC, "example").value();
        record["responseElements"]["keyMetadata"]["multiRegion"] = json!(true);
        record["responseElements"]["keyMetadata"]["multiRegionConfiguration"] = config;
        let response = record["responseElements"].clone();
        life.at(20 + n, 9, kms::create_key(&arn, day(20 + n), kms::SYMMETRIC, "example").response(response), ops());
        for week in 4..52 {
            life.at(week * 7, 9, kms::decrypt(&arn), app());
        }
    }),
    ("burst", 1, &["unusual-decrypt-rate"], |life, _| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        for day in 320..340 {
            for hour in 0..24 {
                life.at(day, hour, kms::decrypt(&arn).context([("document", "daily")]), app());
            }
        }
        for document in 0..600 {
            let record = kms::decrypt(&arn).context([("document", format!("{document}"))]);
            life.moment(day(341).epoch() + 3_600 * 13 + document * 2, record, app());
        }
    }),
    ("abroad", 2, &[], |life, n| {
        // A key of another account that ours use: its owner's affair.
        life.arn = key_arn_in("444455556666", "eu-west-1", life.arn.rsplit('/').next().unwrap_or_default());
        let arn = life.arn.clone();
        for week in 1..52 {
            life.at(week * 7 + n, 9, kms::decrypt(&arn), app());
        }
    }),
    ("alias-gone", 1, &["disabled-key-failure"], |life, n| {
        life.born().weekly(0, 52);
        let (arn, alias) = (life.arn.clone(), "alias/gone");
        life.at(5 + n, 9, kms::create_alias(&arn, alias), ops());
        life.at(355 + n, 9, kms::delete_alias(&arn, alias), ops());
        let gone = "Alias arn:aws:kms:eu-west-1:111122223333:alias/gone is not found.";
        life.at(356 + n, 9, Record::kms("Encrypt").key_named(alias).fails("NotFoundException", gone), app());
    }),
    ("right-taken", 1, &["disabled-key-failure"], |life, n| {
        life.born().weekly(0, 50);
        life.policy(300 + n, vec![own_root()], None);
        let denied = json!({"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:role/payments-api"}, "Action": "kms:Decrypt", "Resource": "*"});
        life.policy(352 + n, vec![own_root(), denied], None);
        let arn = life.arn.clone();
        life.at(353 + n, 9, kms::decrypt(&arn).denied("kms:Decrypt", &arn), app());
    }),
    ("right-never-there", 1, &[], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        life.at(340 + n, 9, kms::decrypt(&arn).denied("kms:Decrypt", &arn), role("guest", "web"));
        life.policy(352 + n, vec![own_root()], None);
        life.at(353 + n, 9, kms::decrypt(&arn).denied("kms:Decrypt", &arn), role("guest", "web"));
    }),
    ("grant-revoked", 1, &["disabled-key-failure"], |life, n| {
        life.born().weekly(0, 52);
        let (arn, worker) = (life.arn.clone(), || role("worker", "batch"));
        let bound = json!({"encryptionContextSubset": {"queue": "jobs"}});
        let record = grant(&arn, n, "arn:aws:iam::111122223333:role/worker", &["Decrypt"], Some(bound));
        let id = record.clone().value()["responseElements"]["grantId"].as_str().unwrap_or_default().to_string();
        life.at(250 + n, 9, record, ops());
        life.at(251 + n, 9, kms::decrypt(&arn).context([("queue", "jobs")]), worker());
        life.at(355 + n, 9, kms::revoke_grant(&arn, &id), ops());
        life.at(356 + n, 9, kms::decrypt(&arn).denied("kms:Decrypt", &arn), worker());
    }),
    ("store-away", 1, &["disabled-key-failure"], |life, n| {
        let arn = life.arn.clone();
        let shape = kms::KeyShape { origin: "AWS_CLOUDHSM", ..kms::SYMMETRIC };
        let record = kms::create_key(&arn, day(2 + n), shape, "example");
        let mut response = record.clone().value()["responseElements"].take();
        response["keyMetadata"]["customKeyStoreId"] = json!("cks-1234567890abcdef0");
        life.at(2 + n, 9, record.response(response), ops());
        life.weekly(0, 50);
        life.at(352 + n, 9, kms::on_store("DisconnectCustomKeyStore", "cks-1234567890abcdef0"), ops());
        let away = kms::decrypt(&arn).fails("KMSInvalidStateException", &format!("{arn} is unavailable."));
        life.at(353 + n, 9, away, app());
    }),
    ("material-ended", 1, &["disabled-key-failure"], |life, n| {
        let arn = life.arn.clone();
        life.at(1 + n, 8, kms::create_key(&arn, day(1 + n), kms::IMPORTED, "example"), ops());
        let import = kms::on_key("ImportKeyMaterial", &arn).param("expirationModel", "KEY_MATERIAL_EXPIRES");
        life.at(1 + n, 10, import.param("validTo", "Dec 18, 2026, 12:00:00 AM"), ops());
        life.weekly(0, 50);
        let ended = kms::decrypt(&arn).fails("KMSInvalidStateException", &format!("{arn} is pending import."));
        life.at(353 + n, 9, ended, app());
    }),
    ("cancelled-unseen", 1, &["key-deletion-scheduled"], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        life.at(300 + n, 9, kms::schedule_deletion(&arn, day(300 + n), 30), ops());
    }),
    ("name-stolen", 1, &["alias-moved"], |life, n| {
        // A young key of somebody else gets the name of another one.
        let (arn, alias) = (life.arn.clone(), "alias/stolen");
        let victim = arn.replace("0000-12ab", "00ff-12ab");
        life.at(3, 8, kms::create_key(&victim, day(3), kms::IMPORTED, "example"), role("platform-deploy", "terraform"));
        life.at(3, 9, kms::on_key("ImportKeyMaterial", &victim), role("platform-deploy", "terraform"));
        for week in 1..52 {
            life.at(week * 7, 9, kms::decrypt(&victim).context([("document", "weekly")]), app());
        }
        life.at(3, 10, kms::create_alias(&victim, alias), role("platform-deploy", "terraform"));
        life.at(340 + n, 9, kms::create_key(&arn, day(340 + n), kms::IMPORTED, "example"), mallory());
        life.call(340 + n, "ImportKeyMaterial", mallory());
        life.at(341 + n, 9, kms::update_alias(&arn, alias), mallory());
        life.at(342 + n, 9, kms::generate_data_key(&arn), app());
    }),
    ("name-by-hand", 2, &[], |life, n| {
        // Rotated by hand: the second key takes the name of the first, and one pipeline made both.
        let (arn, alias, deploy) = (life.arn.clone(), "alias/by-hand", || role("platform-deploy", "terraform"));
        let made = if n == 0 { 2 } else { 330 };
        life.at(made, 8, kms::create_key(&arn, day(made), kms::SYMMETRIC, "example"), deploy());
        life.at(made, 9, kms::enable_rotation(&arn, None), deploy());
        let name = if n == 0 { kms::create_alias(&arn, alias) } else { kms::update_alias(&arn, alias) };
        life.at(made + 1, 10, name, deploy());
        life.weekly(made / 7 + 1, 52);
    }),
    ("trail-blinded", 1, &["key-disabled", "trail-key-cut-off"], |life, n| {
        life.born();
        let arn = life.arn.clone();
        let context = [
            ("aws:cloudtrail:arn", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"),
            ("aws:s3:arn", "arn:aws:s3:::trail-logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/12/18/x.json.gz"),
        ];
        for on in 330..352 + n {
            let record = kms::generate_data_key(&arn).context(context);
            life.at(on, 9, record, service("cloudtrail.amazonaws.com"));
        }
        life.call(352 + n, "DisableKey", mallory());
    }),
    ("copied-away", 1, &["replica-outside-regions"], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        life.at(300 + n, 9, kms::on_key("ReplicateKey", &arn).param("replicaRegion", "ap-southeast-1"), ops());
    }),
    ("copied-home", 1, &[], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        life.at(300 + n, 9, kms::on_key("ReplicateKey", &arn).param("replicaRegion", "us-east-1"), ops());
    }),
    ("replaced-by-hand", 1, &[], |life, n| {
        // Never rotated by itself, but another key has its name since, and it only decrypts.
        let (arn, alias) = (life.arn.clone(), "alias/replaced");
        let next = arn.replace("0000-12ab", "00fe-12ab");
        life.at(2 + n, 8, kms::create_key(&arn, day(2 + n), kms::SYMMETRIC, "example"), ops());
        life.at(2 + n, 9, kms::create_alias(&arn, alias), ops());
        life.at(300 + n, 8, kms::create_key(&next, day(300 + n), kms::SYMMETRIC, "example"), ops());
        life.at(300 + n, 9, kms::enable_rotation(&next, None), ops());
        life.at(301 + n, 9, kms::update_alias(&next, alias), ops());
        life.weekly(0, 52);
        for week in 44..52 {
            life.at(week * 7, 9, kms::decrypt(&next), app());
        }
    }),
    ("grant-of-a-grant", 1, &["over-broad-grant"], |life, n| {
        life.born().weekly(0, 52);
        let arn = life.arn.clone();
        let bound = || Some(json!({"encryptionContextSubset": {"queue": "jobs"}}));
        let first = grant(&arn, 10, "arn:aws:iam::111122223333:role/loader", &["CreateGrant", "Decrypt"], bound());
        life.at(250 + n, 9, first.via("rds.amazonaws.com"), app());
        let second = grant(&arn, 11, "arn:aws:iam::111122223333:role/helper", &["Decrypt"], bound());
        life.at(251 + n, 9, second, role("loader", "run"));
        life.at(252 + n, 9, kms::decrypt(&arn).context([("queue", "jobs")]), role("helper", "run"));
    }),
    ("grant-unused", 1, &["over-broad-grant"], |life, n| {
        life.born().weekly(0, 52);
        let bound = json!({"encryptionContextSubset": {"queue": "jobs"}});
        let record = grant(&life.arn, n, "arn:aws:iam::111122223333:role/worker", &["Decrypt"], Some(bound));
        life.at(150 + n, 9, record, ops());
    }),
];

pub(crate) fn day(day: i64) -> Time {
    Time::from_epoch(Time::parse("2026-01-01T00:00:00Z").map_or(0, Time::epoch) + day * 86_400)
}

fn ops() -> Who {
    role("ops-admin", "alice")
}

fn app() -> Who {
    role("payments-api", "i-0a1b2c3d4e5f60718")
}

fn mallory() -> Who {
    user("mallory").from_ip("203.0.113.9")
}

fn own_root() -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"})
}

fn gone(arn: &str) -> Record {
    let id = arn.rsplit('/').next().unwrap_or(arn);
    Record::kms("DeleteKey").key(arn).service_event(json!({"keyId": id}))
}

fn grant(arn: &str, n: i64, grantee: &str, operations: &[&str], bound: Option<Value>) -> Record {
    let id = format!("{n:02}237476b39f8bc44e45212e08498fbe3151305030726c0590dd8d3e9f3d6a{n:02}");
    let mut record =
        Record::kms("CreateGrant").key(arn).param("granteePrincipal", grantee).param("operations", json!(operations));
    if let Some(bound) = bound {
        record = record.param("constraints", bound);
    }
    record.response(json!({"grantId": id, "keyId": arn}))
}

impl Life {
    fn moment(&mut self, epoch: i64, record: Record, who: Who) {
        self.records.push(record.by(who).at(Time::from_epoch(epoch)));
    }

    fn at(&mut self, on: i64, hour: i64, record: Record, who: Who) {
        // Calls of one kind of key never share a second with others: their order would be a guess.
        let within = self.records.len() as i64 % 3000;
        self.moment(day(on).epoch() + hour * 3_600 + within, record, who);
    }

    fn call(&mut self, on: i64, name: &str, who: Who) {
        let arn = self.arn.clone();
        let hour = 10
            + self.records.iter().filter(|record| record.time().epoch() / 86_400 == day(on).epoch() / 86_400).count();
        self.at(on, hour as i64, kms::on_key(name, &arn), who);
    }

    /// Made on the second day, rotating from the first hour on.
    fn born(&mut self) -> &mut Self {
        let arn = self.arn.clone();
        self.at(1, 8, kms::create_key(&arn, day(1), kms::SYMMETRIC, "example"), role("platform-deploy", "terraform"));
        self.at(1, 8, kms::enable_rotation(&arn, None), role("platform-deploy", "terraform"));
        self
    }

    fn imported(&mut self, n: i64) -> &mut Self {
        let arn = self.arn.clone();
        self.at(1 + n, 8, kms::create_key(&arn, day(1 + n), kms::IMPORTED, "example"), ops());
        self.call(1 + n, "ImportKeyMaterial", ops());
        self
    }

    fn weekly(&mut self, from: i64, to: i64) {
        let arn = self.arn.clone();
        for week in from.max(1)..to {
            self.at(week * 7, 9, kms::decrypt(&arn).context([("document", "weekly")]), app());
        }
    }

    fn policy(&mut self, on: i64, statements: Vec<Value>, bypass: Option<bool>) {
        let arn = self.arn.clone();
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let mut record = kms::put_key_policy(&arn, &document);
        if let Some(bypass) = bypass {
            record = record.param("bypassPolicyLockoutSafetyCheck", bypass);
        }
        self.at(on, 10, record, ops());
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Life> {
    let mut lives = Vec::new();
    for (number, (kind, count, expected, script)) in KINDS.iter().enumerate() {
        for n in 0..*count {
            let id = format!("{number:04x}{n:04x}-12ab-34cd-56ef-1234567890ab");
            let id = if ["copy", "copied-away", "copied-home"].contains(kind) {
                format!("mrk-{}", id.replace('-', ""))
            } else {
                id
            };
            let mut life = Life { arn: key_arn(&id), kind, records: Vec::new(), expected };
            script(&mut life, n);
            let from = lives.iter().map(|life: &Life| life.records.len() as u64).sum::<u64>();
            let numbered = std::mem::take(&mut life.records).into_iter().zip(from..);
            life.records = numbered.map(|(record, nth)| record.nth(nth)).collect();
            lives.push(life);
        }
    }
    lives
}
