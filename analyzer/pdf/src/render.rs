//! From data to bytes.

use thiserror::Error;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp, pdf};

use crate::text;
use crate::world::Room;

/// Why there is no PDF.
#[derive(Debug, Error)]
pub enum Error {
    /// The data are not of the shape that the template reads, or the template does not fit the data.
    #[error("cannot set the report: {0}")]
    Set(String),
    /// What was set does not conform to the standards.
    #[error("cannot write the report as PDF: {0}")]
    Write(String),
}

/// When the document says that it was made, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

/// A report in pages.
#[derive(Debug)]
pub struct Document {
    pages: PagedDocument,
    ident: String,
}

impl Document {
    /// Sets a report.
    ///
    /// `data` has four members: `report`, a document `keytrail.report/1`; `sources`, their names; `keys`, as in
    /// `keytrail.keys/1`; `changes`, entries as in `keytrail.timeline/1`, each with its `key`.
    ///
    /// # Errors
    /// When the data have another shape. Texts can be any texts.
    pub fn set(mut data: serde_json::Value) -> Result<Self, Error> {
        let room = Room::new();
        text::present(&mut data, room.fonts());
        let ident = data.to_string();
        let room = room.with(ident.clone());
        match typst::compile(&room).output {
            Ok(pages) => Ok(Self { pages, ident }),
            Err(all) => Err(Error::Set(said(&all))),
        }
    }

    /// How many pages there are.
    pub fn pages(&self) -> usize {
        self.pages.pages().len()
    }

    /// What stands on the pages, run by run, in the order in which it is drawn; one page per line.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for page in self.pages.pages() {
            collect(&page.frame, &mut text);
            text.push('\n');
        }
        text
    }

    /// Writes it as PDF/A-2a and PDF/UA-1.
    ///
    /// # Errors
    /// When `made` is no moment of the calendar, or what was set does not conform to the standards, which is a fault of the
    /// template.
    pub fn write(&self, made: Moment) -> Result<Vec<u8>, Error> {
        let standards = PdfStandards::new(&[PdfStandard::A_2a, PdfStandard::Ua_1])
            .map_err(|error| Error::Write(error.message().to_string()))?;
        let date = Datetime::from_ymd_hms(made.year, made.month, made.day, made.hour, made.minute, made.second)
            .ok_or_else(|| Error::Write(format!("{made:?} is not in the calendar")))?;
        let options = PdfOptions {
            // Hashed: another report has another identifier.
            ident: Smart::Custom(self.ident.clone()),
            creator: Smart::Custom(Some(format!("Keytrail {}", env!("CARGO_PKG_VERSION")))),
            timestamp: Some(Timestamp::new_utc(date)),
            standards,
            ..PdfOptions::default()
        };
        pdf(&self.pages, &options).map_err(|all| Error::Write(said(&all)))
    }
}

fn collect(frame: &Frame, text: &mut String) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => collect(&group.frame, text),
            FrameItem::Text(run) => text.push_str(&run.text),
            FrameItem::Shape(..) | FrameItem::Image(..) | FrameItem::Link(..) | FrameItem::Tag(_) => {}
        }
    }
}

/// What the typesetter says, as one line.
fn said(diagnostics: &[SourceDiagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect::<Vec<_>>().join("; ")
}
