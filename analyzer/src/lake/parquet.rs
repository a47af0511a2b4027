//! Single columns of Parquet files: the reader takes what it needs of a row group and pays for nothing else. Files that we
//! write do not carry polars' description of their types, which is longer than many a file: the column tables know them.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use polars::prelude::*;
use polars_arrow::array::{Array, DictionaryArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, DTYPE_CATEGORICAL_NEW, IntegerType, Metadata};
use polars_arrow::types::NativeType;
use polars_buffer::Buffer;
use polars_parquet::parquet::metadata::FileMetadata;
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, PageReader, RowGroupMetadata, column_iter_to_arrays, read_metadata,
};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter, KeyValue, Page,
    ParquetType, StatisticsOptions, Version, WriteOptions, array_to_columns, compress, fallible_streaming_iterator,
    get_dtype_encoding,
};

/// Rows of one row group.
const GROUP_ROWS: usize = 1 << 16;

/// How a column of so many bytes is compressed. Zstandard packs best, but every column costs its reader a new decompressor,
/// and on a virtual machine that takes as long as unpacking tens of kilobytes. Most columns of a small file are tiny.
fn codec(bytes: usize) -> CompressionOptions {
    match bytes {
        0..1_024 => CompressionOptions::Uncompressed,
        1_024..32_768 => CompressionOptions::Snappy,
        _ => CompressionOptions::Zstd(None),
    }
}

/// Writes frames of one schema one after the other; no row group holds rows of two of them.
///
/// # Errors
/// When polars cannot encode them.
pub(super) fn encode(frames: &[DataFrame], notes: Vec<(&str, String)>) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(first) = frames.first() else { return Ok(bytes) };
    // Counts of nulls tell which columns are empty. Smallest and largest values would tell nothing that path and manifest do
    // not, and cost more than the values in a small file.
    let statistics = StatisticsOptions { null_count: true, ..StatisticsOptions::empty() };
    let compression = CompressionOptions::Uncompressed;
    let options = WriteOptions { statistics, version: Version::V1, compression, data_page_size: None };
    let mut writer = FileWriter::try_new(&mut bytes, first.schema().to_arrow(CompatLevel::newest()), options)?;
    let types = writer.parquet_schema().fields().to_vec();
    for frame in frames {
        for start in (0..frame.height()).step_by(GROUP_ROWS) {
            let mut group = frame.slice(start as i64, GROUP_ROWS);
            group.rechunk_mut();
            let columns = group.columns().iter().zip(&types);
            let columns: Vec<Vec<CompressedPage>> =
                columns.map(|(column, dtype)| pages(column, dtype, options)).collect::<PolarsResult<_>>()?;
            let columns = columns.iter().map(|pages| {
                Ok(DynStreamingIterator::new(fallible_streaming_iterator::convert(pages.iter().map(PolarsResult::Ok))))
            });
            writer.write(group.height() as u64, DynIter::new(columns))?;
        }
    }
    let notes = notes.into_iter().map(|(key, value)| KeyValue { key: key.into(), value: Some(value) }).collect();
    writer.end(Some(notes))?;
    Ok(bytes)
}

/// One column of a row group.
fn pages(column: &Column, dtype: &ParquetType, options: WriteOptions) -> PolarsResult<Vec<CompressedPage>> {
    let array = column.as_materialized_series().to_arrow(0, CompatLevel::newest());
    // A dictionary of nothing would still have its header.
    let empty = array.null_count() == array.len();
    let encodings = if empty { vec![Encoding::Plain] } else { get_dtype_encoding(array.dtype()) };
    let mut pages = Vec::new();
    for leaf in array_to_columns(array, dtype.clone(), options, &encodings)? {
        for page in leaf {
            pages.push(page?);
        }
    }
    let size = |page: &Page| match page {
        Page::Data(page) => page.buffer().len(),
        Page::Dict(page) => page.buffer.len(),
    };
    let size: usize = pages.iter().map(size).sum();
    let codec = codec(size);
    pages.into_iter().map(|page| Ok(compress(page, Vec::new(), codec)?)).collect()
}

/// Marks a column as one of polars' own categories: only of these it gives the dictionary as it stands.
static CODED: LazyLock<Arc<Metadata>> = LazyLock::new(|| {
    Arc::new([(PlSmallStr::from_static(DTYPE_CATEGORICAL_NEW), PlSmallStr::EMPTY)].into_iter().collect())
});

/// Text of one column of a row group.
pub(super) enum Texts {
    /// Each distinct text once, and where it stands.
    Coded(DictionaryArray<u32>),
    /// Row by row.
    Plain(Utf8ViewArray),
}

impl Texts {
    /// Calls `each` with every row's text.
    pub(super) fn each<'t>(&'t self, each: &mut dyn FnMut(Option<&'t str>)) -> PolarsResult<()> {
        match self {
            Self::Plain(texts) => texts.iter().for_each(each),
            Self::Coded(coded) => {
                let texts = distinct(coded)?;
                coded.keys().iter().for_each(|key| each(key.map(|key| texts.value(*key as usize))));
            }
        }
        Ok(())
    }

    /// Calls `each` with what `of` gives for every row's text; `of` is asked once per distinct text where that is known.
    pub(super) fn map<T: Copy>(
        &self,
        of: &mut dyn FnMut(&str) -> T,
        each: &mut dyn FnMut(Option<T>),
    ) -> PolarsResult<()> {
        match self {
            Self::Plain(texts) => texts.iter().for_each(|text| each(text.map(&mut *of))),
            Self::Coded(coded) => {
                let values: Vec<T> = distinct(coded)?.values_iter().map(of).collect();
                coded.keys().iter().for_each(|key| each(key.map(|key| values[*key as usize])));
            }
        }
        Ok(())
    }
}

