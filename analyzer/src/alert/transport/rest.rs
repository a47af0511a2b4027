//! Services that take many things in one request may take some of them.

use super::SendError;

/// What is left of a message of which a part was taken: a repeat hands over that part only.
pub(super) struct Rest<T> {
    /// Id of the message.
    of: String,
    left: Vec<T>,
}

impl<T> Default for Rest<T> {
    fn default() -> Self {
        Self { of: String::new(), left: Vec::new() }
    }
}

/// What was refused: place in the request, code and message of the service.
pub(super) type Refused = (usize, String, String);

impl<T: Clone> Rest<T> {
    /// Hands a message over. `write` gives all of it, `cut` its requests, `call` what was refused of a request.
    ///
    /// # Errors
    /// When any of it was not taken: what, how much and why.
    pub(super) fn send(
        &mut self,
        dedup: &str,
        write: impl FnOnce() -> Vec<T>,
        cut: impl Fn(&[T]) -> Vec<&[T]>,
        mut call: impl FnMut(&[T]) -> Result<Vec<Refused>, SendError>,
    ) -> Result<(), SendError> {
        if self.of != dedup || self.left.is_empty() {
            self.left = write();
            dedup.clone_into(&mut self.of);
        }
        let all = std::mem::take(&mut self.left);
        let requests = cut(&all);
        let mut reasons: Vec<String> = Vec::new();
        let mut transient = false;
        for (at, request) in requests.iter().enumerate() {
            match call(request) {
                Ok(refused) => {
                    for (place, code, message) in refused {
                        self.left.extend(request.get(place).cloned());
                        transient |= passes(&code);
                        reasons.push(if message.is_empty() { code } else { format!("{code}: {message}") });
                    }
                }
                Err(error) => {
                    self.left.extend(requests[at..].iter().flat_map(|request| request.iter().cloned()));
                    return Err(error);
                }
            }
        }
        let Some(first) = reasons.first() else { return Ok(()) };
        let message = format!("{} of {} were not taken: {first}", reasons.len(), all.len());
        Err(SendError { message, transient })
    }
}

/// True for what may be taken in a moment.
fn passes(code: &str) -> bool {
    ["Throttl", "TooMany", "Internal", "Unavailable", "LimitExceeded"].iter().any(|part| code.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs<'a>(items: &'a [&'static str]) -> Vec<&'a [&'static str]> {
        items.chunks(2).collect()
    }

    #[test]
    fn a_repeat_hands_over_what_was_not_taken_and_nothing_else() {
        let mut rest = Rest::default();
        let all = || vec!["a", "b", "c", "d", "e"];
        let mut asked: Vec<Vec<&str>> = Vec::new();
        let refuse_b = |request: &[&'static str]| {
            asked.push(request.to_vec());
            let refused = request.iter().position(|item| *item == "b");
            Ok(refused.map(|at| (at, "ThrottlingException".to_owned(), "slowly".to_owned())).into_iter().collect())
        };
        let error = rest.send("1", all, pairs, refuse_b).unwrap_err();
        assert_eq!(error, SendError::passing("1 of 5 were not taken: ThrottlingException: slowly"));
        assert_eq!(asked, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);

        let mut again = Vec::new();
        let fails_at_all = |_: &[&'static str]| Err(SendError::passing("no connection"));
        rest.send("1", all, pairs, fails_at_all).unwrap_err();
        let take = |request: &[&'static str]| {
            again.extend_from_slice(request);
            Ok(Vec::new())
        };
        rest.send("1", all, pairs, take).unwrap();
        assert_eq!(again, ["b"]);

        // Another message is another message, whatever was left of the last.
        let invalid = |_: &[&'static str]| Ok(vec![(0, "InvalidInput".to_owned(), String::new())]);
        let error = rest.send("2", || vec!["x"], pairs, invalid).unwrap_err();
        assert_eq!(error, SendError::lasting("1 of 1 were not taken: InvalidInput"));
        let mut third = Vec::new();
        let take = |request: &[&'static str]| {
            third.extend_from_slice(request);
            Ok(Vec::new())
        };
        rest.send("3", || vec!["y"], pairs, take).unwrap();
        assert_eq!(third, ["y"]);
    }
}
