//! One sink while it is being told: repeats what may work in a moment, within the budget.

use std::time::Duration;

use super::clock::Clock;
use super::message::Alert;
use super::transport::{self, SendError, Transport};
use crate::config::AlertSink;

/// Attempts for one message.
const ATTEMPTS: u32 = 3;

/// Wait before the second attempt; each further one waits four times as long.
const WAIT: Duration = Duration::from_millis(500);

/// The longest that one attempt may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A sink that is opened when the first message goes to it.
pub(super) struct Post<'s> {
    sink: &'s AlertSink,
    clock: Clock,
    transport: Option<Box<dyn Transport>>,
}

impl<'s> Post<'s> {
    pub(super) fn new(sink: &'s AlertSink, clock: Clock) -> Self {
        Self { sink, clock, transport: None }
    }

    /// A sink whose messages go somewhere else.
    pub(super) fn to(sink: &'s AlertSink, clock: Clock, transport: Box<dyn Transport>) -> Self {
        Self { sink, clock, transport: Some(transport) }
    }

    /// Hands a message over.
    pub(super) fn send(&mut self, alert: &Alert) -> Result<(), SendError> {
        let transport = match &mut self.transport {
            Some(transport) => transport,
            None => self.transport.insert(transport::open(self.sink, self.clock.now())?),
        };
        let mut wait = WAIT;
        let mut attempt = 1;
        loop {
            let left = self.clock.left().min(PATIENCE);
            if left.is_zero() {
                return Err(SendError { message: "no time left to send it in this run".into(), transient: true });
            }
            match transport.send(alert, left) {
                Err(error) if error.transient && attempt < ATTEMPTS && self.clock.left() > wait => {
                    std::thread::sleep(wait);
                    wait *= 4;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }
}
