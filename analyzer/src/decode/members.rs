//! The top-level members that tell what a record is, gathered in one walk.

use simd_json::prelude::{TypedScalarValue, ValueIntoString};
use simd_json::tape::Value;

use super::outcome::{FirstRecord, SkipReason};

/// What a JSON object in a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A management or data event: the records that we read.
    Event,
    /// Known, and not to be read.
    Other(SkipReason),
    /// Nothing of CloudTrail's.
    Foreign,
}

/// `detail-type` of EventBridge events that carry a CloudTrail record.
const BRIDGED: &[&str] = &["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"];

/// Members of one object. When a name stands twice, the last one counts, as in every common JSON parser.
#[derive(Clone, Copy, Default)]
pub(super) struct Members<'tape, 'input> {
    pub(super) event_source: Option<&'input str>,
    pub(super) event_name: Option<&'input str>,
    pub(super) error_code: Option<&'input str>,
    pub(super) error_message: Option<&'input str>,
    pub(super) request_parameters: Option<Value<'tape, 'input>>,
    pub(super) response_elements: Option<Value<'tape, 'input>>,
    /// A whole record as text, in the output of `lookup-events`.
    pub(super) cloud_trail_event: Option<&'input str>,
    /// What an EventBridge event tells, and what kind of thing that is.
    detail: Option<Value<'tape, 'input>>,
    detail_type: Option<&'input str>,
    account: Option<&'input str>,
    region: Option<&'input str>,
    time: Option<&'input str>,
    category: Option<&'input str>,
    event_type: Option<&'input str>,
    /// `Type` of an SNS envelope, `Event` of an S3 test message, `source` of an EventBridge event.
    sns_type: Option<&'input str>,
    s3_test: Option<&'input str>,
    bridge_source: Option<&'input str>,
    has: Has,
}

/// Members of which only the presence matters.
#[derive(Clone, Copy, Default)]
struct Has {
    version: bool,
    s3: bool,
    topic: bool,
    digest: bool,
    insight: bool,
}

impl<'tape, 'input> Members<'tape, 'input> {
    /// `None` when the value is no object.
    pub(super) fn of(value: Value<'tape, 'input>) -> Option<Self> {
        let object = value.as_object()?;
        let mut members = Self::default();
        for (name, value) in object.iter() {
            let text = || value.into_string();
            match name {
                "eventSource" => members.event_source = text(),
                "eventName" => members.event_name = text(),
                "eventTime" => members.time = text(),
                "eventType" => members.event_type = text(),
                "eventCategory" => members.category = text(),
                "eventVersion" => members.has.version = true,
                // A code that is no text is still a failure.
                "errorCode" => members.error_code = (!value.is_null()).then(|| text().unwrap_or_default()),
                "errorMessage" => members.error_message = text(),
                "requestParameters" => members.request_parameters = Some(value),
                "responseElements" => members.response_elements = Some(value),
                "recipientAccountId" => members.account = text(),
                "awsRegion" => members.region = text(),
                "insightDetails" => members.has.insight = true,
                "CloudTrailEvent" => members.cloud_trail_event = text(),
                "digestStartTime" => members.has.digest = true,
                "s3" => members.has.s3 = true,
                "Event" => members.s3_test = text(),
                "Type" => members.sns_type = text(),
                "TopicArn" => members.has.topic = true,
                "source" => members.bridge_source = text(),
                "detail" => members.detail = Some(value),
                "detail-type" => members.detail_type = text(),
                _ => {}
            }
        }
        Some(members)
    }

    /// The record in an EventBridge event that CloudTrail gave rise to, and its members.
    pub(super) fn bridged(&self) -> Option<(Value<'tape, 'input>, Self)> {
        if !self.detail_type.is_some_and(|kind| BRIDGED.contains(&kind)) {
            return None;
        }
        let detail = self.detail?;
        let members = Self::of(detail)?;
        (members.has.version || members.event_source.is_some()).then_some((detail, members))
    }

    /// Tells what the object is by what it holds.
    pub(super) fn kind(&self) -> Kind {
        let has = self.has;
        if has.digest {
            return Kind::Other(SkipReason::Digest);
        }
        let s3 = has.s3 && self.event_source == Some("aws:s3");
        let test = self.s3_test == Some("s3:TestEvent");
        let sns = has.topic
            && matches!(self.sns_type, Some("Notification" | "SubscriptionConfirmation" | "UnsubscribeConfirmation"));
        let bridge = self.detail.is_some() && self.bridge_source == Some("aws.s3");
        if s3 || test || sns || bridge {
            return Kind::Other(SkipReason::Notification);
        }
        match (self.category, self.event_type) {
            (Some("Insight"), _) | (_, Some("AwsCloudTrailInsight")) => Kind::Other(SkipReason::Insight),
            (Some("Aggregated"), _) | (_, Some("AwsAggregatedEvent")) => Kind::Other(SkipReason::Aggregated),
            (Some("NetworkActivity"), _) | (_, Some("AwsVpceEvent" | "AwsVpceEvents")) => {
                Kind::Other(SkipReason::NetworkActivity)
            }
            // What Lambda functions are called with: `aws:kinesis`, `aws:sqs` and so on, never a service's host name.
            _ if self.event_source.is_some_and(|source| source.starts_with("aws:")) => Kind::Foreign,
            _ if has.insight => Kind::Other(SkipReason::Insight),
            _ if has.version || self.event_source.is_some() || self.event_name.is_some() => Kind::Event,
            _ => Kind::Foreign,
        }
    }

    /// Where and when the record was logged.
    pub(super) fn first(&self) -> FirstRecord {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        FirstRecord { account: owned(self.account), region: owned(self.region), time: owned(self.time) }
    }
}
