//! One place that alerts go to.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use super::super::accounts::read_account;
use super::super::kind::assign;
use super::super::level::Level;
use super::super::problem;
use super::super::raw::{self, Table};
use super::super::suppress::unknown_rule;
use super::{SecretRef, word};

/// Which routes a sink takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Pages only.
    Page,
    /// The digest only.
    Digest,
    /// Pages at once, the rest as digests.
    All,
}

impl Takes {
    /// Name in the configuration.
    pub fn id(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Digest => "digest",
            Self::All => "all",
        }
    }
}

/// How the connection to a mail server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Begins in the clear and must turn to TLS before anything is said.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all: only to this machine itself.
    None,
}

impl Tls {
    /// Name in the configuration.
    pub fn id(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// E-mail by SMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: Tls,
    /// Sender: `a@b.example` or `Name <a@b.example>`.
    pub from: String,
    /// Receivers; at least one.
    pub to: Vec<String>,
    /// User name and password, when the server asks for them.
    pub login: Option<(String, SecretRef)>,
}

/// The address of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebUrl {
    /// As it stands in the configuration.
    Plain(String),
    /// The address is a secret itself.
    Secret(SecretRef),
}

/// How a sink is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// E-mail.
    Email(Email),
    /// A topic of Amazon SNS, by ARN.
    Sns {
        /// ARN of the topic.
        topic: String,
    },
    /// JSON by POST.
    Webhook {
        /// Where to.
        url: WebUrl,
        /// Key of the signature.
        secret: Option<SecretRef>,
    },
    /// A webhook that takes Slack's messages.
    Slack {
        /// Where to.
        url: WebUrl,
    },
    /// AWS Security Hub: findings of all accounts and Regions in one place.
    SecurityHub {
        /// Account that they are filed in, 12 digits: that of the credentials.
        account: String,
        /// Region that they are filed in.
        region: String,
    },
    /// Amazon EventBridge.
    EventBridge {
        /// ARN of the event bus.
        bus: String,
    },
}

impl Channel {
    /// Name in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Sns { .. } => "sns",
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::SecurityHub { .. } => "securityhub",
            Self::EventBridge { .. } => "eventbridge",
        }
    }

    /// True when it keeps a record of each finding, and no messages.
    pub fn keeps_records(&self) -> bool {
        matches!(self, Self::SecurityHub { .. } | Self::EventBridge { .. })
    }
}

/// One place that alerts go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Name of its own; lower-case letters, digits and hyphens.
    pub name: String,
    /// Which routes it takes.
    pub takes: Takes,
    /// Less severe incidents are not told.
    pub min_severity: Level,
    /// Only incidents of these rules; all when empty.
    pub rules: BTreeSet<String>,
    /// Only incidents of these accounts; all when empty.
    pub accounts: BTreeSet<String>,
    /// How it is reached.
    pub channel: Channel,
}

