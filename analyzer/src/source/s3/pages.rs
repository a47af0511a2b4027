//! One page of a listing, from the service.

use aws_sdk_s3::types::{EncodingType, ObjectStorageClass as Class, OptionalObjectAttributes};

use super::Bucket;
use super::backoff::Tries;
use super::error::Failure;
use super::plan::{Entry, Page, Task};
use crate::decode::SkipReason;

/// Asks for a page until it is there or there is no hope.
pub(super) async fn get(bucket: &Bucket, task: &Task) -> Result<Page, Failure> {
    let patience = &bucket.session.shared.options.patience;
    // Each attempt of the SDK may connect, wait for the answer, read it, and wait before the next one.
    let once = patience.connect + patience.response + patience.stall + patience.longest_wait;
    let limit = once.saturating_mul(patience.attempts.max(1));
    let mut tries = Tries::new(patience);
    loop {
        let failure = match tokio::time::timeout(limit, get_once(bucket, task)).await {
            Ok(Ok(page)) => return Ok(page),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::new(SkipReason::Unavailable, format!("no answer within {} s", limit.as_secs()), false),
        };
        tries.after(failure).await?;
    }
}

/// The next page of everything below a prefix.
pub(super) async fn get_all(bucket: &Bucket, prefix: &str, token: Option<String>) -> Result<Page, Failure> {
    get(bucket, &Task::plain(prefix, token)).await
}

async fn get_once(bucket: &Bucket, task: &Task) -> Result<Page, Failure> {
    let answer = bucket
        .client
        .list_objects_v2()
        .bucket(&*bucket.name)
        .prefix(&task.prefix)
        .set_delimiter(task.delimited.then(|| "/".to_owned()))
        // A token stands for the place as well.
        .set_start_after(task.start_after.clone().filter(|_| task.token.is_none()))
        .set_continuation_token(task.token.clone())
        // A key may hold characters that no XML can: one such key must not hide a thousand others.
        .encoding_type(EncodingType::Url)
        .optional_object_attributes(OptionalObjectAttributes::RestoreStatus)
        .set_request_payer(bucket.payer())
        .send()
        .await
        .map_err(|error| Failure::of(&error))?;

    let encoded = answer.encoding_type() == Some(&EncodingType::Url);
    let text = |text: &str| if encoded { decode(text) } else { text.to_owned() };
    let entries = answer.contents().iter().filter_map(|object| {
        let archived = match object.storage_class() {
            Some(class @ (Class::Glacier | Class::DeepArchive)) => {
                let restored = object.restore_status().is_some_and(|status| {
                    status.is_restore_in_progress() != Some(true) && status.restore_expiry_date().is_some()
                });
                (!restored).then(|| class.as_str().to_owned())
            }
            _ => None,
        };
        Some(Entry {
            key: text(object.key()?),
            size: object.size().and_then(|size| size.try_into().ok()).unwrap_or(0),
            etag: object.e_tag().map(Into::into),
            archived,
        })
    });
    let next = answer.next_continuation_token().filter(|_| answer.is_truncated() == Some(true));
    Ok(Page {
        entries: entries.collect(),
        folders: answer.common_prefixes().iter().filter_map(|folder| folder.prefix().map(text)).collect(),
        next: next.map(str::to_owned),
    })
}

/// Takes back the encoding of keys in listings: that of forms.
fn decode(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |at: usize| rest.clone().nth(at).and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (hex(0), hex(1)) {
                (Some(high), Some(low)) => {
                    rest.nth(1);
                    (high * 16 + low) as u8
                }
                _ => b'%',
            },
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded() {
        for (encoded, key) in [
            ("AWSLogs/1/x.json.gz", "AWSLogs/1/x.json.gz"),
            ("a+b%2Bc%20d", "a b+c d"),
            ("%01%E2%82%AC%", "\u{1}€%"),
            ("100%zz%4", "100%zz%4"),
        ] {
            assert_eq!(decode(encoded), key);
        }
    }
}
