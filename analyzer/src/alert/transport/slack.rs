//! Incoming webhooks as Slack has them; Mattermost and Rocket.Chat take the same.

use std::time::Duration;

use serde_json::json;

use super::http::Poster;
use super::{SendError, Transport};
use crate::alert::message::Alert;
use crate::config::WebUrl;

/// One channel.
pub(super) struct Slack(Poster);

impl Slack {
    pub(super) fn open(url: &WebUrl) -> Result<Self, SendError> {
        Poster::open(url).map(Self)
    }
}

impl Transport for Slack {
    fn send(&mut self, alert: &Alert, timeout: Duration) -> Result<(), SendError> {
        // A preview would make Slack fetch what an attacker wrote into a log.
        let body = json!({ "text": alert.slack, "mrkdwn": true, "unfurl_links": false, "unfurl_media": false });
        self.0.post(&body.to_string(), &[], timeout).map(drop)
    }
}