fn distinct(coded: &DictionaryArray<u32>) -> PolarsResult<&Utf8ViewArray> {
    let texts = coded.values().as_any().downcast_ref();
    texts.ok_or_else(|| polars_err!(ComputeError: "a dictionary of something other than text"))
}

/// A Parquet file in memory.
pub(super) struct Parquet {
    bytes: Buffer<u8>,
    metadata: FileMetadata,
}

impl Parquet {
    /// Reads the footer.
    ///
    /// # Errors
    /// When the bytes are no Parquet file.
    pub(super) fn open(bytes: Vec<u8>) -> PolarsResult<Self> {
        let metadata = read_metadata(&mut Cursor::new(&bytes))?;
        Ok(Self { bytes: Buffer::from_vec(bytes), metadata })
    }

    /// A note of the footer.
    pub(super) fn note(&self, key: &str) -> Option<&str> {
        let notes = self.metadata.key_value_metadata.as_ref()?;
        notes.iter().find(|note| note.key == key)?.value.as_deref()
    }

    /// Rows of all groups.
    pub(super) fn height(&self) -> usize {
        self.groups().map(RowGroupMetadata::num_rows).sum()
    }

    /// The row groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = &RowGroupMetadata> {
        self.metadata.row_groups.iter()
    }

    /// The chunk of a column, unless it is all null.
    fn chunk<'g>(&self, group: &'g RowGroupMetadata, name: &str) -> PolarsResult<Option<&'g ColumnChunkMetadata>> {
        let Some(mut chunks) = group.columns_under_root_iter(name) else { return Ok(None) };
        let (Some(chunk), None) = (chunks.next(), chunks.next()) else {
            polars_bail!(ComputeError: "the column `{name}` is nested");
        };
        let nulls = chunk.statistics(&self.metadata.footer_buf).transpose()?.and_then(|stats| stats.null_count());
        Ok((nulls != Some(group.num_rows() as i64)).then_some(chunk))
    }

    fn array(&self, chunk: &ColumnChunkMetadata, field: ArrowField, rows: usize) -> PolarsResult<Box<dyn Array>> {
        let name = field.name.clone();
        let range = chunk.byte_range();
        polars_ensure!(range.end <= self.bytes.len() as u64, ComputeError: "the column `{name}` reaches beyond the file");
        let bytes = self.bytes.clone().sliced(range.start as usize..range.end as usize);
        let pages = PageReader::new(Cursor::new(bytes), chunk, Vec::new(), usize::MAX);
        let pages = BasicDecompressor::new(pages, Vec::new());
        let types = vec![&chunk.descriptor().descriptor.primitive_type];
        let (mut arrays, _) = column_iter_to_arrays(vec![pages], types, field, None)?;
        match (arrays.pop(), arrays.is_empty()) {
            (Some(array), true) if array.len() == rows => Ok(array),
            _ => polars_bail!(ComputeError: "the column `{name}` does not have {rows} rows"),
        }
    }

    /// Text of a column; `None` when it has no value or is not there.
    pub(super) fn texts(&self, group: &RowGroupMetadata, name: &str) -> PolarsResult<Option<Texts>> {
        let Some(chunk) = self.chunk(group, name)? else { return Ok(None) };
        let rows = group.num_rows();
        if chunk.dictionary_page_offset().is_some() {
            let dtype = ArrowDataType::Dictionary(IntegerType::UInt32, Box::new(ArrowDataType::Utf8View), false);
            let field = ArrowField { name: name.into(), dtype, is_nullable: true, metadata: Some(CODED.clone()) };
            // A column with few repetitions may have given up its dictionary midway.
            if let Ok(array) = self.array(chunk, field, rows) {
                return Ok(array.as_any().downcast_ref().cloned().map(Texts::Coded));
            }
        }
        let field = ArrowField::new(name.into(), ArrowDataType::Utf8View, true);
        Ok(self.array(chunk, field, rows)?.as_any().downcast_ref().cloned().map(Texts::Plain))
    }

    /// Text of a column as polars holds it.
    pub(super) fn strings(&self, group: &RowGroupMetadata, name: &str) -> PolarsResult<Option<ArrayRef>> {
        let Some(chunk) = self.chunk(group, name)? else { return Ok(None) };
        let field = ArrowField::new(name.into(), ArrowDataType::Utf8View, true);
        self.array(chunk, field, group.num_rows()).map(Some)
    }

    /// Booleans of a column.
    pub(super) fn booleans(&self, group: &RowGroupMetadata, name: &str) -> PolarsResult<Option<ArrayRef>> {
        let Some(chunk) = self.chunk(group, name)? else { return Ok(None) };
        let field = ArrowField::new(name.into(), ArrowDataType::Boolean, true);
        self.array(chunk, field, group.num_rows()).map(Some)
    }

    /// Numbers of a column; times are milliseconds.
    pub(super) fn numbers<T: NativeType>(
        &self,
        group: &RowGroupMetadata,
        name: &str,
    ) -> PolarsResult<Option<PrimitiveArray<T>>> {
        let Some(chunk) = self.chunk(group, name)? else { return Ok(None) };
        let field = ArrowField::new(name.into(), T::PRIMITIVE.into(), true);
        let array = self.array(chunk, field, group.num_rows())?;
        match array.as_any().downcast_ref::<PrimitiveArray<T>>() {
            Some(numbers) => Ok(Some(numbers.clone())),
            None => polars_bail!(ComputeError: "the column `{name}` holds something else"),
        }
    }
}

/// Runs a reader over bytes that anybody may have damaged: the Parquet reader of polars may panic on them.
pub(super) fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> PolarsResult<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| polars_bail!(ComputeError: "the file is damaged"))
}
