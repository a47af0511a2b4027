//! Detection Finding (class 2004) of OCSF 1.3.0, as far as keytrail writes it. Names and meanings are those of OCSF; every time
//! is in milliseconds since the epoch.

use std::collections::BTreeMap;

use serde::Serialize;

/// The event.
#[derive(Serialize)]
pub(in crate::report) struct Event<'r> {
    pub(in crate::report) activity_id: u32,
    pub(in crate::report) activity_name: &'static str,
    pub(in crate::report) category_uid: u32,
    pub(in crate::report) category_name: &'static str,
    pub(in crate::report) class_uid: u32,
    pub(in crate::report) class_name: &'static str,
    pub(in crate::report) type_uid: u32,
    pub(in crate::report) type_name: String,
    pub(in crate::report) time: i64,
    pub(in crate::report) start_time: i64,
    pub(in crate::report) end_time: i64,
    pub(in crate::report) count: u64,
    pub(in crate::report) severity_id: u32,
    pub(in crate::report) severity: &'static str,
    pub(in crate::report) confidence_id: u32,
    pub(in crate::report) confidence: &'static str,
    pub(in crate::report) status_id: u32,
    pub(in crate::report) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) status_detail: Option<String>,
    pub(in crate::report) message: String,
    pub(in crate::report) metadata: Metadata<'r>,
    pub(in crate::report) cloud: Cloud<'r>,
    pub(in crate::report) finding_info: Info<'r>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) evidences: Vec<Evidence<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) resources: Vec<Resource<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) observables: Vec<Observable<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) remediation: Option<Remediation>,
    pub(in crate::report) unmapped: Unmapped<'r>,
}

#[derive(Serialize)]
pub(in crate::report) struct Metadata<'r> {
    pub(in crate::report) version: &'static str,
    pub(in crate::report) profiles: [&'static str; 1],
    pub(in crate::report) product: Product,
    pub(in crate::report) uid: &'r str,
    pub(in crate::report) correlation_uid: &'r str,
    pub(in crate::report) event_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) processed_time: Option<i64>,
}

#[derive(Serialize)]
pub(in crate::report) struct Product {
    pub(in crate::report) name: &'static str,
    pub(in crate::report) vendor_name: &'static str,
    pub(in crate::report) version: &'static str,
}

#[derive(Serialize)]
pub(in crate::report) struct Cloud<'r> {
    pub(in crate::report) provider: &'static str,
    pub(in crate::report) region: &'r str,
    pub(in crate::report) account: Account<'r>,
}

#[derive(Serialize)]
pub(in crate::report) struct Account<'r> {
    pub(in crate::report) uid: &'r str,
    pub(in crate::report) type_id: u32,
    pub(in crate::report) r#type: &'static str,
}

#[derive(Serialize)]
pub(in crate::report) struct Info<'r> {
    pub(in crate::report) uid: &'r str,
    pub(in crate::report) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) desc: Option<String>,
    pub(in crate::report) types: [&'static str; 1],
    pub(in crate::report) analytic: Analytic,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) attacks: Vec<Attack>,
    pub(in crate::report) first_seen_time: i64,
    pub(in crate::report) last_seen_time: i64,
    pub(in crate::report) data_sources: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) related_events: Vec<Related<'r>>,
}

/// The rule.
#[derive(Serialize)]
pub(in crate::report) struct Analytic {
    pub(in crate::report) type_id: u32,
    pub(in crate::report) r#type: &'static str,
    pub(in crate::report) uid: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) desc: Option<&'static str>,
    pub(in crate::report) version: &'static str,
}

#[derive(Serialize)]
pub(in crate::report) struct Attack {
    pub(in crate::report) technique: Technique,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) sub_technique: Option<Technique>,
}

#[derive(Serialize)]
pub(in crate::report) struct Technique {
    pub(in crate::report) uid: &'static str,
}

/// A CloudTrail record, by its `eventID`.
#[derive(Serialize)]
pub(in crate::report) struct Related<'r> {
    pub(in crate::report) uid: &'r str,
    pub(in crate::report) r#type: &'static str,
}

/// Who acted, or a record.
#[derive(Default, Serialize)]
pub(in crate::report) struct Evidence<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) actor: Option<Actor<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) api: Option<Api<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) data: Option<super::Evidence<'r>>,
}

#[derive(Serialize)]
pub(in crate::report) struct Actor<'r> {
    pub(in crate::report) user: User<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) invoked_by: Option<&'r str>,
}

#[derive(Serialize)]
pub(in crate::report) struct User<'r> {
    pub(in crate::report) uid: &'r str,
    pub(in crate::report) type_id: u32,
    pub(in crate::report) r#type: &'r str,
}

#[derive(Serialize)]
pub(in crate::report) struct Api<'r> {
    pub(in crate::report) operation: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) response: Option<Response<'r>>,
}

#[derive(Serialize)]
pub(in crate::report) struct Response<'r> {
    pub(in crate::report) error: &'r str,
}

#[derive(Serialize)]
pub(in crate::report) struct Resource<'r> {
    pub(in crate::report) uid: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) name: Option<&'r str>,
    pub(in crate::report) r#type: &'static str,
    pub(in crate::report) region: &'r str,
    pub(in crate::report) cloud_partition: &'r str,
    pub(in crate::report) owner: Owner<'r>,
}

#[derive(Serialize)]
pub(in crate::report) struct Owner<'r> {
    pub(in crate::report) account: Account<'r>,
}

#[derive(Serialize)]
pub(in crate::report) struct Observable<'r> {
    pub(in crate::report) name: &'static str,
    pub(in crate::report) type_id: u32,
    pub(in crate::report) r#type: &'static str,
    pub(in crate::report) value: &'r str,
}

#[derive(Serialize)]
pub(in crate::report) struct Remediation {
    pub(in crate::report) desc: String,
}

/// What the class has no member for, under the names of `keytrail.scan/1`.
#[derive(Serialize)]
pub(in crate::report) struct Unmapped<'r> {
    pub(in crate::report) facts: Vec<super::Fact<'r>>,
    pub(in crate::report) details: BTreeMap<&'static str, serde_json::Value>,
    pub(in crate::report) controls: &'r [&'static str],
    pub(in crate::report) supersedes: Vec<&'r str>,
    pub(in crate::report) settings: &'r str,
}
