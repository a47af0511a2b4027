//! What the user types into `keytrail.toml`, and what comes of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use keytrail::config::{
    Bytes, Channel, Level, Logs, OptionInfo, RULE_OPTIONS, Route, SecretRef, Settings, Subject, SuppressionTracker,
    Takes, Tls, WebUrl, When, example_toml, options_of,
};
use keytrail::extract::arn::role_of_session;

const RULES: &[&str] = &[
    "admin-uses-key",
    "alias-moved",
    "disabled-key-failure",
    "unusual-decrypt-rate",
    "key-store-changed",
    "missing-rotation",
    "over-broad-grant",
    "over-broad-iam-policy",
    "over-broad-key-policy",
    "imported-material-deleted",
    "key-deletion-scheduled",
    "key-disabled",
    "rotation-disabled",
    "ransom-chain",
    "replica-outside-regions",
    "root-uses-key",
    "trail-key-cut-off",
    "unused-key",
    "policy-lockout",
];

fn good(text: &str) -> Settings {
    Settings::parse(text, "keytrail.toml", RULES).unwrap_or_else(|problems| panic!("{problems}"))
}

fn bad(text: &str) -> String {
    Settings::parse(text, "keytrail.toml", RULES).expect_err("the file should have problems").to_string()
}

/// The first line of every problem.
fn messages(text: &str) -> Vec<String> {
    let problems = Settings::parse(text, "keytrail.toml", RULES).expect_err("the file should have problems");
    problems
        .list
        .into_iter()
        .map(|p| format!("{}:{} {} | {}", p.line, p.column, p.message, p.help.unwrap_or_default()))
        .collect()
}

fn at(text: &str) -> i64 {
    text.parse::<When>().unwrap().start_ms()
}

#[test]
fn every_setting_arrives() {
    let settings = good(
        r#"
        [scan]
        fail_on = "high"
        memory = "64MiB"
        threads = 2
        max_inflated = "512 MiB"

        [accounts]
        trusted = ["111122223333", "444455556666"]
        members = ["777788889999"]
        names = { 111122223333 = "prod-eu" }
        organization = "o-a1b2c3d4e5"

        [logs]
        buckets = ["trail-logs", "Old_Logs.example"]
        readers = ["arn:aws:iam::111122223333:role/audit/keytrail", "arn:aws:sts::111122223333:assumed-role/keytrail/me"]

        [keys]
        regions = ["eu-west-1", "us-gov-east-1"]
        soak = ["alias/old-*"]
        soak_tag = "keytrail:soak"

        [rules.unused-key]
        enabled = false

        [rules.unusual-decrypt-rate]
        severity = "critical"
        factor = 3
        deviations = 4.5

        [rules.missing-rotation]
        cryptoperiod_days = 365

        [[suppress]]
        key = "alias/partner-*"
        reason = "agreed"
        until = 2026-12-31
        "#,
    );
    assert_eq!(settings.scan.fail_on, Some(Level::High));
    assert_eq!(settings.scan.memory, Bytes::mib(64));
    assert_eq!(settings.scan.threads, Some(2));
    assert_eq!(settings.scan.max_inflated, Bytes::mib(512));
    assert!(settings.is_trusted("444455556666") && !settings.is_trusted("777788889999"));
    assert_eq!(settings.accounts.name("111122223333"), Some("prod-eu"));
    assert_eq!(settings.accounts.organization.as_deref(), Some("o-a1b2c3d4e5"));
    assert_eq!(settings.logs.buckets.iter().collect::<Vec<_>>(), ["Old_Logs.example", "trail-logs"]);
    assert_eq!(settings.logs.readers.iter().collect::<Vec<_>>(), ["arn:aws:iam::111122223333:role/keytrail"]);
    assert!(settings.accounts.is_member("777788889999") && !settings.accounts.is_member("444455556666"));
    assert!(settings.keys.allows_region("us-gov-east-1") && !settings.keys.allows_region("us-east-1"));
    assert!(settings.keys.soaks(&["x", "alias/old-ledger"]) && !settings.keys.soaks(&["alias/ledger"]));
    assert_eq!(settings.keys.soak_tag.as_deref(), Some("keytrail:soak"));
    assert!(!settings.rule("unused-key").enabled);
    assert!(settings.rule("policy-lockout").enabled);
    assert_eq!(settings.rule("unusual-decrypt-rate").severity, Some(Level::Critical));
    assert_eq!(settings.options.unusual_decrypt_rate.factor, 3.0);
    assert_eq!(settings.options.unusual_decrypt_rate.deviations, 4.5);
    assert_eq!(settings.options.unusual_decrypt_rate.min_count, 50);
    assert_eq!(settings.options.missing_rotation.cryptoperiod_days, Some(365));
    assert_eq!(settings.suppressions[0].until.unwrap().to_string(), "2026-12-31");
    assert_eq!(settings.suppressions[0].line, 34);
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(good(""), Settings::default());
    assert_eq!(good("\u{feff}# nothing\r\n"), Settings::default());
}

