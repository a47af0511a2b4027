//! `--format text`: for a tired engineer. Worst first; what it is, since when, who, what to do, and the records that show
//! it. Then what was looked at, what was not, and the command to look further.

pub(crate) mod command;
pub(crate) mod coverage;
pub(in crate::report) mod finding;
mod inventory;
mod markup;
pub(crate) mod page;

use std::collections::BTreeMap;

use super::{Report, human};
use crate::finding::{Finding, Severity, Status};
use page::{Page, Tone, utc};

/// How wide, and whether in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns. Only words that cannot be broken go beyond.
    pub width: usize,
    /// Colours and bold, as ANSI escapes.
    pub colour: bool,
}

/// Findings of one rule and severity that are shown in full; the others take two lines each.
const IN_FULL: usize = 5;
/// Findings of one rule and severity that are shown at all; the others are counted.
const SHOWN: usize = 25;

/// The report.
pub fn render(report: &Report, look: Look) -> String {
    let mut page = Page::new(look);
    summary(&mut page, report);

    let [open, closed, suppressed] = by_status(&report.findings);
    let mut incidents: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in &report.findings {
        *incidents.entry(finding.incident.as_str()).or_default() += 1;
    }
    let mut budget = Budget::default();
    for finding in open {
        let room = budget.take(finding);
        if room != Room::None {
            page.blank();
        }
        match room {
            // Nothing to do about it, so nothing about what to do.
            Room::Full if finding.severity == Severity::Info => finding::short(&mut page, finding, true),
            Room::Full => {
                let related = incidents.get(finding.incident.as_str()).copied().unwrap_or(1);
                finding::full(&mut page, finding, related);
            }
            Room::Short => finding::short(&mut page, finding, false),
            Room::None => {}
        }
    }
    list(&mut page, "Closed", &closed, &mut budget);
    list(&mut page, "Suppressed", &suppressed, &mut budget);
    budget.tell(&mut page);

    coverage::print(&mut page, report, "scan");
    page.finish()
}

/// What was looked at and what was not, as the text report ends: for formats that have no place for it. `further` as
/// of `coverage::print`.
pub fn render_coverage(report: &Report, look: Look, further: &str) -> String {
    let mut page = Page::new(look);
    coverage::print(&mut page, report, further);
    page.finish()
}

fn summary(page: &mut Page, report: &Report) {
    let [open, closed, suppressed] = by_status(&report.findings);
    if open.is_empty() {
        let more = [(closed.len(), "closed"), (suppressed.len(), "suppressed")];
        let more: Vec<String> = more
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{} {what}", human::number(*n as u64)))
            .collect();
        let text = if more.is_empty() {
            "No findings.".to_string()
        } else {
            format!("No open findings; {}.", more.join(", "))
        };
        page.prose(0, if report.coverage.is_complete() { Tone::Good } else { Tone::Strong }, &text);
        coverage::judged(page, report);
    } else {
        let levels = Severity::ALL.iter().rev().filter_map(|level| {
            let n = open.iter().filter(|finding| finding.severity == *level).count();
            (n > 0).then(|| format!("{} {}", human::number(n as u64), level.id()))
        });
        let mut text =
            format!("{} ({})", human::count(open.len() as u64, "open finding"), levels.collect::<Vec<_>>().join(", "));
        for (n, what) in [(closed.len(), "closed"), (suppressed.len(), "suppressed")] {
            if n > 0 {
                text.push_str(&format!(", {} {what}", human::number(n as u64)));
            }
        }
        page.prose(0, Tone::Strong, &text);
    }
    let run = &report.run;
    let mut about = Vec::new();
    about.extend(run.as_of.map(|as_of| format!("as of {}", utc(as_of))));
    about.extend(run.from.map(|from| format!("from {}", utc(from))));
    about.extend(run.to.map(|to| format!("to {}", utc(to))));
    about.push(format!("keytrail {}", run.version));
    page.prose(0, Tone::Faint, &about.join(", "));
}

/// A section of findings that are over or accepted.
fn list(page: &mut Page, heading: &str, findings: &[&Finding], budget: &mut Budget) {
    if findings.is_empty() {
        return;
    }
    page.heading(&format!("{heading} ({})", human::number(findings.len() as u64)));
    for (i, finding) in findings.iter().enumerate() {
        let room = budget.take(finding);
        if room == Room::None {
            continue;
        }
        if i > 0 {
            page.blank();
        }
        // What a grave incident broke stays worth knowing when it is over.
        let story = finding.status == Status::Closed && finding.severity >= Severity::High;
        finding::short(page, finding, story && room == Room::Full);
    }
}

