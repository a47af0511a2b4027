//! The shorthand in which rule pages tell what happened, and its expansion into CloudTrail records.
//!
//! A step is one JSON object on one line:
//!
//! | member | meaning |
//! |---|---|
//! | `at` | when: `2026-09-08T02:10:00Z`, `2026-09-08T02:10Z` or `2026-09-08` |
//! | `do` | what: a KMS operation (`DisableKey`), or `service:Operation` (`ec2:AttachVolume`) |
//! | `by` | who: `role/NAME/SESSION`, `user/NAME`, `root`, `service/HOST`, `instance/i-…` (EC2 for an instance), `account/ID` (somebody of another account), `kms`; `@ID` behind it names another account than the key's; `role/app/session` when absent |
//! | `from` | address of the caller |
//! | `via` | the service that calls on the caller's behalf: `secretsmanager`, `AWS Internal` |
//! | `key` | key ARN, or key id in the default account and Region; one documentation key when absent; `none` where the record names none |
//! | `named` | what the caller typed as the key, for example an alias |
//! | `every`, `times` | again after each such time (`30s`, `5m`, `4h`, `1d`), so many times in all |
//! | `count`, `over` | so many calls each time, spread evenly over that time (`5m`) |
//! | `context` | encryption context; every `#` in a value becomes the number of the call |
//! | `error`, `message` | it failed: `errorCode` and `errorMessage`; the usual message of the code when absent |
//! | `request` | further members of `requestParameters` |
//! | `delivered` | the record stands in the log so many times, with one `eventID` |
//! | `kind` | CreateKey: `symmetric` (default), `rsa`, `hmac`, `imported`, `cloudhsm` |
//! | `alias` | CreateAlias, UpdateAlias, DeleteAlias: `alias/…` |
//! | `store` | id of the custom key store: of CreateKey, and of the operations on it |
//! | `days` | ScheduleKeyDeletion: the window; EnableKeyRotation: the period |
//! | `to` | ReEncrypt: the destination key |
//! | `policy` | the policy document of the call, as JSON; the record holds it as text |
//! | `grant`, `grantee`, `operations`, `constraints`, `retiring` | CreateGrant; `grant` is the id, also in RetireGrant and RevokeGrant |

use keytrail_fixtures::kms::{self, KeyShape};
use keytrail_fixtures::{
    ACCOUNT, Record, Time, Who, aws_internal, ec2_attach, key_arn, outsider, role, root, service, user,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The key of every step that names none.
const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// One line of an example.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    at: String,
    #[serde(rename = "do")]
    what: String,
    by: Option<String>,
    from: Option<String>,
    via: Option<String>,
    key: Option<String>,
    named: Option<String>,
    every: Option<String>,
    times: Option<i64>,
    count: Option<i64>,
    over: Option<String>,
    context: Option<Map<String, Value>>,
    error: Option<String>,
    message: Option<String>,
    #[serde(default)]
    request: Map<String, Value>,
    delivered: Option<usize>,
    kind: Option<String>,
    alias: Option<String>,
    days: Option<u32>,
    to: Option<String>,
    grant: Option<String>,
    grantee: Option<String>,
    operations: Option<Vec<String>>,
    constraints: Option<Value>,
    retiring: Option<String>,
    policy: Option<Value>,
    store: Option<String>,
}

/// One line of an example that says what KMS answered: `said` is when, `call` and `answer` what, as the AWS CLI prints it
/// (`Arn` of `KeyMetadata` is filled in), `key` which key as in a step; `none` for calls about a whole Region.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    said: String,
    call: String,
    key: Option<String>,
    answer: Value,
}

/// The inventory file of some answers; none when nothing was said.
pub(crate) fn inventory(said: &[Said]) -> Option<Value> {
    let answers: Vec<Value> = said.iter().map(Said::answer).collect();
    (!answers.is_empty()).then(|| {
        json!({
            "schema": "keytrail.inventory/1", "version": "0.0.0", "run": "2026-09-01T00:00:00Z",
            "account": ACCOUNT, "region": keytrail_fixtures::REGION, "answers": answers, "refused": [],
        })
    })
}

impl Said {
    fn answer(&self) -> Value {
        let mut answer = self.answer.clone();
        let mut said = json!({"call": self.call, "captured_at": time(&self.said).to_string()});
        if self.key.as_deref() != Some("none") {
            let arn = match self.key.as_deref() {
                Some(arn) if arn.starts_with("arn:") => arn.to_string(),
                id => key_arn(id.unwrap_or(KEY)),
            };
            said["key"] = arn.clone().into();
            if let Some(metadata) = answer.get_mut("KeyMetadata") {
                metadata["Arn"] = arn.into();
            }
        }
        said["answer"] = answer;
        said
    }
}

