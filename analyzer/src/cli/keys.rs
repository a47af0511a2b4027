//! `keytrail keys`.

use std::path::Path;

use super::args::{KeysArgs, KeysFormat};
use super::exit::ExitReason;
use super::failure::Failure;
use super::output::Output;
use super::scan::warn_of_gaps;
use super::terminal::Terminal;
use super::{progress, settings};
use crate::pipeline::{self, ScanOptions};
use crate::report::keys::{self, Inventory};
use crate::report::{human, text};
use crate::view::inventory::KeyRow;

pub(super) fn run(args: &KeysArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let settings = settings::begin(&args.around, terminal)?;
    settings::no_terminal(&args.sources, terminal, "keytrail keys - < FILE")?;
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let format = args.format.or_else(|| output.and_then(format_of)).unwrap_or(KeysFormat::Text);
    let output = output.map(Output::check).transpose()?;

    let options = ScanOptions {
        accounts: args.only.account.clone(),
        regions: args.only.region.clone(),
        as_of: args.as_of.map(|when| when.end_ms()),
        inventory: args.kms.inventory.clone(),
        ..args.around.options(&args.sources, settings)
    };
    let (report, keys) = pipeline::survey(&options, &*progress::display(terminal), &|key, cx| {
        Some(KeyRow::of(key, cx.dictionary, cx.reach()))
    })?;
    let inventory = Inventory::new(report, keys);
    warn_of_gaps(&inventory.report.coverage, terminal);

    let look = if output.is_some() { terminal.file_look() } else { terminal.look() };
    let text = match format {
        KeysFormat::Text => keys::text(&inventory, look),
        KeysFormat::Json => keys::json(&inventory),
        KeysFormat::Csv => keys::csv(&inventory),
    };
    match output {
        None => terminal.print(text.as_bytes())?,
        Some(output) => {
            let path = output.path().display().to_string();
            output.write(text.as_bytes())?;
            terminal.note(format!("wrote {} to {path}", human::count(inventory.keys.len() as u64, "key")));
        }
    }
    if format == KeysFormat::Csv {
        // Rows have no place for it.
        let block = text::render_coverage(&inventory.report, terminal.err_look(), "keys");
        terminal.note_block(&block);
    }
    Ok(ExitReason::of_report(inventory.report.coverage.is_complete(), false))
}

/// What the end of a file name says about its format.
fn format_of(path: &Path) -> Option<KeysFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(KeysFormat::Json),
        "csv" => Some(KeysFormat::Csv),
        _ => None,
    }
}
