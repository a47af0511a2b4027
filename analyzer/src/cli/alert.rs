//! `keytrail alert`, and the part of `keytrail scan` that tells people.

use super::args::AlertArgs;
use super::exit::ExitReason;
use super::failure::Failure;
use super::scan::named;
use super::settings;
use super::terminal::Terminal;
use crate::alert::route;
use crate::config::{AlertSink, Channel, Route, SILENCE, Settings, Takes, WebUrl};
use crate::finding::{Finding, Severity, Status};
use crate::lake::Lake;
use crate::pipeline::{self, Notified, Notify, ScanError, ScanOptions};
use crate::report::text::Look;
use crate::report::text::page::{Page, Tone};
use crate::report::{Report, escape, human};
use crate::rules::RULES;

const NO_SINK: &str = "the configuration has no sink for alerts";
const NO_SINK_HINT: &str = "`keytrail config` shows how [[alert.sink]] is written";

pub(super) fn run(args: &AlertArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let (settings, _) = settings::load(args.config.as_deref())?;
    if !args.test {
        let text = routes(&settings, terminal.look());
        terminal.print(text.as_bytes())?;
        return Ok(ExitReason::Complete);
    }
    check(&settings)?;
    let outcomes = try_sinks(args, &settings, terminal)?;
    let failed = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).count();
    let widest = outcomes.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, outcome) in &outcomes {
        let said = match outcome {
            Ok(()) => "took a test message".to_owned(),
            Err(reason) => format!("failed: {}", escape::terminal(reason)),
        };
        terminal.print(format!("{name:widest$}  {said}\n").as_bytes())?;
    }
    if failed > 0 {
        return Err(Failure::could_not_run(format!(
            "{failed} of {} failed",
            human::count(outcomes.len() as u64, "sink")
        )));
    }
    Ok(ExitReason::Complete)
}

/// Why a sink did not take a message.
type Outcome = Result<(), String>;

