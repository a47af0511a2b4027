//! Reads the bytes of an answer, exactly as many as were announced.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;

use super::error::Failure;
use super::options::Patience;
use crate::decode::SkipReason;

/// For a whole body or part (8 MiB), however slowly it drips: 14 kB a second are no use to anyone.
const LONGEST: Duration = Duration::from_secs(600);

/// Reads a body of a known length.
pub(super) async fn read(mut body: ByteStream, size: u64, patience: &Patience) -> Result<Vec<u8>, Failure> {
    let again = |detail: String| Failure::new(SkipReason::Incomplete, detail, true);
    let mut bytes = Vec::with_capacity(usize::try_from(size).map_err(|_| again("too long for this machine".into()))?);
    let all = async {
        loop {
            let next = tokio::time::timeout(patience.stall, body.next()).await;
            let next = next.map_err(|_| {
                let (got, seconds) = (bytes.len(), patience.stall.as_secs_f32());
                again(format!("{got} of {size} bytes, then nothing for {seconds} s"))
            })?;
            let Some(chunk) = next else { break };
            let chunk = chunk
                .map_err(|error| Failure::of_body(&error).after(&format!("after {} of {size} bytes", bytes.len())))?;
            if bytes.len() as u64 + chunk.len() as u64 > size {
                return Err(again(format!("more than the {size} bytes that were announced")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    tokio::time::timeout(LONGEST, all)
        .await
        .map_err(|_| again(format!("not complete after {} s", LONGEST.as_secs())))??;
    if bytes.len() as u64 != size {
        return Err(again(format!("{} of {size} bytes, then the end", bytes.len())));
    }
    Ok(bytes)
}
