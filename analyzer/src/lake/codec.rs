//! Event rows as plain bytes, column by column. No reader but this process ever sees them, and dictionary codes stay valid
//! while it lives: that is all a spill needs, at a fraction of what a file format for others costs.

use std::io::{self, Read};

use polars::prelude::*;

use crate::frame::col::{BoolCol, CatCol, IntCol, StrCol, U32Col};
use crate::frame::column::codes;
use crate::frame::compact::COMPACT;
use crate::frame::schema::{COLUMNS, Kind, with_columns};
use crate::frame::{Columns, Sym};

/// Stands for null where a code or a length is written.
const NULL: u32 = u32::MAX;

/// Writes some values of one column; false when all of them are null.
trait Encode {
    fn is_carried(&self) -> bool;
    fn encode(&self, rows: &[u32], out: &mut Vec<u8>) -> bool;
}

impl Encode for U32Col<'_> {
    fn is_carried(&self) -> bool {
        U32Col::is_carried(self)
    }

    fn encode(&self, rows: &[u32], out: &mut Vec<u8>) -> bool {
        rows.iter().for_each(|&row| out.extend_from_slice(&self.get(row as usize).to_le_bytes()));
        true
    }
}

impl Encode for CatCol<'_> {
    fn is_carried(&self) -> bool {
        CatCol::is_carried(self)
    }

    fn encode(&self, rows: &[u32], out: &mut Vec<u8>) -> bool {
        let mut any = false;
        for &row in rows {
            let code = self.get(row as usize).unwrap_or(NULL);
            any |= code != NULL;
            out.extend_from_slice(&code.to_le_bytes());
        }
        any
    }
}

impl Encode for IntCol<'_> {
    fn is_carried(&self) -> bool {
        IntCol::is_carried(self)
    }

    fn encode(&self, rows: &[u32], out: &mut Vec<u8>) -> bool {
        let mut any = false;
        for &row in rows {
            let value = self.get(row as usize);
            any |= value.is_some();
            out.push(u8::from(value.is_some()));
            out.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
        }
        any
    }
}

impl Encode for BoolCol<'_> {
    fn is_carried(&self) -> bool {
        BoolCol::is_carried(self)
    }

    fn encode(&self, rows: &[u32], out: &mut Vec<u8>) -> bool {
        let mut any = false;
        for &row in rows {
            let value = self.get(row as usize);
            any |= value.is_some();
            out.push(value.map_or(2, u8::from));
        }
        any
    }
}

impl Encode for StrCol<'_> {
    fn is_carried(&self) -> bool {
        StrCol::is_carried(self)
    }

    fn encode(&self, rows: &[u32], out: &mut Vec<u8>) -> bool {
        let mut any = false;
        for &row in rows {
            let value = self.get(row as usize);
            any |= value.is_some();
            out.extend_from_slice(&value.map_or(NULL, |text| text.len() as u32).to_le_bytes());
            out.extend_from_slice(value.unwrap_or_default().as_bytes());
        }
        any
    }
}

/// Appends one column, unless it has no value.
fn column<'c, 'f: 'c, E: Encode + 'c>(
    number: &mut u8,
    parts: &[(&'c Columns<'f>, &[u32])],
    pick: &dyn Fn(&'c Columns<'f>) -> &'c E,
    out: &mut Vec<u8>,
) {
    if parts.iter().any(|(columns, _)| pick(columns).is_carried()) {
        let before = out.len();
        out.push(*number);
        let values = parts.iter().map(|(columns, rows)| pick(columns).encode(rows, out));
        if !values.fold(false, |any, value| any | value) {
            out.truncate(before);
        }
    }
    *number += 1;
}

