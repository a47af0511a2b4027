//! `keytrail rules`: what the rules are, from the rules themselves.

use serde::Serialize;

use super::args::{RulesArgs, RulesFormat};
use super::exit::ExitReason;
use super::failure::Failure;
use super::settings;
use super::terminal::Terminal;
use crate::config::OptionInfo;
use crate::report::escape;
use crate::report::text::Look;
use crate::report::text::page::{Page, Tone};
use crate::rules::{RULES, Rule, Timing};

pub(super) fn run(args: &RulesArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let one = args.id.as_ref().and_then(|id| crate::rules::find(id));
    let text = match (args.format, one) {
        (RulesFormat::Json, Some(rule)) => json(&[rule]),
        (RulesFormat::Json, None) => json(RULES),
        (RulesFormat::Text, Some(rule)) => page(rule, terminal.look()),
        (RulesFormat::Text, None) => list(RULES, terminal.look()),
    };
    terminal.print(text.as_bytes())?;
    Ok(ExitReason::Complete)
}

/// One rule per line: id, severity of a typical finding, summary.
fn list(rules: &[&Rule], look: Look) -> String {
    let mut page = Page::new(look);
    let widest = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in rules {
        let lead = format!("{:widest$}  {:8}", rule.id, rule.severity.id());
        page.hang(0, Some((Tone::Level(rule.severity), &lead)), widest + 12, Tone::Plain, rule.summary);
    }
    page.blank();
    page.prose(0, Tone::Faint, "`keytrail rules ID` explains one: what it finds, when it stays quiet, how to respond.");
    page.finish()
}

/// The rule's page, its options, and what it speaks to.
fn page(rule: &Rule, look: Look) -> String {
    let mut page = Page::new(look);
    page.prose(0, Tone::Strong, rule.id);
    page.prose(0, Tone::Plain, rule.summary);
    let timing = match rule.timing {
        Timing::Monotone => "alerts at once",
        Timing::Settled => "alerts once late events can no longer overturn it",
    };
    let about = format!("severity {}, confidence {}, {timing}", rule.severity.id(), rule.confidence.id());
    page.prose(0, Tone::Faint, &about);
    page.blank();
    page.markup(0, rule.doc);

    page.heading("Options");
    page.prose(0, Tone::Faint, &format!("in keytrail.toml under [rules.{}]", rule.id));
    for option in settings::options_of(rule.id) {
        let default = option.default().unwrap_or_else(|| "not set".to_string());
        page.hang(2, Some((Tone::Strong, option.key)), 0, Tone::Plain, &format!("= {default}"));
        let range = range(option).map(|range| format!(", {range}"));
        page.prose(6, Tone::Plain, &format!("{} ({}{})", option.doc, option.kind, range.unwrap_or_default()));
    }
    for (heading, ids) in [("ATT&CK", rule.attack), ("Controls", rule.controls)] {
        if !ids.is_empty() {
            page.heading(heading);
            page.prose(2, Tone::Plain, &ids.join(", "));
        }
    }
    page.finish()
}

/// The table writes ranges as Rust does; people read `1 to 8760`.
fn range(option: &OptionInfo) -> Option<String> {
    option.range.map(|range| range.replace('_', "").replace("..=", " to "))
}

fn json(rules: &[&Rule]) -> String {
    let document =
        Document { schema: "keytrail.rules/1", rules: rules.iter().map(|rule| RuleWire::of(rule)).collect() };
    // Strings and lists only, which cannot fail to serialize.
    let mut text = escape::json_document(serde_json::to_string_pretty(&document).unwrap_or_default());
    text.push('\n');
    text
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    rules: Vec<RuleWire<'r>>,
}

/// One rule.
#[derive(Serialize)]
struct RuleWire<'r> {
    id: &'r str,
    summary: &'r str,
    severity: &'static str,
    confidence: &'static str,
    /// `monotone`: its findings can only grow. `settled`: late events may overturn them.
    timing: &'static str,
    attack: &'r [&'static str],
    controls: &'r [&'static str],
    options: Vec<OptionWire>,
    /// Markdown.
    doc: &'r str,
}

/// One option; `default` is TOML, `null` when the option is not set by default.
#[derive(Serialize)]
struct OptionWire {
    key: &'static str,
    kind: &'static str,
    range: Option<String>,
    default: Option<String>,
    doc: &'static str,
}

impl<'r> RuleWire<'r> {
    fn of(rule: &'r Rule) -> Self {
        Self {
            id: rule.id,
            summary: rule.summary,
            severity: rule.severity.id(),
            confidence: rule.confidence.id(),
            timing: rule.timing.id(),
            attack: rule.attack,
            controls: rule.controls,
            options: settings::options_of(rule.id).into_iter().map(OptionWire::of).collect(),
            doc: rule.doc,
        }
    }
}

impl OptionWire {
    fn of(option: &OptionInfo) -> Self {
        Self { key: option.key, kind: option.kind, range: range(option), default: option.default(), doc: option.doc }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Severity};
    use crate::rules::Detect;

    static RULE: Rule = Rule {
        id: "missing-rotation",
        summary: "a key's material is older than the policy allows, or its rotation is off",
        doc: "# Missing rotation\n\n## What it finds\n\nA key whose rotation is off.\n\n```json fires\n{\"eventName\": \"DisableKeyRotation\"}\n```\n\n\
              ## Respond\n\n- turn it on:\n\n  aws kms enable-key-rotation --key-id KEY\n",
        severity: Severity::Medium,
        confidence: Confidence::High,
        timing: Timing::Settled,
        attack: &["T1485"],
        controls: &["PCI DSS 4.0.1 3.7.4"],
        detect: Detect::NONE,
    };
    const PIPE: Look = Look { width: 80, colour: false };

    #[test]
    fn a_page_is_text() {
        insta::assert_snapshot!(page(&RULE, PIPE), @r#"
        missing-rotation
        a key's material is older than the policy allows, or its rotation is off
        severity medium, confidence high, alerts once late events can no longer overturn
        it

        Missing rotation

        What it finds

        A key whose rotation is off.

          {"eventName": "DisableKeyRotation"}

        Respond

        - turn it on:

          aws kms enable-key-rotation --key-id KEY

        Options
        in keytrail.toml under [rules.missing-rotation]
          enabled = true
              whether the rule runs; one that does not is listed in the coverage of the
              run. (true or false)
          severity = not set
              severity of its findings, in place of the rule's own reasoning. (a
              severity)
          cryptoperiod_days = not set
              days after which key material must have been replaced; without it, what
              the log cannot show stays "not determinable". (a whole number, 1 to 36500)
          grace_days = 7
              days that a rotation may be late before it is a finding. (a whole number,
              0 to 365)
          off_after_hours = 24
              hours that automatic rotation may be off before it is a finding. (a whole
              number, 0 to 8760)

        ATT&CK
          T1485

        Controls
          PCI DSS 4.0.1 3.7.4
        "#);
    }

    #[test]
    fn a_list_is_a_table() {
        insta::assert_snapshot!(list(&[&RULE], PIPE), @"
        missing-rotation  medium    a key's material is older than the policy allows, or
                                    its rotation is off

        `keytrail rules ID` explains one: what it finds, when it stays quiet, how to
        respond.
        ");
    }

    #[test]
    fn json_has_options_and_page() {
        let document: serde_json::Value = serde_json::from_str(&json(&[&RULE])).unwrap();
        let rule = &document["rules"][0];
        assert_eq!((&rule["timing"], &rule["doc"]), (&"settled".into(), &RULE.doc.into()));
        assert_eq!(rule["options"][3]["key"], "grace_days");
    }
}