/// What came of a test message to each sink; kept in the lake, where one is named.
fn try_sinks(
    args: &AlertArgs,
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<Vec<(String, Outcome)>, Failure> {
    let how = Notify::at(now());
    let Some(place) = &args.lake else { return Ok(pipeline::try_sinks(settings, how)) };
    #[cfg(not(feature = "aws"))]
    let super::args::S3Args {} = args.s3;
    let options = ScanOptions {
        #[cfg(feature = "aws")]
        s3: args.s3.options(),
        ..ScanOptions::new(Vec::new(), settings.clone())
    };
    // Who cannot keep the proof sends nothing.
    let lake = pipeline::open_lake(place, &options)?;
    let drill = pipeline::drill(settings, &lake, how).map_err(ScanError::from)?;
    terminal.note(format!("kept in the lake {place}: `keytrail report` shows it"));
    Ok(drill.sinks.into_iter().map(|sink| (sink.sink, sink.failed.map_or(Ok(()), Err))).collect())
}

/// The time now.
#[expect(clippy::disallowed_methods, reason = "people are told now, whatever time the log is of")]
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Fails when there is nobody to tell: before anything is read.
pub(super) fn check(settings: &Settings) -> Result<(), Failure> {
    if settings.alert.sinks.is_empty() {
        return Err(Failure::usage(NO_SINK).hint(NO_SINK_HINT));
    }
    Ok(())
}

/// Adds who does not deliver any more. Only a lake knows what was usual, and only now is it too long.
pub(super) fn miss(report: &mut Report, settings: &Settings, terminal: &mut Terminal<'_>) {
    let deliveries = pipeline::miss(report, settings, now());
    let open: Vec<&Finding> = deliveries.silent.iter().filter(|finding| finding.status == Status::Open).collect();
    if !open.is_empty() {
        let all = open.len() as u64;
        let headline = format!("{} not delivered any more", human::count(all, "log"));
        terminal.note(named(headline, open.iter().map(|finding| finding.title.clone()), all));
    }
}

/// Tells the sinks. `whole` says that the report is about everything that is known.
pub(super) fn tell(
    report: &Report,
    settings: &Settings,
    lake: Option<&Lake>,
    whole: bool,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    // What could not be read may hold what is missing.
    let how = Notify { whole: whole && report.coverage.is_complete(), ..Notify::at(now()) };
    let notified = pipeline::notify(report, settings, lake, how);
    terminal.note(summary(&notified));
    if notified.unrouted > 0 {
        let count = human::count(notified.unrouted, "open incident");
        terminal.note(format!("no sink takes {count}; `keytrail alert` shows the routes"));
    }
    if notified.failed.is_empty() {
        return Ok(());
    }
    let sinks = human::count(settings.alert.sinks.len() as u64, "sink");
    let mut story = format!("{} of {sinks} could not be told everything", notified.failed.len());
    for (sink, reason) in &notified.failed {
        story.push_str(&format!("\n  {sink}: {}", escape::terminal(reason)));
    }
    let failure = Failure::could_not_run(story);
    Err(match lake {
        Some(_) => failure.hint("what they were not told is kept, and the next run tells them"),
        None => failure.hint("`keytrail alert --test` tries the sinks; with --lake, what they were not told is kept"),
    })
}

fn summary(notified: &Notified) -> String {
    let Notified { sent, pending, suppressed, .. } = notified;
    let mut text = format!("alerts: {} sent", human::count(*sent, "message"));
    if *suppressed > 0 {
        text.push_str(&format!(", {} in one for many", human::count(*suppressed, "incident")));
    }
    if *pending > 0 {
        text.push_str(&format!(", {} to be told later", human::number(*pending)));
    }
    text
}

/// Who is told of what.
fn routes(settings: &Settings, look: Look) -> String {
    let mut page = Page::new(look);
    let alerting = &settings.alert;
    page.prose(0, Tone::Strong, "Sinks");
    if alerting.sinks.is_empty() {
        page.prose(2, Tone::Plain, &format!("none: {NO_SINK_HINT}"));
    }
    let widest = alerting.sinks.iter().map(|sink| sink.name.len()).max().unwrap_or(0);
    for sink in &alerting.sinks {
        let lead = format!("{:widest$}", sink.name);
        page.hang(2, Some((Tone::Strong, &lead)), widest + 4, Tone::Plain, &about(sink));
    }
    for (route, takers) in [(Route::Page, "pages"), (Route::Digest, "digests")] {
        let taken = alerting.sinks.iter().any(|sink| match route {
            Route::Page => sink.takes != Takes::Digest,
            _ => sink.takes != Takes::Page,
        });
        if !taken && !alerting.sinks.is_empty() {
            page.prose(2, Tone::Plain, &format!("no sink takes {takers}: what goes there is told to nobody"));
        }
    }
    page.blank();
    page.prose(0, Tone::Strong, "Routes");
    let widest = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in RULES.iter().map(|rule| rule.id).chain([SILENCE]) {
        let lead = format!("{rule:widest$}");
        page.hang(2, Some((Tone::Plain, &lead)), widest + 4, Tone::Plain, &route_of(rule, settings));
    }
    page.blank();
    page.prose(
        0,
        Tone::Faint,
        "What is over when it is first seen goes to the digest. [alert.routes] in keytrail.toml changes routes.",
    );
    page.finish()
}

fn route_of(rule: &str, settings: &Settings) -> String {
    if let Some(route) = settings.alert.routes.get(rule) {
        return format!("{} (by the configuration)", route.id());
    }
    match route::pages_from(rule) {
        None => "digest".into(),
        Some(Severity::Info) => "page".into(),
        Some(Severity::Critical) => "page when critical, else digest".into(),
        Some(least) => format!("page at {} and above, else digest", least.id()),
    }
}

fn about(sink: &AlertSink) -> String {
    let place = match &sink.channel {
        Channel::Email(email) => {
            format!("{} by {}:{} ({})", email.to.join(", "), email.host, email.port, email.tls.id())
        }
        Channel::Sns { topic } => topic.clone(),
        Channel::SecurityHub { account, region } => format!("account {account} in {region}"),
        Channel::EventBridge { bus } => bus.clone(),
        Channel::Webhook { url, .. } | Channel::Slack { url } => match url {
            // Addresses may hold tokens: the host says which one it is.
            WebUrl::Plain(url) => {
                url.split('/').nth(2).and_then(|host| host.rsplit('@').next()).unwrap_or_default().into()
            }
            WebUrl::Secret(reference) => reference.text(),
        },
    };
    let mut text = format!(
        "{} to {place}; {}",
        sink.channel.kind(),
        match sink.takes {
            Takes::All => "pages and digests",
            Takes::Page => "pages",
            Takes::Digest => "digests",
        }
    );
    text.push_str(&format!(", from {} on", sink.min_severity.id()));
    for (what, only) in [("rules", &sink.rules), ("accounts", &sink.accounts)] {
        if !only.is_empty() {
            text.push_str(&format!(", only {what} {}", only.iter().cloned().collect::<Vec<_>>().join(", ")));
        }
    }
    text
}
