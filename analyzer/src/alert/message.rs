//! What is said: about one incident, or about many.

use serde_json::{Value, json};

use super::incident::Incident;
use super::record::{self, Records};
use super::render::{self, Block, Document};
use super::subject;
use crate::config::Accounts;
use crate::finding::{Finding, Severity, Status, fingerprint};
use crate::report::{self, human};
use crate::rules;

/// Version of the JSON of a message.
pub(super) const SCHEMA: &str = "keytrail.alert/1";

/// What has changed about an incident since a sink was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It is over, or the configuration accepts it now.
    Resolved,
    /// It was none after all: later data overturned it.
    Withdrawn,
    /// It was not told yet.
    New,
    /// It is more severe, has more victims or another finding, or is open again.
    Worse,
}

impl Change {
    /// Name in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worse => "worse",
            Self::Resolved => "resolved",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Why many incidents are in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundle {
    /// The first evaluation: everything that is there already.
    Summary,
    /// What can wait, at its time.
    Digest,
    /// More than a sink takes one by one.
    Overflow,
}

impl Bundle {
    /// Name in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Digest => "digest",
            Self::Overflow => "overflow",
        }
    }
}

/// A message, ready for every kind of sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// 32 hex digits: whoever gets it twice can tell by this.
    pub dedup: String,
    /// `dedup` of the first message about the same incident, when this is a later one.
    pub thread: Option<String>,
    /// The incident, when it is about one.
    pub incident: Option<String>,
    /// new, worse, resolved, withdrawn, summary, digest, overflow or test.
    pub kind: &'static str,
    /// Incidents that it is about.
    pub incidents: u64,
    /// The worst that it speaks of.
    pub severity: Severity,
    /// Account that it is about; empty when about several.
    pub account: String,
    /// One line; nothing in it acts.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML document for e-mail.
    pub html: String,
    /// Text in Slack's markup.
    pub slack: String,
    /// JSON document, `keytrail.alert/1`.
    pub json: String,
    /// For sinks that keep a record of each finding; empty for others.
    pub records: Records,
}

/// An incident that is gone from the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its id.
    pub incident: String,
    /// Severity that was told last.
    pub severity: Severity,
    /// Subject that was told last, without its mark.
    pub subject: String,
}

/// What a message is about: an incident as it is, or one that is gone.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'i> {
    /// It is in the report.
    There(&'i Incident),
    /// It is not any more.
    Gone(&'i Gone),
}

impl Subject<'_> {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::There(incident) => &incident.id,
            Self::Gone(gone) => &gone.incident,
        }
    }

    /// How bad it is, or was.
    pub fn severity(&self) -> Severity {
        match self {
            Self::There(incident) => incident.tale.severity,
            Self::Gone(gone) => gone.severity,
        }
    }

    /// What and where, in one line.
    pub fn line(&self, accounts: &Accounts) -> String {
        match self {
            Self::There(incident) => incident.lead().map_or_else(String::new, |lead| {
                subject::line(&format!("{}: {}", subject::place(lead, accounts), subject::phrase(lead)))
            }),
            Self::Gone(gone) => gone.subject.clone(),
        }
    }

    fn account(&self) -> String {
        match self {
            Self::There(incident) => incident.lead().map(|lead| lead.account.clone()).unwrap_or_default(),
            Self::Gone(_) => String::new(),
        }
    }
}

/// Id of the n-th message about an incident.
pub(super) fn dedup(incident: &str, generation: u64) -> String {
    fingerprint(&["alert", incident, &generation.to_string()]).as_str().to_owned()
}

impl Alert {
    /// A message about one incident.
    pub fn about(
        about: Subject<'_>,
        change: Change,
        dedup: String,
        thread: Option<String>,
        accounts: &Accounts,
    ) -> Self {
        let (line, severity) = (about.line(accounts), about.severity());
        let accepted = matches!(about, Subject::There(incident) if incident.tale.accepted);
        let over = matches!(about, Subject::There(incident) if !incident.tale.open);
        let (mark, state) = match change {
            Change::New | Change::Worse if over => ("over", "new, and over already"),
            Change::New => ("", "new"),
            Change::Worse => ("worse", "worse than told before"),
            Change::Resolved if accepted => ("accepted", "accepted by the configuration"),
            Change::Resolved => ("resolved", "over"),
            Change::Withdrawn => ("withdrawn", "withdrawn: later events show that it was none"),
        };
        let mut document = Document {
            severity,
            kicker: format!("{}, {state}", severity.id().to_uppercase()),
            headline: line.clone(),
            blocks: Vec::new(),
            footer: vec![format!("incident {}, message {dedup}", about.id())],
        };
        let mut findings = Vec::new();
        if let Subject::There(incident) = about {
            describe(&mut document, incident, change, accounts);
            findings = incident.findings.iter().map(report::json::finding).collect();
        }
        let subject = subject::subject(severity, mark, &line);
        let json = json!({
            "schema": SCHEMA,
            "kind": change.id(),
            "dedup": dedup,
            "incident": about.id(),
            "severity": severity.id(),
            "subject": subject,
            "account_name": accounts.name(&about.account()),
            "findings": findings,
        });
        Self {
            thread: thread.filter(|first| *first != dedup),
            incident: Some(about.id().to_owned()),
            kind: change.id(),
            account: about.account(),
            ..Self::new(subject, &document, json, dedup)
        }
    }