#[test]
fn all_problems_at_once() {
    let text = r#"[scan]
fail_on = "severe"
memroy = "64MiB"

[accounts]
trusted = ["111122223333", "1111-2222-4444"]

[rules.missing-rotation]
cryptoperiod_days = "365"

[rules.over-brod-grant]
enabled = false

[[suppress]]
rule = "over-broad-grant"
until = "31.12.2026"
"#;
    insta::assert_snapshot!(bad(text), @r#"
    keytrail.toml:2:11: `severe` is not a severity
      |
    2 | fail_on = "severe"
      |           ^^^^^^^^
      = write one of info, low, medium, high, critical

    keytrail.toml:3:1: [scan] has no setting `memroy`
      |
    3 | memroy = "64MiB"
      | ^^^^^^
      = did you mean `memory`?

    keytrail.toml:6:28: `1111-2222-4444` is not an account id
      |
    6 | trusted = ["111122223333", "1111-2222-4444"]
      |                            ^^^^^^^^^^^^^^^^
      = write "111122224444"

    keytrail.toml:9:21: `cryptoperiod_days` is a whole number, found text
      |
    9 | cryptoperiod_days = "365"
      |                     ^^^^^
      = remove the quotes: 365

    keytrail.toml:11:8: there is no rule `over-brod-grant`
       |
    11 | [rules.over-brod-grant]
       |        ^^^^^^^^^^^^^^^
       = did you mean `over-broad-grant`?

    keytrail.toml:14:1: the suppression has no `reason`
       |
    14 | [[suppress]]
       | ^^^^^^^^^^^^
       = add reason = "…": whoever reads the report wants to know why this is accepted

    keytrail.toml:16:9: `until` is a day
       |
    16 | until = "31.12.2026"
       |         ^^^^^^^^^^^^
       = write the last day, as "2030-12-31"

    7 problems in keytrail.toml
    "#);
}

#[test]
fn a_typing_error_gets_the_nearest_name() {
    for (text, expected) in [
        ("[scna]", "1:2 the file has no setting `scna` | did you mean `scan`?"),
        ("[suppres]", "1:2 the file has no setting `suppres` | did you mean `suppress`?"),
        ("[rules.unused_key]", "1:8 there is no rule `unused_key` | did you mean `unused-key`?"),
        ("[rules.nonsense]", "1:8 there is no rule `nonsense` | `keytrail rules` lists the rules"),
        (
            "rules.unused-key.sevreity = 'low'",
            "1:18 [rules.unused-key] has no setting `sevreity` | did you mean `severity`?",
        ),
        (
            "[rules.unused-key]\nquiet_hours = 3",
            "2:1 [rules.unused-key] has no setting `quiet_hours` | `quiet_hours` is an option of disabled-key-failure",
        ),
        ("[rules.unused-key]\nseverity = 'hihg'", "2:12 `hihg` is not a severity | did you mean `high`?"),
    ] {
        assert_eq!(messages(text), [expected], "{text}");
    }
}

#[test]
fn a_setting_in_the_wrong_place_is_sent_home() {
    for (text, expected) in [
        ("threads = 4", "1:1 the file has no setting `threads` | `threads` belongs under [scan]"),
        ("trusted = []", "1:1 the file has no setting `trusted` | `trusted` belongs under [accounts]"),
        ("readers = []", "1:1 the file has no setting `readers` | `readers` belongs under [logs]"),
        ("[unused-key]", "1:2 the file has no setting `unused-key` | rules are set under [rules.unused-key]"),
        ("[suppress]", "1:1 `suppress` is a list of tables | write [[suppress]], with two brackets"),
        ("scan = 4", "1:8 `scan` is a table, found a whole number | write [scan] on a line of its own"),
        (
            "[rules]\nunused-key = false",
            "2:14 `unused-key` is a table | write [rules.unused-key], and enabled = false below it",
        ),
    ] {
        assert_eq!(messages(text), [expected], "{text}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_told_what_would() {
    for (text, expected) in [
        ("[scan]\nthreads = '4'", "2:11 `threads` is a whole number, found text | remove the quotes: 4"),
        ("[scan]\nthreads = 0", "2:11 `threads` is out of range | write a value from 1 to 1024"),
        ("[scan]\nthreads = -1", "2:11 `-1` is out of range | write a whole number up to 4294967295"),
        ("[scan]\nthreads = 4.0", "2:11 `threads` is a whole number, found a decimal number | "),
        ("[scan]\nmemory = 64", "2:10 `64` has no unit | write \"64MiB\", or another unit, in quotes"),
        ("[scan]\nmemory = '1KiB'", "2:10 `memory` is out of range | write a value from 1MiB to 16TiB"),
        (
            "[scan]\nmemory = '64 apples'",
            "2:10 `apples` is not a unit of size | write a whole number with a unit, as 64MiB or 2GiB",
        ),
        ("[rules.unused-key]\nenabled = 1", "2:11 `enabled` is true or false, found a whole number | "),
        (
            "[rules.unusual-decrypt-rate]\nfactor = nan",
            "2:10 `factor` is out of range | write a value from 1 to 1000000",
        ),
        (
            "[accounts]\ntrusted = [111122223333]",
            "2:12 `trusted` is text, found a whole number | put it in quotes: \"111122223333\"",
        ),
        (
            "[accounts]\ntrusted = ['12345678901']",
            "2:12 `12345678901` is not an account id | an account id has 12 digits; were leading zeros lost: \"012345678901\"?",
        ),
        (
            "[accounts]\nnames = { prod = '111122223333' }",
            "2:11 `prod` is not an account id | an account id has 12 digits",
        ),
        ("[keys]\nregions = ['Ireland']", "2:12 `Ireland` is not a Region | write one Region, as \"eu-west-1\""),
        ("soak = []", "1:1 the file has no setting `soak` | `soak` belongs under [keys]"),
        ("[logs]\nbuckets = 'logs'", "2:11 `buckets` is a list | write buckets = [\"my-trail-bucket\"]"),
        (
            "[logs]\nbuckets = ['s3://logs/AWSLogs']",
            "2:12 `s3://logs/AWSLogs` is not the name of a bucket | write the name alone: \"logs\"",
        ),
        (
            "[logs]\nbuckets = ['arn:aws-cn:s3:::logs']",
            "2:12 `arn:aws-cn:s3:::logs` is not the name of a bucket | write the name alone: \"logs\"",
        ),
        (
            "[logs]\nbuckets = ['logs*']",
            "2:12 `logs*` is not the name of a bucket | the name of a bucket is 3 to 255 letters, digits, dots, hyphens and underscores",
        ),
        (
            "[logs]\nreaders = ['keytrail']",
            "2:12 `keytrail` is not a role or user | write \"arn:aws:iam::111122223333:role/keytrail\"; `aws sts get-caller-identity` prints who you are",
        ),
    ] {
        assert_eq!(messages(text), [expected], "{text}");
    }
}

#[test]
fn a_reader_is_one_principal_however_it_is_spelled() {
    let role = "arn:aws:iam::111122223333:role/keytrail";
    for (who, expected) in [
        (role, Some(role)),
        ("arn:aws:iam::111122223333:role/audit/tools/keytrail", Some(role)),
        ("arn:aws:sts::111122223333:assumed-role/keytrail/i-0a1b2c", Some(role)),
        ("arn:aws:iam::111122223333:user/audit/eve", Some("arn:aws:iam::111122223333:user/eve")),
        (
            "arn:aws-us-gov:sts::111122223333:assumed-role/keytrail/me",
            Some("arn:aws-us-gov:iam::111122223333:role/keytrail"),
        ),
        ("account:444455556666/AROAEXAMPLE", Some("account:444455556666/AROAEXAMPLE")),
        ("account:444455556666", None),
        ("arn:aws:iam::111122223333:root", None),
        ("arn:aws:iam::111122223333:role/", None),
        ("arn:aws:iam::111122223333:role/*", None),
        ("arn:aws:iam::1111:role/keytrail", None),
        ("arn:aws:sts::111122223333:assumed-role/keytrail", None),
        ("arn:aws:sts::111122223333:federated-user/eve", None),
        ("role/keytrail", None),
        ("", None),
    ] {
        assert_eq!(Logs::identity(who).as_deref(), expected, "{who}");
        // Sessions are named as rows name them.
        if let (Some(principal), Some(reader)) = (role_of_session(who), expected) {
            assert_eq!(principal, reader);
        }
        let mut logs = Logs::default();
        assert!(!logs.is_reader(who), "{who}");
        assert_eq!((logs.add_reader(who), logs.is_reader(who)), (expected.is_some(), expected.is_some()), "{who}");
        assert!(!logs.is_reader("arn:aws:iam::111122223333:role/keytrail-2"), "{who}");
    }
}

#[test]
fn a_syntax_error_does_not_hide_the_rest() {
    let found =
        messages("[scan]\nfail_on = high\nthreads = 0\n\n[[suppress]]\nkey = \"alias/a\"\nreason = \"unclosed\n");
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found[0].starts_with("2:11 not valid TOML: ") && found[0].ends_with("text stands in quotes: \"high\""),
        "{found:#?}"
    );
    assert_eq!(found[1], "3:11 `threads` is out of range | write a value from 1 to 1024");
    // Nothing about a missing reason: it is there, on the line that was not understood.
    assert!(found[2].starts_with("7:"), "{found:#?}");

    // One slip, one problem: neither is the half-read value judged, nor are its neighbours sent elsewhere.
    for text in ["[scan]\nthreads = \n", "[scan\nthreads = 1", "[scan]\nthreads = 1\nthreads = 2", "[scna]\n[scna]"] {
        assert_eq!(messages(text).len(), 1, "{text}");
    }
}

#[test]
fn a_suppression_says_what_and_why() {
    for (entry, expected) in [
        (
            "reason = 'r'",
            "1:1 the suppression would hide every finding | add one of `rule`, `key`, `account`, `region`, `principal`, `id`",
        ),
        (
            "reason = 'r'\nkey = '*'",
            "1:1 the suppression would hide nearly every finding | narrow it: `*` alone matches anything",
        ),
        ("key = 'alias/a'\nreason = ' '", "3:10 `reason` is empty | write why the finding is accepted"),
        (
            "key = 'payments'\nreason = 'r'",
            "2:7 `payments` is not a key | for an alias, write \"alias/payments\"; otherwise a key id or a key ARN",
        ),
        ("region = 'eu-west'\nreason = 'r'", "2:10 `eu-west` is not a Region | write one Region, as \"eu-west-1\""),
        (
            "id = 'abc'\nreason = 'r'",
            "2:6 `abc` is not the id of a finding | write the 32 hex digits that the finding shows as its id",
        ),
        ("account = '1*'\nreason = 'r'", "2:11 `1*` is not an account id | an account id has 12 digits"),
        ("rule = 'unused'\nreason = 'r'", "2:8 there is no rule `unused` | `keytrail rules` lists the rules"),
        (
            "rule = 'unused-key'\nreason = 'r'\nuntil = 2026-12-31T00:00:00Z",
            "4:9 `until` is a day | write the last day, as \"2030-12-31\"",
        ),
        (
            "rule = 'unused-key'\nreason = 'r'\nexpires = '2026-12-31'",
            "4:1 [[suppress]] has no setting `expires` | known here: `account`, `approved_by`, `id`, `key`, `principal`, `reason`, `region`, `rule`, `until`",
        ),
    ] {
        assert_eq!(messages(&format!("[[suppress]]\n{entry}")), [expected], "{entry}");
    }
}

const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn subject() -> Subject<'static> {
    Subject {
        rule: "over-broad-grant",
        key_arn: Some(ARN),
        key_id: Some("1234abcd-12ab-34cd-56ef-1234567890ab"),
        alias: Some("alias/partner-exports"),
        account: "111122223333",
        region: "eu-west-1",
        principal: Some("arn:aws:iam::444455556666:role/reader"),
        id: "0123456789abcdef0123456789abcdef",
    }
}

#[test]
fn suppressions_match() {
    for (matchers, expected) in [
        ("rule = 'over-broad-grant'", true),
        ("rule = 'unused-key'", false),
        ("key = '1234abcd-12ab-34cd-56ef-1234567890ab'", true),
        ("key = 'alias/partner-*'", true),
        ("key = 'alias/partner'", false),
        ("key = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'", true),
        ("key = 'arn:aws:kms:*:111122223333:key/*'", true),
        ("key = 'arn:aws:kms:eu-west-1:111122223333:alias/partner-exports'", true),
        ("key = 'arn:aws:kms:eu-west-2:111122223333:alias/partner-exports'", false),
        ("account = '111122223333'\nregion = 'eu-west-1'", true),
        ("account = '111122223333'\nregion = 'eu-west-2'", false),
        ("principal = 'arn:aws:iam::444455556666:*'", true),
        ("principal = 'arn:aws:iam::444455556666'", false),
        ("id = '0123456789abcdef0123456789abcdef'", true),
    ] {
        let settings = good(&format!("[[suppress]]\nreason = 'r'\n{matchers}"));
        assert_eq!(settings.suppression_for(&subject(), 0).is_some(), expected, "{matchers}");
    }
}

#[test]
fn a_finding_without_key_or_principal_matches_neither() {
    let settings = good("[[suppress]]\nreason = 'r'\nkey = 'alias/*'\n[[suppress]]\nreason = 'r'\nprincipal = 'arn:*'");
    let bare = Subject { key_arn: None, key_id: None, alias: None, principal: None, ..subject() };
    assert_eq!(settings.suppression_for(&bare, 0), None);
}

#[test]
fn a_suppression_holds_through_its_last_day() {
    let settings = good("[[suppress]]\nreason = 'r'\nrule = 'over-broad-grant'\nuntil = '2026-09-30'");
    assert_eq!(settings.suppression_for(&subject(), at("2026-09-30T23:59:59Z")), Some(0));
    assert_eq!(settings.suppression_for(&subject(), at("2026-10-01T00:00:00Z")), None);
}

#[test]
fn suppressions_that_did_nothing_are_told() {
    let settings = good(
        "[[suppress]]\nreason = 'r'\nrule = 'over-broad-grant'\nuntil = '2026-01-31'\n\
         [[suppress]]\nreason = 'r'\naccount = '111122223333'\n\
         [[suppress]]\nreason = 'r'\nregion = 'eu-west-1'\n\
         [[suppress]]\nreason = 'r'\nrule = 'unused-key'\n\
         [[suppress]]\nreason = 'r'\nrule = 'unused-key'\nuntil = '2026-01-31'\n",
    );
    let mut tracker = SuppressionTracker::new(&settings.suppressions, at("2026-09-01"));
    assert_eq!(tracker.suppress(&subject()), Some(1));
    assert_eq!(
        tracker.notices(),
        [
            "suppression 1 (line 1) expired on 2026-01-31 and no longer hides 1 finding; renew it or fix the cause",
            "suppression 4 (line 11) matched nothing",
            "suppression 5 (line 14) expired on 2026-01-31 and would match nothing; remove it",
        ]
    );
}

#[test]
fn the_digest_follows_what_is_found_and_nothing_else() {
    let digest = |text: &str| good(text).digest();
    let default = digest("");
    assert_eq!(default.len(), 64);
    for same in [
        "# comment",
        "[scan]\nthreads = 3\nmemory = '64MiB'\nfail_on = 'low'",
        "[rules.unused-key]\nenabled = true",
        "[rules.over-broad-grant]\nrevoked_within_minutes = 10",
    ] {
        assert_eq!(digest(same), default, "{same}");
    }
    for other in [
        "[rules.unused-key]\nenabled = false",
        "[rules.missing-rotation]\ncryptoperiod_days = 365",
        "[accounts]\ntrusted = ['111122223333']",
        "[logs]\nbuckets = ['trail-logs']",
        "[logs]\nreaders = ['arn:aws:iam::111122223333:user/eve']",
        "[[suppress]]\nreason = 'r'\nrule = 'unused-key'",
        "[scan]\nmax_inflated = '1GiB'",
    ] {
        assert_ne!(digest(other), default, "{other}");
    }
    assert_eq!(
        digest("[logs]\nreaders = ['arn:aws:iam::111122223333:role/audit/keytrail']"),
        digest("[logs]\nreaders = ['arn:aws:sts::111122223333:assumed-role/keytrail/me']")
    );
    // Where an entry stands in the file is not what it says.
    assert_eq!(
        digest("[[suppress]]\nreason = 'r'\nrule = 'unused-key'"),
        digest("\n\n[[suppress]]\nrule = 'unused-key'\nreason = 'r'")
    );
}

#[test]
fn the_example_changes_nothing() {
    assert_eq!(good(&example_toml()), Settings::default());
}

#[test]
fn the_example_is_valid_once_uncommented() {
    let mut expected = Settings::default();
    let uncommented: Vec<String> = example_toml()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    let settings = good(&uncommented.join("\n"));
    assert_eq!(settings.suppressions.len(), 1);
    assert_eq!(settings.accounts.trusted.len(), 2);
    assert_eq!((settings.logs.buckets.len(), settings.logs.readers.len()), (1, 1));

    // What has no default is shown with an example; everything else with the default.
    expected.options.missing_rotation.cryptoperiod_days = Some(365);
    assert_eq!(settings.options, expected.options);
    expected.scan.fail_on = Some(Level::High);
    expected.scan.threads = Some(4);
    assert_eq!(settings.scan, expected.scan);
    assert_eq!(options_of("scan").count(), 4);
    for OptionInfo { rule, key, .. } in options_of("*").chain(options_of("scan")).chain(RULE_OPTIONS) {
        let shown = uncommented.iter().any(|line| line.starts_with(&format!("{key} = ")));
        assert!(shown, "{rule}.{key} is not in the example");
    }
}

#[test]
fn messages_are_fragments() {
    let text = "[scan]\nthreads = 0\nnope = 1\n[accounts]\norganization = 'x'\n[[suppress]]\n[rules.x]";
    for problem in Settings::parse(text, "f", RULES).unwrap_err().list {
        for fragment in std::iter::once(&problem.message).chain(&problem.help) {
            assert!(!fragment.ends_with(['.', '!']), "{fragment}");
            assert!(!fragment.starts_with(char::is_uppercase), "{fragment}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_settings_or_problems_and_never_a_panic(
        text in "(\\[|\\]|=|\n|\r|\"|'|,|\\{|\\}|\\.|#| |scan|rules|suppress|accounts|names|logs|buckets|readers|threads|unused-key|key|reason|until|1|é|鍵|\\PC){0,40}"
    ) {
        if let Err(problems) = Settings::parse(&text, "keytrail.toml", RULES) {
            proptest::prop_assert!(!problems.list.is_empty());
            proptest::prop_assert!(problems.to_string().contains("in keytrail.toml"));
        }
    }
}

/// One sink that is right, with other lines in place of some of its own.
fn sink(change: &[(&str, &str)]) -> String {
    let mut lines = vec![
        ("name", "name = \"on-call\""),
        ("kind", "kind = \"email\""),
        ("host", "host = \"smtp.example.com\""),
        ("from", "from = \"keytrail@example.com\""),
        ("to", "to = [\"on-call@example.com\"]"),
    ];
    for (key, line) in change {
        lines.retain(|(known, _)| known != key);
        lines.push((key, line));
    }
    let lines: Vec<&str> = lines.into_iter().map(|(_, line)| line).collect();
    format!("[[alert.sink]]\n{}\n", lines.join("\n"))
}

#[test]
fn sinks_and_routes_arrive() {
    let settings = good(&format!(
        "[alert]\nmax_per_run = 5\n[alert.routes]\nmissing-rotation = \"page\"\n{}{}{}{}",
        sink(&[
            (
                "route",
                "route = \"page\"\nmin_severity = \"high\"\nrules = [\"missing-rotation\"]\naccounts = [\"111122223333\"]"
            ),
            (
                "username",
                "username = \"u\"\npassword = \"aws-secretsmanager:arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp\""
            ),
        ]),
        sink(&[("name", "name = \"b\"\ntls = \"tls\""), ("from", "from = \"Keytrail <k@example.com>\"")]),
        "[[alert.sink]]\nname = \"c\"\nkind = \"slack\"\nurl = \"env:SLACK\"\n",
        "[[alert.sink]]\nname = \"d\"\nkind = \"webhook\"\nurl = \"http://[::1]:8080/x\"\nsecret = \"ssm:/hook\"\n",
    ));
    let alert = &settings.alert;
    assert_eq!((alert.options.max_per_run, alert.options.digest_hours), (5, 24));
    assert_eq!(alert.routes["missing-rotation"], Route::Page);
    let [email, tls, slack, webhook] = &alert.sinks[..] else { panic!("{:?}", alert.sinks) };
    assert_eq!((email.takes, email.min_severity), (Takes::Page, Level::High));
    assert!(email.rules.contains("missing-rotation") && email.accounts.contains("111122223333"));
    let Channel::Email(email) = &email.channel else { panic!("{email:?}") };
    assert_eq!((email.port, email.tls), (587, Tls::StartTls));
    let secret = SecretRef::SecretsManager("arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp".into());
    assert_eq!(email.login, Some(("u".into(), secret)));
    assert!(matches!(&tls.channel, Channel::Email(email) if email.port == 465 && email.login.is_none()));
    assert_eq!((tls.takes, tls.min_severity), (Takes::All, Level::Low));
    assert_eq!(slack.channel, Channel::Slack { url: WebUrl::Secret(SecretRef::Env("SLACK".into())) });
    let url = WebUrl::Plain("http://[::1]:8080/x".into());
    assert_eq!(webhook.channel, Channel::Webhook { url, secret: Some(SecretRef::Ssm("/hook".into())) });
    assert_eq!(settings.digest(), Settings::default().digest(), "who is told changes nothing of what is found");
}

#[test]
fn a_sink_that_cannot_work_is_told() {
    let first = |text: &str| {
        let all = messages(text);
        let message = all.first().and_then(|said| said.split_once(' ')?.1.split(" | ").next());
        message.unwrap_or_default().to_owned()
    };
    for (change, message) in [
        (("name", ""), "the sink has no `name`"),
        (("name", "name = \"On Call\""), "`On Call` is no name of a sink"),
        (("name", "name = \"../x\""), "`../x` is no name of a sink"),
        (("kind", ""), "the sink has no `kind`"),
        (("kind", "kind = \"mail\""), "`mail` is no kind"),
        (("host", ""), "the sink has no `host`"),
        (("from", "from = \"nobody\""), "`nobody` is no address"),
        (("to", ""), "the sink has no `to`"),
        (("to", "to = [\"a@b\\r\\nBcc: c@d\"]"), "`a@b\\r\\nBcc: c@d` is no address"),
        (("tls", "tls = \"none\""), "findings do not leave this machine in the clear"),
        (("port", "port = 70000"), "`port` is out of range"),
        (("username", "username = \"u\""), "the sink has no `password`"),
        (("password", "password = \"env:P\""), "the sink has no `username`"),
        (("route", "route = \"pager\""), "`pager` is no route"),
        (("rules", "rules = [\"no-such-rule\"]"), "there is no rule `no-such-rule`"),
        (("topic", "topic = \"x\""), "[[alert.sink]] has no setting `topic`"),
    ] {
        assert_eq!(first(&sink(&[change])), message, "{change:?}");
    }
    let web =
        |kind: &str, url: &str| first(&format!("[[alert.sink]]\nname = \"x\"\nkind = \"{kind}\"\nurl = \"{url}\""));
    let clear = "findings do not leave this machine in the clear";
    for url in
        ["http://example.com", "http://localhost@example.com/", "ftp://x", "https://", "http://127.0.0.1.example.com"]
    {
        assert_eq!(web("webhook", url), clear, "{url}");
    }
    good("[[alert.sink]]\nname = \"x\"\nkind = \"webhook\"\nurl = \"http://localhost:8080/x\"");
    assert_eq!(web("slack", "https://hooks.example.com/T0/B0/x"), "`url` says where the secret is, not what it is");
    let topic = "[[alert.sink]]\nname = \"x\"\nkind = \"sns\"\ntopic = \"arn:aws:sqs:eu-west-1:111122223333:q\"";
    assert_eq!(first(topic), "`topic` is the ARN of a topic");
    assert_eq!(first(&(sink(&[]) + &sink(&[]))), "two sinks are called `on-call`");
    assert_eq!(first("[alert.routes]\nmissing-rotation = \"pager\""), "`pager` is no route");
}

#[test]
fn a_secret_in_the_file_is_not_repeated() {
    let login = "username = \"u\"\npassword = \"hunter2\"";
    let said = bad(&sink(&[("username", login)]));
    assert!(
        said.contains("`password` says where the secret is, not what it is") && !said.contains("hunter2"),
        "{said}"
    );
    let said = bad("[[alert.sink]]\nname = \"x\"\nkind = \"slack\"\nurl = \"https://hooks.example.com/hunter2\"");
    assert!(!said.contains("hunter2"), "{said}");
    let said = bad("[[alert.sink]]\nname = \"x\"\nkind = \"webhook\"\nurl = \"https://x\"\nsecret = hunter2");
    assert!(!said.contains("secret = hunter2"), "{said}");
}
