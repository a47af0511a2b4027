//! The example file, from the option table.

use std::fmt::Write;

use super::options::{AlertOptions, OptionInfo, RULE_OPTIONS, RuleSettings, Scan, Section};

/// The whole of `keytrail.toml`, with every line commented out: as it stands it changes nothing. Settings begin with `#`
/// and no space, so that uncommenting one is removing one character.
pub fn example_toml() -> String {
    let mut out = String::from(HEAD);
    heading(&mut out, "Options of a run; the command line overrides them.", "scan");
    for info in Scan::INFO {
        setting(&mut out, info);
    }
    out.push_str(ACCOUNTS);
    out.push_str(LOGS);
    out.push_str(KEYS);
    out.push_str(RULES);
    for info in RuleSettings::INFO {
        setting(&mut out, info);
    }
    let mut rule = "";
    for info in RULE_OPTIONS {
        if info.rule != rule {
            rule = info.rule;
            heading(&mut out, &format!("`keytrail rules {rule}` explains the rule."), &format!("rules.{rule}"));
        }
        setting(&mut out, info);
    }
    out.push_str(ALERT);
    for info in AlertOptions::INFO {
        setting(&mut out, info);
    }
    out.push_str(SINKS);
    out.push_str(SUPPRESS);
    out
}

const HEAD: &str = "\
# Settings of keytrail. Everything here is optional, and as it stands this file changes nothing:
# remove the # in front of a line to set it. Values shown are the defaults, unless a line says otherwise.
";

const ACCOUNTS: &str = "
# Whose accounts these are.
#[accounts]
# own and partner accounts: use from these is not foreign. None by default.
#trusted = [\"111122223333\", \"444455556666\"]
# further accounts of the own organization: what goes to them stays inside, and is worth a line but no alarm. None by
# default.
#members = [\"777788889999\"]
# names for people. None by default.
#names = { \"111122223333\" = \"prod-eu\" }
# the own organization. Not set by default.
#organization = \"o-a1b2c3d4e5\"
";

const LOGS: &str = "
# Where the logs stand and who reads them. When a known reader reads log buckets that are encrypted with a KMS key, its
# decrypts are labelled as that, and nobody is alerted; when it reads anything else, they are what they are.
#[logs]
# names of the buckets, as a whole. None by default.
#buckets = [\"my-trail-bucket\"]
# roles (or a session of one) and users; those of another account also as findings name them, account:ID/AROA... None
# by default.
#readers = [\"arn:aws:iam::111122223333:role/keytrail\"]
";

const KEYS: &str = "
# What is meant to be with keys.
#[keys]
# Regions that keys may be copied to; everywhere by default.
#regions = [\"eu-west-1\", \"eu-central-1\"]
# keys that are switched off on trial before their deletion, by ARN, id or alias, * stands for anything: what still asks for
# them is told as a dependency that is alive, not as an outage. None by default.
#soak = [\"alias/old-ledger\"]
# a tag with this key says the same of the key that has it. Not set by default.
#soak_tag = \"keytrail:soak\"
";

const RULES: &str = "
# Every rule has the first two settings below; `keytrail rules` lists the rules. For example:
#[rules.root-uses-key]
";

const ALERT: &str = "
# Who is told: `keytrail scan --alert`. `keytrail alert` shows the routes, `keytrail alert --test` tries the sinks.
#[alert]
";

const SINKS: &str = "
# Urgency per rule: \"page\" at once, \"digest\" with others, \"off\" not at all; in place of the shipped one.
#[alert.routes]
#over-broad-grant = \"digest\"

# Where alerts go; as many as you like. Secrets are named, never written here: \"env:NAME\" for a variable of the
# environment, \"aws-secretsmanager:ID\" for a secret of AWS Secrets Manager, with #MEMBER for one text of a JSON secret,
# \"ssm:NAME\" for a SecureString parameter of AWS Systems Manager.
#[[alert.sink]]
# a name of its own; what the sink was told is kept under it.
#name = \"on-call\"
# email, sns, webhook, slack, securityhub or eventbridge.
#kind = \"email\"
# what it takes: \"page\", \"digest\" or \"all\".
#route = \"all\"
# less severe incidents are not told.
#min_severity = \"low\"
# only these rules and accounts; all when empty.
#rules = []
#accounts = []
# the mail server.
#host = \"smtp.example.com\"
# starttls (port 587), tls (port 465), or none (port 25) for a server on this machine.
#tls = \"starttls\"
#port = 587
#from = \"Keytrail <keytrail@example.com>\"
#to = [\"on-call@example.com\"]
# for a server that asks for it.
#username = \"keytrail\"
#password = \"env:KEYTRAIL_SMTP_PASSWORD\"

#[[alert.sink]]
#name = \"topic\"
#kind = \"sns\"
#topic = \"arn:aws:sns:eu-west-1:111122223333:keytrail\"

#[[alert.sink]]
#name = \"tickets\"
#kind = \"webhook\"
#url = \"https://tickets.example.com/keytrail\"
# signs every request: header Keytrail-Signature.
#secret = \"env:KEYTRAIL_WEBHOOK_SECRET\"

#[[alert.sink]]
#name = \"chat\"
#kind = \"slack\"
#url = \"env:KEYTRAIL_SLACK_URL\"

# A record of each finding. Security Hub takes findings of an account from that account only: those of all accounts and
# Regions are filed in this one.
#[[alert.sink]]
#name = \"hub\"
#kind = \"securityhub\"
#account = \"111122223333\"
#region = \"eu-west-1\"

#[[alert.sink]]
#name = \"bus\"
#kind = \"eventbridge\"
#bus = \"arn:aws:events:eu-west-1:111122223333:event-bus/default\"
";

const SUPPRESS: &str = "
# A finding that is accepted. It is still counted, and shown as suppressed. Every matcher that is given must match; at
# least one must be given. `*` in `key` and `principal` stands for any text.
#[[suppress]]
# id of a rule.
#rule = \"over-broad-grant\"
# key id, key ARN or alias.
#key = \"alias/partner-*\"
# account and Region of the key, else of the log.
#account = \"111122223333\"
#region = \"eu-west-1\"
# ARN of who acted.
#principal = \"arn:aws:iam::444455556666:role/*\"
# id of one finding.
#id = \"0123456789abcdef0123456789abcdef\"
# why it is accepted; required.
#reason = \"the partner reads our exports until the contract ends\"
# last day on which it is accepted; without it, for good.
#until = \"2030-12-31\"
# who accepted it.
#approved_by = \"security@example.com\"
";

fn heading(out: &mut String, doc: &str, table: &str) {
    _ = write!(out, "\n# {doc}\n#[{table}]\n");
}

fn setting(out: &mut String, info: &OptionInfo) {
    let default = info.default();
    let note = if default.is_none() { " Not set by default." } else { "" };
    for line in wrap(&format!("{}{note}", info.doc)) {
        _ = writeln!(out, "# {line}");
    }
    let value = default.as_deref().or(info.example).unwrap_or_default();
    _ = writeln!(out, "#{} = {value}", info.key);
}

/// Lines of at most 110 characters.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.len() - 1;
        if lines[line].is_empty() {
            lines[line].push_str(word);
        } else if lines[line].len() + 1 + word.len() <= 110 {
            lines[line].push(' ');
            lines[line].push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