impl Sink {
    /// Reads one entry; `None` when it cannot be used, which is then in `problems`.
    pub(super) fn read(
        mut table: Table<'_, '_>,
        span: Range<usize>,
        rule_ids: &[&str],
        problems: &mut problem::Sink<'_>,
    ) -> Option<Self> {
        let name = table.text("name", "a name, as \"on-call\"", problems);
        let name = name.filter(|name| check_name(name, problems));
        let kinds = [
            ("email", Kind::Email),
            ("sns", Kind::Sns),
            ("webhook", Kind::Webhook),
            ("slack", Kind::Slack),
            ("securityhub", Kind::SecurityHub),
            ("eventbridge", Kind::EventBridge),
        ];
        let kind_value = table.take("kind");
        let kind = kind_value.and_then(|value| word(value, "kind", &kinds, problems));
        let takes = [Takes::Page, Takes::Digest, Takes::All].map(|takes| (takes.id(), takes));
        let takes = table.take("route").map_or(Some(Takes::All), |value| word(value, "route", &takes, problems));
        let mut min_severity = Level::Low;
        if let Some(value) = table.take("min_severity") {
            assign(&mut min_severity, "min_severity", value, None, problems);
        }
        let rules = read_rules(&mut table, rule_ids, problems);
        let accounts = table.list("accounts", "\"111122223333\"", problems).iter();
        let accounts = accounts.filter_map(|account| read_account(account, "accounts", problems)).collect();
        let mut missing = Missing { span, problems };
        let channel = match kind {
            Some(Kind::Email) => read_email(&mut table, &mut missing).map(Channel::Email),
            Some(Kind::Sns) => {
                let example = "\"arn:aws:sns:eu-west-1:111122223333:keytrail\"";
                read_arn(&mut table, ("topic", "sns", "a topic"), example, &mut missing)
                    .map(|topic| Channel::Sns { topic })
            }
            Some(Kind::Webhook) => {
                let secret = table.take("secret").map(|value| SecretRef::read(value, "secret", missing.problems));
                read_url(&mut table, false, &mut missing).map(|url| Channel::Webhook { url, secret: secret.flatten() })
            }
            Some(Kind::Slack) => read_url(&mut table, true, &mut missing).map(|url| Channel::Slack { url }),
            Some(Kind::SecurityHub) => read_hub(&mut table, &mut missing),
            Some(Kind::EventBridge) => {
                let example = "\"arn:aws:events:eu-west-1:111122223333:event-bus/default\"";
                read_arn(&mut table, ("bus", "events", "an event bus"), example, &mut missing)
                    .map(|bus| Channel::EventBridge { bus })
            }
            None if kind_value.is_none() => {
                missing.say("kind", "email, sns, webhook, slack, securityhub or eventbridge");
                None
            }
            None => None,
        };
        if name.is_none() && table.take("name").is_none() {
            missing.say("name", "a name, as \"on-call\"");
        }
        // Of a sink whose kind is not known, nobody knows the settings.
        if kind.is_some() {
            table.close(|_| None, problems);
        }
        Some(Self {
            name: name?.into_inner().to_owned(),
            takes: takes?,
            min_severity,
            rules,
            accounts,
            channel: channel?,
        })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Email,
    Sns,
    Webhook,
    Slack,
    SecurityHub,
    EventBridge,
}

/// Says what a sink lacks.
struct Missing<'p, 'a> {
    span: Range<usize>,
    problems: &'p mut problem::Sink<'a>,
}

impl Missing<'_, '_> {
    fn say(&mut self, key: &str, example: &str) {
        if !self.problems.is_broken() {
            self.problems.add(
                self.span.clone(),
                format!("the sink has no `{key}`"),
                Some(format!("add {key}: {example}")),
            );
        }
    }
}

fn check_name(name: &Spanned<&str>, problems: &mut problem::Sink<'_>) -> bool {
    let text = name.get_ref();
    let sound =
        text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !sound {
        // It becomes the name of a file in the lake.
        let help = "write up to 64 lower-case letters, digits and hyphens, as \"on-call\"";
        problems.add(name.span(), format!("`{text}` is no name of a sink"), Some(help.into()));
    }
    sound
}

fn read_rules(table: &mut Table<'_, '_>, rule_ids: &[&str], problems: &mut problem::Sink<'_>) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for value in table.list("rules", "\"key-deletion-scheduled\"", problems) {
        let Some(rule) = raw::text(value, "rules", "the id of a rule", problems) else { continue };
        if rule_ids.contains(rule.get_ref()) {
            rules.insert((*rule.get_ref()).to_owned());
        } else {
            unknown_rule(&rule, rule_ids, problems);
        }
    }
    rules
}

fn read_email(table: &mut Table<'_, '_>, missing: &mut Missing<'_, '_>) -> Option<Email> {
    let host = table.text("host", "\"smtp.example.com\"", missing.problems);
    if host.is_none() && table.take("host").is_none() {
        missing.say("host", "the mail server, as \"smtp.example.com\"");
    }
    let tls = [Tls::StartTls, Tls::Tls, Tls::None].map(|tls| (tls.id(), tls));
    let tls_value = table.take("tls");
    let tls = tls_value.map_or(Some(Tls::StartTls), |value| word(value, "tls", &tls, missing.problems));
    if let (Some(Tls::None), Some(value), Some(host)) = (tls, tls_value, &host)
        && !is_this_machine(host.get_ref())
    {
        let help = "write tls = \"starttls\" or \"tls\"; \"none\" is for a server on this machine";
        missing.problems.add(value.span(), "findings do not leave this machine in the clear", Some(help.into()));
    }
    let mut port = u32::from(tls.unwrap_or(Tls::StartTls).port());
    if let Some(value) = table.take("port") {
        assign(&mut port, "port", value, Some(&(1..=65_535)), missing.problems);
    }
    let from = table.text("from", "\"keytrail@example.com\"", missing.problems);
    if from.is_none() && table.take("from").is_none() {
        missing.say("from", "the sender, as \"keytrail@example.com\"");
    }
    let from = from.filter(|from| check_address(from, missing.problems));
    let mut to = Vec::new();
    let list = table.list("to", "\"on-call@example.com\"", missing.problems);
    for value in list {
        let address = raw::text(value, "to", "an address, as \"on-call@example.com\"", missing.problems);
        let address = address.filter(|address| check_address(address, missing.problems));
        to.extend(address.map(|address| address.into_inner().to_owned()));
    }
    if list.is_empty() {
        missing.say("to", "at least one address, as [\"on-call@example.com\"]");
    }
    let username = table.text("username", "\"keytrail\"", missing.problems);
    let password_given = table.take("password");
    let password = password_given.and_then(|value| SecretRef::read(value, "password", missing.problems));
    match (&username, password_given) {
        (Some(_), None) => missing.say("password", "where it is, as \"env:KEYTRAIL_SMTP_PASSWORD\""),
        (None, Some(_)) => missing.say("username", "whose password it is"),
        _ => {}
    }
    let login = username.map(|username| username.into_inner().to_owned()).zip(password);
    Some(Email {
        host: host?.into_inner().trim().to_owned(),
        port: u16::try_from(port).unwrap_or(u16::MAX),
        tls: tls?,
        from: from?.into_inner().to_owned(),
        to,
        login,
    })
}

