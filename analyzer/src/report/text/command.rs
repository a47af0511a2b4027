//! Shell commands on a page: quoting what they carry, and breaking them so that they still paste.

use unicode_width::UnicodeWidthStr;

/// Indent of continued lines.
pub(super) const CONTINUED: usize = 4;

/// True for a line of a remediation that is a command.
pub(super) fn is_command(line: &str) -> bool {
    ["aws ", "keytrail ", "$ "].iter().any(|start| line.starts_with(start))
}

/// Lines of a command, every line but the last ending in ` \`. It breaks between words only, never inside quotes, and
/// keeps `--option value` together where that fits. Lines after the first are printed [`CONTINUED`] columns further in.
pub(super) fn wrap(command: &str, width: usize) -> Vec<String> {
    if command.width() <= width {
        return vec![command.to_string()];
    }
    let mut lines: Vec<String> = vec![String::new()];
    for group in groups(command, width.saturating_sub(CONTINUED + 2)) {
        let indent = if lines.len() > 1 { CONTINUED } else { 0 };
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(&group);
        } else if indent + line.width() + 1 + group.width() + 2 <= width {
            line.push(' ');
            line.push_str(&group);
        } else {
            line.push_str(" \\");
            lines.push(group);
        }
    }
    lines
}

/// Words of the command, an option and its value as one group when the two are not too wide for a line.
fn groups(command: &str, widest: usize) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for word in words(command) {
        match groups.last_mut() {
            Some(last)
                if last.starts_with("--")
                    && !last.contains([' ', '='])
                    && !word.starts_with('-')
                    && last.width() + 1 + word.width() <= widest =>
            {
                last.push(' ');
                last.push_str(&word);
            }
            _ => groups.push(word),
        }
    }
    groups
}

/// Splits at spaces outside of quotes; quotes and backslashes stay in the words.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut escaped = false;
    for c in command.chars() {
        let space = c == ' ' && quote.is_none() && !escaped;
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        if space {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_before_options_and_keeps_arns_whole() {
        let command = "aws kms cancel-key-deletion --region eu-central-1 --key-id arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(
            wrap(command, 60),
            [
                r"aws kms cancel-key-deletion --region eu-central-1 --key-id \",
                "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            ]
        );
        assert_eq!(wrap("aws kms list-keys", 60), ["aws kms list-keys"]);
    }

    #[test]
    fn never_breaks_inside_quotes() {
        let command =
            r#"aws kms put-key-policy --policy '{"Statement": [ ]}' --description "it's \" fine" --key-id a\ b"#;
        let lines = wrap(command, 30);
        assert_eq!(
            lines,
            [
                r"aws kms put-key-policy \",
                r#"--policy \"#,
                r#"'{"Statement": [ ]}' \"#,
                r#"--description \"#,
                r#""it's \" fine" \"#,
                r"--key-id a\ b",
            ]
        );
    }
}
