//! The generic webhook: the JSON of the message, signed.
//!
//! `Keytrail-Signature: t=<seconds since the epoch>,v1=<hex>`: HMAC-SHA256 with the shared secret over `<t>.<body>`, so that
//! neither can be changed and an old request is seen to be old. `Idempotency-Key` is the same for repeats of a message.

use std::fmt::Write as _;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::http::Poster;
use super::secret::{Secret, resolve};
use super::{SendError, Transport};
use crate::alert::message::Alert;
use crate::config::{SecretRef, WebUrl};

/// One address with its key.
pub(super) struct Webhook {
    poster: Poster,
    secret: Option<Secret>,
    /// Seconds since the epoch.
    time: i64,
}

impl Webhook {
    pub(super) fn open(url: &WebUrl, secret: Option<&SecretRef>, now: i64) -> Result<Self, SendError> {
        let secret = secret.map(resolve).transpose()?;
        Ok(Self { poster: Poster::open(url)?, secret, time: now.div_euclid(1000) })
    }
}

impl Transport for Webhook {
    fn send(&mut self, alert: &Alert, timeout: Duration) -> Result<(), SendError> {
        let signature = self.secret.as_ref().map(|secret| sign(secret, self.time, &alert.json)).transpose()?;
        let mut headers = vec![("Idempotency-Key", alert.dedup.as_str()), ("Keytrail-Kind", alert.kind)];
        headers.extend(signature.as_deref().map(|signature| ("Keytrail-Signature", signature)));
        self.poster.post(&alert.json, &headers, timeout).map(drop)
    }
}

fn sign(secret: &Secret, time: i64, body: &str) -> Result<String, SendError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes())
        .map_err(|_| SendError::lasting("the secret of the webhook cannot sign"))?;
    mac.update(format!("{time}.").as_bytes());
    mac.update(body.as_bytes());
    let mut signature = format!("t={time},v1=");
    for byte in mac.finalize().into_bytes() {
        let _ = write!(signature, "{byte:02x}");
    }
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_openssl_computes() {
        // printf '%s' '1772356447.{"a":1}' | openssl dgst -sha256 -hmac 'a shared secret'
        let signature = sign(&Secret::of("a shared secret"), 1_772_356_447, "{\"a\":1}").unwrap();
        assert_eq!(signature, "t=1772356447,v1=230944ea6d239ef1df47afbaa96074e8f3ab2043c009ce2a009b7d1ff32ba3b4");
    }
}