/// True for the names of this machine.
pub(super) fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

/// The shape only: `a@b` or `Name <a@b>`, on one line. What the server makes of it is its affair.
fn check_address(text: &Spanned<&str>, problems: &mut problem::Sink<'_>) -> bool {
    let whole = text.get_ref().trim();
    let address = match whole.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((_, address)) => address,
        None => whole,
    };
    let sound = !whole.chars().any(char::is_control)
        && address.is_ascii()
        && address.split_once('@').is_some_and(|(local, domain)| {
            let word = |text: &str| !text.is_empty() && !text.contains([' ', '@', '<', '>', ',', ';']);
            word(local) && word(domain)
        });
    if !sound {
        let help = "write \"on-call@example.com\" or \"On call <on-call@example.com>\"";
        problems.add(text.span(), format!("`{}` is no address", text.get_ref().escape_default()), Some(help.into()));
    }
    sound
}

/// The ARN of one thing of one service: its key, the service, and what it is.
fn read_arn(
    table: &mut Table<'_, '_>,
    (key, service, what): (&'static str, &str, &str),
    example: &'static str,
    missing: &mut Missing<'_, '_>,
) -> Option<String> {
    let Some(arn) = table.text(key, example, missing.problems) else {
        if table.take(key).is_none() {
            missing.say(key, &format!("the ARN of {what}, as {example}"));
        }
        return None;
    };
    let parts: Vec<&str> = arn.get_ref().split(':').collect();
    let sound = matches!(parts[..], ["arn", _, of, region, account, name]
        if of == service && is_region(region) && account.len() == 12 && !name.is_empty());
    if !sound {
        missing.problems.add(arn.span(), format!("`{key}` is the ARN of {what}"), Some(format!("write {example}")));
    }
    sound.then(|| arn.into_inner().to_owned())
}

fn read_hub(table: &mut Table<'_, '_>, missing: &mut Missing<'_, '_>) -> Option<Channel> {
    let account_value = table.take("account");
    if account_value.is_none() {
        missing.say("account", "that findings are filed in, as \"111122223333\"");
    }
    let account = account_value.and_then(|account| read_account(account, "account", missing.problems));
    let region = table.text("region", "\"eu-west-1\"", missing.problems);
    if region.is_none() && table.take("region").is_none() {
        missing.say("region", "that findings are filed in, as \"eu-west-1\"");
    }
    let region = region.filter(|region| {
        let sound = is_region(region.get_ref());
        if !sound {
            missing.problems.add(region.span(), "`region` is the name of a Region", Some("write \"eu-west-1\"".into()));
        }
        sound
    });
    Some(Channel::SecurityHub { account: account?, region: region?.into_inner().to_owned() })
}

/// It becomes a part of a host name.
fn is_region(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(sound)
}

/// Whoever knows the address of a Slack webhook may write to its channel: then it must not stand in the file.
fn read_url(table: &mut Table<'_, '_>, is_secret: bool, missing: &mut Missing<'_, '_>) -> Option<WebUrl> {
    let Some(value) = table.take("url") else {
        missing.say(
            "url",
            if is_secret { "where its address is, as \"env:KEYTRAIL_SLACK_URL\"" } else { "an https address" },
        );
        return None;
    };
    if is_secret {
        return SecretRef::read(value, "url", missing.problems).map(WebUrl::Secret);
    }
    let text = raw::text(value, "url", "an https address", missing.problems)?;
    if let Some(secret) = SecretRef::parse(text.get_ref()) {
        return Some(WebUrl::Secret(secret));
    }
    if !is_safe_url(text.get_ref()) {
        let help = "write an address that begins with https://; http:// is for this machine";
        missing.problems.add(text.span(), "findings do not leave this machine in the clear", Some(help.into()));
        return None;
    }
    Some(WebUrl::Plain(text.into_inner().to_owned()))
}

/// True for `https://…`, and `http://…` on this machine.
pub fn is_safe_url(url: &str) -> bool {
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return false;
    }
    let host = |rest: &str| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // Whatever stands before an `@` is not the host.
        let host = authority.rsplit('@').next().unwrap_or_default();
        match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default().to_owned(),
            None => host.split(':').next().unwrap_or_default().to_owned(),
        }
    };
    if let Some(rest) = url.strip_prefix("https://") {
        return !host(rest).is_empty();
    }
    url.strip_prefix("http://").is_some_and(|rest| is_this_machine(&host(rest)))
}
