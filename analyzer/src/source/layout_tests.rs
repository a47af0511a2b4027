use proptest::prelude::*;

use super::*;

const NAME: &str = "111122223333_CloudTrail_eu-west-1_20260901T1205Z_Ab3dEfGh1JkLmN0p.json.gz";

/// Kind, organization, account, Region, day and delivery in one line.
fn told(path: &str) -> String {
    let Layout { kind, organization, account, region, date, delivered } = Layout::of(path);
    let time = delivered.and_then(chrono::DateTime::from_timestamp_millis).map(|at| at.format("%H:%M:%S").to_string());
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    format!(
        "{kind:?} {} {} {} {} {}",
        text(organization),
        text(account),
        text(region),
        text(date.map(|date| date.to_string())),
        text(time)
    )
}

#[track_caller]
fn check(path: &str, expected: &str) {
    assert_eq!(told(path), expected, "{path}");
}

#[test]
fn trails() {
    let all = "CloudTrail - 111122223333 eu-west-1 2026-09-01 12:05:00";
    check(&format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/{NAME}"), all);
    check(&format!("some/prefix/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/{NAME}"), all);
    check(&format!("/data/logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/{NAME}"), all);
    check(&format!(r"C:\logs\AWSLogs\111122223333\CloudTrail\eu-west-1\2026\09\01\{NAME}"), all);
    check(&format!("s3://bucket/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/{NAME}"), all);
    check(
        &format!("AWSLogs/o-a1b2c3d4e5/111122223333/CloudTrail/eu-west-1/2026/09/01/{NAME}"),
        "CloudTrail o-a1b2c3d4e5 111122223333 eu-west-1 2026-09-01 12:05:00",
    );
}

#[test]
fn regions_of_every_partition() {
    for region in ["us-gov-west-1", "cn-north-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "eusc-de-east-1"]
    {
        check(
            &format!("AWSLogs/111122223333/CloudTrail/{region}/2026/09/01/x.json.gz"),
            &format!("CloudTrail - 111122223333 {region} 2026-09-01 -"),
        );
    }
    for part in ["global", "west-1", "eu-west", "EU-west-1", "eu--1", "eu-west-100"] {
        assert!(!is_region(part), "{part}");
    }
}

#[test]
fn other_files_of_a_trail() {
    for (folder, kind) in [
        ("CloudTrail-Digest", "Digest"),
        ("CloudTrail-Insight", "Insight"),
        ("CloudTrail-NetworkActivity", "NetworkActivity"),
        ("CloudTrail-Aggregated", "Aggregated"),
        ("CloudTrail-Tomorrow", "Unknown"),
    ] {
        let rest = "- 111122223333 eu-west-1 2026-09-01 -";
        check(&format!("AWSLogs/111122223333/{folder}/eu-west-1/2026/09/01/x.json.gz"), &format!("{kind} {rest}"));
    }
    check(
        "AWSLogs/111122223333/CloudTrail-Lake/Query/2026/09/01/0a1b2c3d/result_1.csv.gz",
        "OtherService - 111122223333 - - -",
    );
}

#[test]
fn digests_name_their_trail() {
    let name = "111122223333_CloudTrail-Digest_eu-west-1_my_20200101T0000Z_trail.v2_us-east-1_20260901T120533Z.json.gz";
    let all = "Digest - 111122223333 eu-west-1 2026-09-01 12:05:33";
    check(&format!("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/09/01/{name}"), all);
    check(name, all);
}

#[test]
fn a_prefix_may_hold_anything() {
    let tree = format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/{NAME}");
    for prefix in [
        "CloudTrail-Digest",
        "AWSLogs",
        "AWSLogs/444455556666/Config/us-east-1/2025/01/01",
        "AWSLogs/o-zzzzzzzzzz/444455556666/CloudTrail-Insight",
        "o-a1b2c3d4e5",
    ] {
        check(&format!("{prefix}/{tree}"), "CloudTrail - 111122223333 eu-west-1 2026-09-01 12:05:00");
    }
    // The last AWSLogs is a folder of the user's; the one before it makes sense.
    check(
        &format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/AWSLogs/{NAME}"),
        "CloudTrail - 111122223333 eu-west-1 2026-09-01 12:05:00",
    );
}

#[test]
fn other_services() {
    for path in [
        "AWSLogs/111122223333/Config/us-east-1/2026/9/1/ConfigHistory/111122223333_Config_us-east-1_ConfigHistory_x.json.gz",
        "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/09/01/111122223333_vpcflowlogs_us-east-1_fl-1_20260901T1205Z_x.log.gz",
        "AWSLogs/111122223333/elasticloadbalancing/us-east-1/2026/09/01/111122223333_elasticloadbalancing_us-east-1_app.x_20260901T1205Z_x.log.gz",
        "AWSLogs/111122223333/WAFLogs/us-east-1/acl/2026/09/01/12/00/x.log.gz",
        "AWSLogs/111122223333/SomethingNew/us-east-1/2026/09/01/x.json.gz",
        "AWSLogs/o-a1b2c3d4e5/111122223333/Config/us-east-1/2026/9/1/x.json.gz",
        "AWSLogs/111122223333/ELBAccessLogTestFile",
        "AWSLogs/111122223333/Config/ConfigWritabilityCheckFile",
        "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/x.parquet",
        "111122223333_vpcflowlogs_us-east-1_fl-1_20260901T1205Z_x.log.gz",
    ] {
        assert_eq!(Layout::of(path).kind, ObjectKind::OtherService, "{path}");
    }
}

#[test]
fn somebodys_copy_is_not_another_service() {
    for path in [
        "AWSLogs/111122223333/incident-7/events.json",
        "AWSLogs/111122223333/2026/09/01/events.json",
        "AWSLogs/111122223333/events.json",
        "AWSLogs/incident-7/events.json",
        "AWSLogs/events.json",
        "Config/events.json",
    ] {
        assert_eq!(Layout::of(path).kind, ObjectKind::Unknown, "{path}");
    }
    // The file name knows better than the folder that somebody made.
    let path = format!("AWSLogs/111122223333/copy/{NAME}");
    check(&path, "Unknown - 111122223333 eu-west-1 2026-09-01 12:05:00");
}

#[test]
fn file_names_outside_of_a_tree() {
    let all = "CloudTrail - 111122223333 eu-west-1 2026-09-01 12:05:00";
    check(NAME, all);
    check(&format!("./downloads/{NAME}"), all);
    check(&format!("CloudTrail-Digest/{NAME}"), all);
    for tail in [".json", "_x.json.gz.1", "Ab3dEfGh1JkLmN0p.json.gz", "_x (1).json", ""] {
        check(&format!("111122223333_CloudTrail_eu-west-1_20260901T1205Z{tail}"), all);
    }
    check("111122223333_CloudTrail_eu-west-1.json.gz", "CloudTrail - 111122223333 - - -");
    check("11112222333_CloudTrail_eu-west-1_20260901T1205Z_x.json.gz", "Unknown - - - - -");
    check("111122223333_cloudtrail_eu-west-1_20260901T1205Z_x.json.gz", "Unknown - - - - -");
}

#[test]
fn where_folders_and_name_disagree_neither_is_believed() {
    check(
        &format!("AWSLogs/444455556666/CloudTrail-Digest/us-east-1/2026/08/31/{NAME}"),
        "Unknown - - - 2026-08-31 12:05:00",
    );
}

#[test]
fn nonsense_is_no_date() {
    for days in ["2026/13/01", "2026/02/30", "26/09/01", "2026/09", "+026/09/01", "2026/九/01"] {
        assert_eq!(Layout::of(&format!("AWSLogs/111122223333/CloudTrail/eu-west-1/{days}/x.gz")).date, None, "{days}");
    }
    for time in ["20260901T2505Z", "20260901T120Z", "20260901 1205Z", "20260901T1205", "２０260901T1205Z"] {
        assert_eq!(
            Layout::of(&format!("111122223333_CloudTrail_eu-west-1_{time}_x.json.gz")).delivered,
            None,
            "{time}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_gives_a_layout(path in r"(AWSLogs|o-[a-z0-9]{10}|111122223333|CloudTrail|eu-west-1|2026|[/\\]|_|\PC){0,24}") {
        Layout::of(&path);
    }
}

#[test]
fn the_tail_begins_where_the_tree_begins() {
    let tree = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/a.json.gz";
    for before in ["", "/", "./", "/srv/copy/", "s3://bucket/", "s3://bucket/AWSLogs/x/", "notAWSLogs/"] {
        assert_eq!(tail(&format!("{before}{tree}")), tree, "{before}");
    }
    let twice = format!("AWSLogs/444455556666/CloudTrail/{tree}");
    assert_eq!(tail(&twice), tree, "the last one that makes sense, as of the layout");
    for (path, name) in
        [("a/b.json.gz", "b.json.gz"), ("b", "b"), ("", ""), ("AWSLogs/x/y", "y"), ("AWSLogs", "AWSLogs")]
    {
        assert_eq!(tail(path), name, "{path}");
    }
}