fn by_status(findings: &[Finding]) -> [Vec<&Finding>; 3] {
    let with = |wanted: fn(&Status) -> bool| findings.iter().filter(|finding| wanted(&finding.status)).collect();
    [
        with(|status| *status == Status::Open),
        with(|status| *status == Status::Closed),
        with(|status| matches!(status, Status::Suppressed { .. })),
    ]
}

/// Keeps one noisy rule from burying the others: per rule, severity and status, the first in full, some more in short, the rest
/// counted.
#[derive(Default)]
struct Budget {
    used: BTreeMap<(&'static str, &'static str, Severity), usize>,
}

#[derive(PartialEq, Eq)]
enum Room {
    Full,
    Short,
    None,
}

impl Budget {
    fn take(&mut self, finding: &Finding) -> Room {
        let used = self.used.entry((finding.rule, finding.status.id(), finding.severity)).or_default();
        *used += 1;
        match *used {
            n if n <= IN_FULL => Room::Full,
            n if n <= SHOWN => Room::Short,
            _ => Room::None,
        }
    }

    /// Says what was left out, so that nothing goes missing in silence.
    fn tell(&self, page: &mut Page) {
        for ((rule, status, severity), used) in &self.used {
            if let Some(left @ 1..) = used.checked_sub(SHOWN) {
                page.blank();
                let text = format!(
                    "{} more {status} {} of {rule}: --rule {rule} --format json lists them all",
                    human::number(left as u64),
                    severity.id()
                );
                page.prose(0, Tone::Caution, &text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::report::sample;

    const PIPE: Look = Look { width: 80, colour: false };

    #[test]
    fn shows_what_an_engineer_needs() {
        insta::assert_snapshot!(render(&sample::report(), PIPE), @r"
        1 open finding (1 critical), 1 closed, 1 suppressed
        as of 2026-03-02 14:14:07 UTC, keytrail 0.1.0

        CRITICAL    alias/payments is scheduled for deletion on 2026-03-08 and was used
                    1,203 times since
          key       alias/payments, key/1234abcd-12ab-34cd-56ef-1234567890ab
          where     111122223333 eu-central-1
          when      since 2026-03-01 09:14:07 UTC, last 2026-03-02 13:58:07 UTC
                    (1 d 4 h), 1,204 events
          who       arn:aws:iam::111122223333:role/deploy (AssumedRole), through
                    cloudformation.amazonaws.com
          facts     pending window: 7 days
                    deleted on: 2026-03-08 09:14:07 UTC
          evidence  2026-03-01 09:14:07 ScheduleKeyDeletion (cause)
                    event 8f3c1d2e-0a1b-4c2d-8e3f-5a6b7c8d9e0f
                    111122223333_CloudTrail_eu-central-1_20260301T0915Z_aBcDeFgHiJkLmNoP.json.gz:3
                    2026-03-01 09:14:07 Decrypt KMSInvalidStateException
                    event 0d9c
                    111122223333_CloudTrail_eu-central-1_20260301T0915Z_aBcDeFgHiJkLmNoP.json.gz:0
                    and 2 more records in --format json
          what to do
            Cancel the deletion while it is pending, then find out who asked for it:

              aws kms cancel-key-deletion --region eu-central-1 --key-id \
                  arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
              aws kms enable-key --region eu-central-1 \
                  --key-id 1234abcd-12ab-34cd-56ef-1234567890ab

            - ask the owner of role/deploy; a pipeline that deletes keys needs a review
              of its template
          finding   851d2d5ac9bcea3861cf17677bda49f7, rule key-deletion-scheduled,
                    confidence high

        Closed (1)
        HIGH        calls failed because alias/payments was disabled
                    alias/payments, key/1234abcd-12ab-34cd-56ef-1234567890ab;
                    111122223333 eu-central-1; 2026-02-28 07:14:07 to
                    2026-02-28 09:19:07 UTC (2 h 5 min), 12 events;
                    finding 99fef23e64ccd9dd7d8723139b97cc6a

        Suppressed (1)
        MEDIUM      a grant lets another account decrypt without constraints
                    444455556666 us-east-1; 2026-03-01 09:14:07 UTC; accepted until
                    2026-09-30: partner integration, ticket SEC-481;
                    finding e294bb9996adc2500885196a404ee8a2

        Looked at
          objects   116 of 120 objects read, 3 left out by path (12.3 MiB, 200.3 MiB
                    inflated)
          records   45,120 seen: 12,002 of KMS, 33 of other services about keys; 210
                    duplicates left out
          KMS       Decrypt 10,000, GenerateDataKey 1,200, DescribeKey 700, Encrypt 70,
                    CreateGrant 30, 2 other operations 2
          span      2026-02-28 07:14:07 to 2026-03-02 14:14:07 UTC (2 d 7 h)
          accounts  111122223333, 444455556666
          Regions   eu-central-1, us-east-1
          rules     3 ran

        Not looked at
          skipped   1 truncated-gzip: the gzip stream ends early
                    s3://trail-bucket/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/broken.json.gz
                    1 too-large: the object inflates beyond the cap (--max-inflated)
                    s3://trail-bucket/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/huge.json.gz
          left out  2 digest: a CloudTrail digest file: evidence of integrity, no events
          rejected  1 missing-event-time: the record has no eventTime
                    s3://trail-bucket/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/odd.json.gz:9
                    6 bad-event-time: eventTime is not a time between 2000 and 2100
                    s3://trail-bucket/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/odd.json.gz:4
                    and 5 more
          notes     2 objects: bytes follow the gzip stream; the log integrity check
                      calls such a file invalid
          gaps      14 hours without an event about keys or the start of a file, beside
                    96 with one. CloudTrail writes nothing in a quiet hour, so this is
                    unproved: neither idle nor lost
                    longest: 444455556666 us-east-1, 2026-03-01 00:00 to
                      2026-03-01 14:00 UTC (14 h)
          blind     444455556666 us-east-1: trail org-trail stopped from
                      2026-03-01 09:14:07 UTC and nothing in the log ends it, by
                      arn:aws:iam::444455556666:user/mallory
          rules     cost-hotspot did not run: no price list in the configuration

        Notices
          - suppression 2 matched nothing: over-broad-grant on alias/old

        To look further
          keytrail scan s3://trail-bucket/AWSLogs/ --format json
          keytrail rules key-deletion-scheduled
        ");
    }

    #[test]
    fn says_what_no_findings_rests_on() {
        insta::assert_snapshot!(render(&sample::empty(), PIPE), @"
        No findings.
        3 rules judged 12 KMS events of 1 account and 1 Region.
        as of 2026-03-02 14:14:07 UTC, keytrail 0.1.0

        Looked at
          objects   2 of 2 objects read (2.0 KiB, 40.0 KiB inflated)
          records   40 seen: 12 of KMS, 0 of other services about keys
          KMS       Decrypt 12
          span      2026-03-01 09:14:07 to 2026-03-01 11:14:07 UTC (2 h)
          accounts  111122223333
          Regions   eu-central-1
          rules     3 ran

        Not looked at
          nothing: every object was read, every record understood, and no hour between
          is without a log

        To look further
          keytrail scan s3://trail-bucket/AWSLogs/ --format json
        ");
    }

    #[test]
    fn no_findings_among_no_events_is_no_good_news() {
        let mut report = sample::empty();
        report.coverage.records.kms = 0;
        let text = render(&report, PIPE).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("nothing to judge: no KMS events of what was asked for among 40 records"), "{text}");
        // A wrong filter is the likeliest reason, and is named first.
        assert!(text.contains("try: check --account and --region where given"), "{text}");
    }

    #[test]
    fn fits_its_width() {
        for width in [60, 80, 120] {
            for report in [sample::report(), sample::empty()] {
                for line in render(&report, Look { width, colour: false }).lines() {
                    let one_word = !line.trim().trim_end_matches(" \\").contains(' ');
                    assert!(line.width() <= width || one_word, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn colours_add_nothing_but_colour() {
        let report = sample::report();
        let coloured = render(&report, Look { width: 80, colour: true });
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(console_free(&coloured), render(&report, PIPE));
    }

    #[test]
    fn hostile_text_cannot_act() {
        let text = render(&sample::hostile(), PIPE);
        let acts = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        assert!(!text.contains(acts), "{text:?}");
        assert!(text.lines().all(|line| !line.starts_with("fake:")), "{text}");
    }

    #[test]
    fn a_noisy_rule_is_counted_not_printed() {
        let mut report = sample::report();
        let grant = report.findings.pop();
        report.findings = std::iter::repeat_n(report.findings[0].clone(), 1230).chain(grant).collect();
        let text = render(&report, PIPE);
        assert!(text.contains("1,230 open findings (1,230 critical)"), "{text}");
        assert_eq!(text.matches("what to do").count(), IN_FULL);
        assert_eq!(text.matches("CRITICAL ").count(), SHOWN);
        assert!(text.contains("1,205 more open critical of key-deletion-scheduled"), "{text}");
    }

    /// The text without its ANSI styles.
    fn console_free(text: &str) -> String {
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.split_once('m').map_or("", |(_, after)| after);
        }
        plain + rest
    }
}
