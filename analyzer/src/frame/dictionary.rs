//! The run's dictionary of repeating text: one polars `Categories` for every categorical column, so that one code means
//! one text in all of them, on every thread.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use polars::prelude::{CategoricalMapping, CategoricalPhysical, Categories, DataType};

/// Code of a text in the run's [`Dictionary`]. Codes depend on the order of arrival: never sort or print by them.
pub type Sym = u32;

/// Text to code and back, shared by all threads of a run.
#[derive(Clone)]
pub struct Dictionary {
    dtype: DataType,
    mapping: Arc<CategoricalMapping>,
}

impl Default for Dictionary {
    fn default() -> Self {
        let categories = Categories::random("keytrail".into(), CategoricalPhysical::U32);
        let mapping = categories.mapping();
        Self { dtype: DataType::Categorical(categories, mapping.clone()), mapping }
    }
}

impl Dictionary {
    /// polars type of the categorical columns of this run.
    pub fn dtype(&self) -> &DataType {
        &self.dtype
    }

    /// Code of `text`, new or known.
    pub fn intern(&self, text: &str) -> Sym {
        self.mapping.insert_cat(text).expect("fewer than 2^32 distinct texts")
    }

    /// Code of `text` if it was ever seen.
    pub fn find(&self, text: &str) -> Option<Sym> {
        self.mapping.get_cat(text)
    }

    /// Text of a code that this dictionary gave out.
    pub fn text(&self, sym: Sym) -> &str {
        self.mapping.cat_to_str(sym).unwrap_or("")
    }
}

/// How many distinct texts a worker remembers before it starts over: bounds the memory that hostile input can claim twice.
const REMEMBERED: usize = 1 << 16;

/// A worker's view of the dictionary: remembers what it has looked up, so that the shared map is rarely asked.
pub struct Interner {
    dictionary: Dictionary,
    known: HashMap<Box<str>, Sym>,
}

impl Interner {
    /// An empty memory over `dictionary`.
    pub fn new(dictionary: Dictionary) -> Self {
        Self { dictionary, known: HashMap::new() }
    }

    /// The shared dictionary.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Code of `text`.
    pub fn sym(&mut self, text: &str) -> Sym {
        if let Some(&sym) = self.known.get(text) {
            return sym;
        }
        let sym = self.dictionary.intern(text);
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(text.into(), sym);
        sym
    }
}