macro_rules! encode {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        /// Appends these rows of some frames as one; columns without a value among them are left out.
        pub(super) fn encode(parts: &[(&Columns<'_>, &[u32])], out: &mut Vec<u8>) {
            let height: usize = parts.iter().map(|(_, rows)| rows.len()).sum();
            out.extend_from_slice(&(height as u32).to_le_bytes());
            let mut number = 0u8;
            $(
                column(&mut number, parts, &|columns| &columns.$name, out);
            )*
            for at in 0..COMPACT.len() {
                column(&mut number, parts, &|columns| &columns.compact[at], out);
            }
            out.push(number);
        }
    };
}
with_columns!(encode);

/// Reads back what [`encode()`] wrote: a frame in its bare form.
pub(super) fn decode(source: &mut dyn Read) -> PolarsResult<DataFrame> {
    let height = u32::from_le_bytes(array(source)?) as usize;
    let mut columns: Vec<Column> = Vec::new();
    loop {
        let [number] = array(source)?;
        let number = usize::from(number);
        let (name, kind) = match (COLUMNS.get(number), COMPACT.get(number.saturating_sub(COLUMNS.len()))) {
            (Some(column), _) => (column.name, column.kind),
            (None, Some(name)) => (*name, Kind::Int),
            (None, None) => break,
        };
        columns.push(series(source, name, kind, height)?.into());
    }
    DataFrame::new(height, columns)
}

fn series(source: &mut dyn Read, name: &'static str, kind: Kind, height: usize) -> PolarsResult<Series> {
    Ok(match kind {
        Kind::U32 => UInt32Chunked::from_vec(name.into(), numbers(source, height)?).into_series(),
        Kind::Cat => codes(name, numbers(source, height)?).into_series(),
        Kind::Int | Kind::Time => {
            let mut bytes = vec![0; 9 * height];
            source.read_exact(&mut bytes)?;
            let values = bytes
                .as_chunks::<9>()
                .0
                .iter()
                .map(|[present, value @ ..]| (*present == 1).then_some(i64::from_le_bytes(*value)));
            Int64Chunked::from_iter_options(name.into(), values).into_series()
        }
        Kind::Bool => {
            let mut bytes = vec![0; height];
            source.read_exact(&mut bytes)?;
            let values = bytes.iter().map(|value| (*value < 2).then_some(*value == 1));
            BooleanChunked::from_iter_options(name.into(), values).into_series()
        }
        Kind::Str => texts(source, name, height)?,
    })
}

fn numbers(source: &mut dyn Read, height: usize) -> io::Result<Vec<Sym>> {
    let mut bytes = vec![0; 4 * height];
    source.read_exact(&mut bytes)?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number)).collect())
}

fn texts(source: &mut dyn Read, name: &'static str, height: usize) -> PolarsResult<Series> {
    let mut builder = StringChunkedBuilder::new(name.into(), height);
    let mut bytes = Vec::new();
    for _ in 0..height {
        let len = u32::from_le_bytes(array(source)?);
        if len == NULL {
            builder.append_null();
            continue;
        }
        bytes.resize(len as usize, 0);
        source.read_exact(&mut bytes)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| polars_err!(ComputeError: "spilled text: {error}"))?;
        builder.append_value(text);
    }
    Ok(builder.finish().into_series())
}

fn array<const N: usize>(source: &mut dyn Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{decode, encode};
    use crate::frame::{Columns, Dictionary, FrameBuilder, Row, Scope};

    #[test]
    fn rows_come_back_as_they_went() {
        let text = |text: &str| Some(Cow::Owned(text.to_owned()));
        let mut builder = FrameBuilder::new(Dictionary::default(), Scope::Full);
        for number in 0..100u32 {
            let odd = number % 2 == 1;
            builder.push(&Row {
                wide: true,
                object: number,
                event_id: text(&format!("e{number}")),
                account: text(if odd { "1" } else { "2" }),
                alias: text("alias/a").filter(|_| odd),
                description: text("").filter(|_| odd),
                mfa: Some(true).filter(|_| odd),
                event_time: Some(i64::from(number) - 50),
                valid_to: Some(i64::MIN).filter(|_| odd),
                ..Row::default()
            });
        }
        let frame = builder.finish_bare().unwrap().wide;
        let rows: Vec<u32> = (0..100).filter(|row| row % 3 == 0).collect();
        let mut bytes = Vec::new();
        let columns = Columns::open(&frame).unwrap();
        encode(&[(&columns, &rows[..10]), (&columns, &rows[10..])], &mut bytes);
        let back = decode(&mut bytes.as_slice()).unwrap();
        let wanted = frame.take(&polars::prelude::IdxCa::from_vec("".into(), rows)).unwrap();
        assert!(back.equals_missing(&wanted), "{back} {wanted}");
    }

    #[test]
    fn columns_without_a_value_are_left_out() {
        let mut builder = FrameBuilder::new(Dictionary::default(), Scope::Fold);
        builder.push(&Row { event_id: Some(Cow::Borrowed("e")), ..Row::default() });
        builder.push(&Row { shared_event_id: Some(Cow::Borrowed("s")), ..Row::default() });
        let frame = builder.finish_bare().unwrap().narrow;
        let mut bytes = Vec::new();
        encode(&[(&Columns::open(&frame).unwrap(), &[0])], &mut bytes);
        let back = decode(&mut bytes.as_slice()).unwrap();
        assert_eq!(back.column("event_id").unwrap().str().unwrap().get(0), Some("e"), "no GUID, hence kept as text");
        assert!(back.column("shared_event_id").is_err());
    }
}
