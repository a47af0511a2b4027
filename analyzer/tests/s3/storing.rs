use keytrail::source::s3::{Condition, S3Error};

use super::server::{Fault, Server};

#[test]
fn a_bucket_is_a_store_with_conditions() {
    let server = Server::new();
    let bucket = server.session().bucket("logs").unwrap();
    assert_eq!(bucket.get("lake/manifest").unwrap(), None);
    let first = bucket.put("lake/manifest", b"one".to_vec(), Condition::Absent).unwrap();
    assert_eq!(bucket.get("lake/manifest").unwrap(), Some((b"one".to_vec(), first.clone())));

    let conflict = |condition| bucket.put("lake/manifest", b"no".to_vec(), condition).unwrap_err();
    assert_eq!(conflict(Condition::Absent), S3Error::Conflict("s3://logs/lake/manifest".into()));
    assert!(matches!(conflict(Condition::Matches("\"0000\"".into())), S3Error::Conflict(_)));
    let second = bucket.put("lake/manifest", b"two".to_vec(), Condition::Matches(first.clone())).unwrap();
    assert!(matches!(conflict(Condition::Matches(first)), S3Error::Conflict(_)));
    assert_ne!(second, bucket.put("lake/manifest", b"three".to_vec(), Condition::Always).unwrap());

    bucket.delete("lake/manifest").unwrap();
    bucket.delete("lake/manifest").unwrap();
    assert_eq!(bucket.get("lake/manifest").unwrap(), None);
    let gone = bucket.put("lake/manifest", b"no".to_vec(), Condition::Matches(second)).unwrap_err();
    assert!(matches!(gone, S3Error::Conflict(_)), "{gone}");
}

#[test]
fn all_of_a_folder_is_listed_over_pages() {
    let server = Server::new();
    for file in 0..1700 {
        server.buckets.put("logs", &format!("lake/{file:05}.parquet"), "x".repeat(file % 7));
    }
    server.buckets.put("logs", "other", "x");
    let bucket = server.session().bucket("logs").unwrap();
    let found = bucket.list_all("lake/").unwrap();
    assert_eq!(found.len(), 1700);
    assert!(found.is_sorted_by(|a, b| a.key < b.key));
    assert_eq!((found[6].size, found[6].etag.is_some()), (6, true));
}

#[test]
fn refusals_are_errors() {
    let server =
        Server::with(|seen| (seen.method != "HEAD").then_some(Fault::Answer(403, "AccessDenied", "Access Denied")));
    let bucket = server.session().bucket("logs").unwrap();
    assert!(matches!(bucket.get("x").unwrap_err(), S3Error::Denied { .. }));
    assert!(matches!(bucket.put("x", Vec::new(), Condition::Always).unwrap_err(), S3Error::Denied { .. }));
    assert!(matches!(bucket.delete("x").unwrap_err(), S3Error::Denied { .. }));
    assert!(matches!(bucket.list_all("x").unwrap_err(), S3Error::Denied { .. }));
}

#[test]
fn conflicts_that_s3_sees_while_writing() {
    let busy = "The conditional request cannot succeed due to a conflicting operation";
    let server = Server::with(move |seen| {
        (seen.method == "PUT").then_some(Fault::Answer(409, "ConditionalRequestConflict", busy))
    });
    let bucket = server.session().bucket("logs").unwrap();
    let error = bucket.put("x", b"x".to_vec(), Condition::Absent).unwrap_err();
    assert!(matches!(error, S3Error::Conflict(_)), "{error}");
}
