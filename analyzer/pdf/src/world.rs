//! What the typesetter may see: the template, the data, the fonts. Nothing else exists.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Feature, Library, LibraryExt as _, World};

/// The template, the first file being the one that is set.
const FILES: [(&str, &str); 5] = [
    ("main.typ", include_str!("report/main.typ")),
    ("kit.typ", include_str!("report/kit.typ")),
    ("parts.typ", include_str!("report/parts.typ")),
    ("asked.typ", include_str!("report/asked.typ")),
    ("operating.typ", include_str!("report/operating.typ")),
];
/// The name under which the template reads the data.
const DATA: &str = "data.json";
/// The fonts that the template names, in the weights that it uses.
const FONTS: [&str; 2] = ["Libertinus Serif", "DejaVu Sans Mono"];

static ALL: LazyLock<Vec<Font>> = LazyLock::new(|| {
    let fonts = typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data)));
    fonts.filter(|font| FONTS.contains(&font.info().family.as_str())).collect()
});

/// A room without a door.
pub(crate) struct Room {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    sources: Vec<Source>,
    data: Bytes,
}

impl Room {
    /// Without data.
    pub(crate) fn new() -> Self {
        let sources =
            FILES.into_iter().filter_map(|(name, text)| Some(Source::new(file(name)?, text.into()))).collect();
        Self {
            // Summaries of tables, and heads of their rows.
            library: LazyHash::new(
                Library::builder().with_features([Feature::A11yExtras].into_iter().collect()).build(),
            ),
            book: LazyHash::new(FontBook::from_fonts(ALL.iter())),
            sources,
            data: Bytes::from_string("{}"),
        }
    }

    /// With these.
    pub(crate) fn with(mut self, data: String) -> Self {
        self.data = Bytes::from_string(data);
        self
    }

    /// Every font.
    pub(crate) fn fonts(&self) -> &'static [Font] {
        &ALL
    }
}

fn file(name: &str) -> Option<FileId> {
    Some(RootedPath::new(VirtualRoot::Project, VirtualPath::new(name).ok()?).intern())
}

fn no_file(id: FileId) -> FileError {
    FileError::NotFound(id.get().vpath().get_with_slash().into())
}

impl World for Room {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.sources[0].id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.sources.iter().find(|source| source.id() == id).cloned().ok_or_else(|| no_file(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if file(DATA) == Some(id) { Ok(self.data.clone()) } else { Err(no_file(id)) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        ALL.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