/// The records of some steps, as CloudTrail writes them.
pub(crate) fn records(steps: &[Step]) -> Vec<Value> {
    let mut records = Vec::new();
    for step in steps {
        for time in step.times() {
            let value = step.record(time, records.len() as u64).value();
            records.extend(std::iter::repeat_n(value, step.delivered.unwrap_or(1)));
        }
    }
    records
}

impl Step {
    fn times(&self) -> Vec<Time> {
        let start = time(&self.at);
        assert_eq!(self.times.is_some(), self.every.is_some(), "`every` and `times` go together: {self:?}");
        let pause = self.every.as_deref().map_or(0, seconds);
        let (count, over) = (self.count.unwrap_or(1), self.over.as_deref().map_or(300, seconds));
        let each = |n: i64| (0..count).map(move |call| start + n * pause + call * over / count);
        (0..self.times.unwrap_or(1)).flat_map(each).collect()
    }

    fn record(&self, time: Time, number: u64) -> Record {
        let arn = match self.key.as_deref() {
            Some(arn) if arn.starts_with("arn:") => arn.to_string(),
            id => key_arn(id.unwrap_or(KEY)),
        };
        let mut record = match self.what.split_once(':') {
            // A call through an alias that is gone names no key.
            None if self.key.as_deref() == Some("none") => Record::kms(&self.what),
            None => self.of_kms(&arn, time),
            Some((service, name)) => {
                let record = Record::new(service, name);
                let object = service == "s3" && matches!(name, "GetObject" | "PutObject" | "CopyObject");
                if object { record.data_event() } else { record }
            }
        };
        record = record.at(time).nth(number);
        if let Some(named) = &self.named {
            record = record.key_named(named);
        }
        if let Some(policy) = &self.policy {
            let name = if self.what.contains(':') { "policyDocument" } else { "policy" };
            record = record.param(name, Value::String(policy.to_string()));
        }
        for (name, value) in &self.request {
            record = record.param(name, value.clone());
        }
        if let Some(context) = &self.context {
            let value = |value: &Value| value.as_str().expect("a text").replace('#', &format!("{number:05}"));
            record = record.context(context.iter().map(|(name, text)| (name.clone(), value(text))));
        }
        let who = self.who();
        if let Some(who) = who.clone() {
            record = record.by(who);
        }
        if let Some(via) = &self.via {
            let plain = !via.contains(['.', ' ']);
            record = record.via(&if plain { format!("{via}.amazonaws.com") } else { via.clone() });
        }
        match &self.error {
            Some(code) => self.fail(record, code, &arn, who),
            None => record,
        }
    }

    fn of_kms(&self, arn: &str, time: Time) -> Record {
        let grant =
            || self.grant.as_deref().unwrap_or("0c237476b39f8bc44e45212e08498fbe3151305030726c0590dd8d3e9f3d6a60");
        match self.what.as_str() {
            "CreateKey" if self.store.is_some() => self.create_in_store(arn, time),
            "CreateKey" => kms::create_key(arn, time, self.shape(), "example"),
            "CreateAlias" => kms::create_alias(arn, self.alias()),
            "UpdateAlias" => kms::update_alias(arn, self.alias()),
            "DeleteAlias" => kms::delete_alias(arn, self.alias()),
            name if name.ends_with("CustomKeyStore") => {
                kms::on_store(name, self.store.as_deref().unwrap_or("cks-1234567890abcdef0"))
            }
            "ScheduleKeyDeletion" => kms::schedule_deletion(arn, time, self.days.unwrap_or(30)),
            "EnableKeyRotation" => kms::enable_rotation(arn, self.days),
            "RotateKey" => kms::rotate_key(arn, false),
            "DeleteKey" | "DeleteExpiredKeyMaterial" => {
                let id = arn.rsplit('/').next().unwrap_or(arn);
                Record::kms(&self.what).by(aws_internal()).key(arn).service_event(json!({"keyId": id}))
            }
            "CreateGrant" => self.create_grant(arn, grant()),
            "RevokeGrant" => kms::revoke_grant(arn, grant()),
            "RetireGrant" => kms::retire_grant(arn, grant()),
            "GenerateDataKey" => kms::generate_data_key(arn),
            "ReEncrypt" => kms::re_encrypt(arn, &key_arn(self.to.as_deref().expect("ReEncrypt has a `to`"))),
            "Decrypt"
            | "Encrypt"
            | "Sign"
            | "Verify"
            | "GenerateMac"
            | "VerifyMac"
            | "GenerateDataKeyWithoutPlaintext"
            | "DescribeKey"
            | "GetPublicKey" => Record::kms(&self.what).key(arn),
            _ => kms::on_key(&self.what, arn),
        }
    }