    pub(super) fn new(subject: String, document: &Document, json: Value, dedup: String) -> Self {
        Self {
            dedup,
            thread: None,
            incident: None,
            kind: "",
            incidents: 1,
            severity: document.severity,
            account: String::new(),
            subject,
            text: render::text(document),
            html: render::html(document),
            slack: render::slack(document),
            json: report::escape::json_document(json.to_string()),
            records: Records::default(),
        }
    }

    /// What `keytrail alert --test` sends.
    pub fn test(sink: &str, now: i64) -> Self {
        let document = Document {
            severity: Severity::Info,
            kicker: "TEST".into(),
            headline: "This is a test: nothing is wrong".into(),
            blocks: vec![Block::Text(format!(
                "Somebody ran `keytrail alert --test`. Alerts for the sink {sink} arrive here and look like this."
            ))],
            footer: vec![format!("sent {} UTC", human::time(now))],
        };
        let subject = format!("[TEST] keytrail: alerts for the sink {sink} arrive here");
        let dedup = fingerprint(&["test", sink, &now.to_string()]).as_str().to_owned();
        let json = json!({
            "schema": SCHEMA, "kind": "test", "dedup": dedup, "incident": null, "severity": "info", "subject": subject,
            "account_name": null, "findings": [],
        });
        let records = vec![record::of_test(sink, &document.headline, now)];
        let records = Records { settings_digest: String::new(), judged: now, records };
        Self { kind: "test", incidents: 0, records, ..Self::new(subject, &document, json, dedup) }
    }
}

/// Findings of an incident that are told in full; of the others the title.
const FULL: usize = 3;

fn describe(document: &mut Document, incident: &Incident, change: Change, accounts: &Accounts) {
    let blocks = &mut document.blocks;
    for (at, finding) in incident.findings.iter().take(FULL).enumerate() {
        if at > 0 {
            blocks.push(Block::Heading("Also".into()));
        }
        blocks.push(Block::Text(finding.title.clone()));
        // Undo first: whoever reads this on a phone at night looks for it.
        if finding.status == Status::Open && change != Change::Withdrawn {
            push_remediation(blocks, &finding.remediation);
        }
        blocks.push(Block::Fields(fields(finding, accounts)));
    }
    let more: Vec<(Severity, String)> =
        incident.findings.iter().skip(FULL).map(|finding| (finding.severity, finding.title.clone())).collect();
    if !more.is_empty() {
        blocks.push(Block::Heading("Also".into()));
        let (all, shown) = (more.len(), more.into_iter().take(20).collect::<Vec<_>>());
        let rest = all - shown.len();
        blocks.push(Block::Items(shown));
        if rest > 0 {
            blocks.push(Block::Text(format!("and {rest} more")));
        }
    }
    for rule in incident.tale.rules.iter().filter(|rule| rules::find(rule).is_some()) {
        document.footer.push(format!("`keytrail rules {rule}` explains the rule"));
    }
}

/// Commands apart from the sentences around them.
fn push_remediation(blocks: &mut Vec<Block>, remediation: &str) {
    for line in remediation.lines().filter(|line| !line.trim().is_empty()) {
        let is_command = line.starts_with("aws ") || line.starts_with("keytrail ");
        match (is_command, blocks.last_mut()) {
            (true, Some(Block::Code(code))) => *code = format!("{code}\n{line}"),
            (true, _) => blocks.push(Block::Code(line.to_owned())),
            (false, _) => blocks.push(Block::Text(line.to_owned())),
        }
    }
}

/// Evidence that is named.
const NAMED: usize = 3;

fn fields(finding: &Finding, accounts: &Accounts) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut field = |label: &str, value: String| fields.push((label.to_owned(), value));
    field("severity", format!("{}, confidence {}", finding.severity.id(), finding.confidence.id()));
    field(
        "status",
        match &finding.status {
            Status::Suppressed { reason, .. } => format!("accepted: {reason}"),
            other => other.id().to_owned(),
        },
    );
    if let Some(key) = &finding.key {
        field("key", key.alias.as_ref().map_or_else(|| key.arn.clone(), |alias| format!("{alias}, {}", key.arn)));
    }
    let name = accounts.name(&finding.account);
    let account = name.map_or_else(|| finding.account.clone(), |name| format!("{name} ({})", finding.account));
    field("where", format!("{account}, {}", finding.region));
    if let Some(principal) = &finding.principal {
        field("who", format!("{} ({})", principal.arn, principal.kind));
    }
    let (first, last) = (human::time(finding.first_seen), human::time(finding.last_seen));
    field(
        "when",
        if first == last {
            format!("{first} UTC")
        } else {
            format!("{first} to {last} UTC, {}", human::count(finding.count, "event"))
        },
    );
    for fact in &finding.facts {
        field(fact.label, fact.value.clone());
    }
    for evidence in finding.evidence.iter().take(NAMED) {
        let error = evidence.error_code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        let what = format!("{} UTC {}{error}", human::time(evidence.time), evidence.event_name);
        field("evidence", format!("{what} ({}), event {}", evidence.role.id(), evidence.event_id));
    }
    field("finding", format!("{}, rule {}", finding.id, finding.rule));
    fields
}