    fn alias(&self) -> &str {
        self.alias.as_deref().expect("an operation on an alias has an `alias`")
    }

    /// A key in a custom key store.
    fn create_in_store(&self, arn: &str, time: Time) -> Record {
        let record = kms::create_key(arn, time, self.shape(), "example");
        let mut value = record.clone().value();
        value["responseElements"]["keyMetadata"]["customKeyStoreId"] = json!(self.store);
        let response = value["responseElements"].take();
        record.response(response)
    }

    fn create_grant(&self, arn: &str, id: &str) -> Record {
        let mut record = Record::kms("CreateGrant").key(arn);
        let texts = [("granteePrincipal", &self.grantee), ("retiringPrincipal", &self.retiring)];
        for (name, text) in texts {
            if let Some(text) = text {
                record = record.param(name, text.as_str());
            }
        }
        if let Some(operations) = &self.operations {
            record = record.param("operations", json!(operations));
        }
        if let Some(constraints) = &self.constraints {
            record = record.param("constraints", constraints.clone());
        }
        record.response(json!({"grantId": id, "keyId": arn}))
    }

    fn shape(&self) -> KeyShape {
        match self.kind.as_deref() {
            None | Some("symmetric") => kms::SYMMETRIC,
            Some("rsa") => kms::RSA_SIGN,
            Some("hmac") => kms::HMAC,
            Some("imported") => kms::IMPORTED,
            Some("cloudhsm") => KeyShape { origin: "AWS_CLOUDHSM", ..kms::SYMMETRIC },
            Some(other) => panic!("`{other}` is no kind of key"),
        }
    }

    fn who(&self) -> Option<Who> {
        let by = self.by.as_deref()?;
        let (name, account) = by.split_once('@').map_or((by, None), |(name, account)| (name, Some(account)));
        let mut who = match name.split_once('/') {
            Some(("role", name)) => {
                let (name, session) = name.split_once('/').unwrap_or((name, "session"));
                role(name, session)
            }
            Some(("user", name)) => user(name),
            Some(("service", host)) => service(host),
            Some(("instance", id)) => ec2_attach(id),
            Some(("account", id)) => outsider(id),
            None if name == "root" => root(),
            None if name == "kms" => aws_internal(),
            _ => panic!("`{by}` is nobody"),
        };
        if let Some(account) = account {
            who = who.of_account(account);
        }
        if let Some(ip) = &self.from {
            who = who.from_ip(ip);
        }
        Some(who)
    }

    /// The message that KMS writes, unless the step has its own.
    fn fail(&self, record: Record, code: &str, arn: &str, who: Option<Who>) -> Record {
        let caller = who.unwrap_or_else(|| role("app", "session")).arn(ACCOUNT);
        let service = self.what.split_once(':').map_or("kms", |(service, _)| service);
        let action = self.what.rsplit(':').next().unwrap_or_default();
        let usual = match code {
            _ if self.message.is_some() => self.message.clone().unwrap_or_default(),
            "DisabledException" => format!("{arn} is disabled."),
            "KMSInvalidStateException" => format!("{arn} is pending deletion."),
            "NotFoundException" => format!("Key '{arn}' does not exist"),
            "DryRunOperationException" => "The request would have succeeded, but the DryRun option is set.".into(),
            "AccessDenied" | "AccessDeniedException" => format!(
                "User: {caller} is not authorized to perform: {service}:{action} on resource: {arn} because no \
                 identity-based policy allows the {service}:{action} action"
            ),
            "UnsupportedOperationException" => {
                format!("{arn} origin is EXTERNAL which is not valid for this operation.")
            }
            "ThrottlingException" => {
                "You have exceeded the rate at which you may call KMS. Reduce the frequency of your \
                                      calls."
                    .into()
            }
            _ => String::new(),
        };
        record.fails(code, &usual)
    }
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap_or_else(|| panic!("`{text}` is no time"))
}

fn seconds(text: &str) -> i64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => panic!("`{text}` is no length of time such as 30s, 5m, 4h, 1d"),
    };
    number.parse::<i64>().unwrap_or_else(|_| panic!("`{text}` is no length of time")) * unit
}
