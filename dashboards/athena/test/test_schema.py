"""The DDL: Athena can read it, and it says what the files of a lake are."""

import re

import duckdb
import pytest
from sqlglot import exp
from sqlglot.errors import ParseError

import athena

# Physical and logical types of Parquet that a type of the DDL reads.
READS = {
    "string": {("BYTE_ARRAY", "StringType")},
    "boolean": {("BOOLEAN", None)},
    "bigint": {("INT64", None), ("INT64", "IntType")},
    "int": {("INT32", "IntType")},
    "timestamp": {("INT64", "TimestampType")},
}


def files_match(table, paths):
    """Every file has the table's columns, and no others, in types that Athena reads as the table's."""
    assert paths
    for path in paths:
        found = duckdb.sql(f"SELECT name, type, logical_type FROM parquet_schema('{path}') WHERE type IS NOT NULL")
        columns = {}
        for name, physical, logical in found.fetchall():
            columns[name] = (physical, logical and logical.split("(")[0])
            if columns[name][1] == "TimestampType":
                assert "isAdjustedToUTC=1" in logical, (path, name, logical)
        assert list(columns) == list(table.columns), path
        for name, kind in table.columns.items():
            assert columns[name] in READS[kind], (path, name, kind, columns[name])


def test_statements_in_order():
    kinds = [(create.args["kind"], create.find(exp.Table).name) for create in athena.parse(athena.SCHEMA.read_text())]
    assert kinds == [
        ("DATABASE", "keytrail"),
        ("TABLE", "events"),
        ("TABLE", "objects"),
        ("TABLE", "objects_undated"),
        ("TABLE", "findings"),
        ("VIEW", "objects_all"),
        ("VIEW", "events_once"),
        ("VIEW", "calls_once"),
    ]


def test_a_broken_statement_is_noticed():
    for broken in ["CREATE EXTERNAL TABLE t (a string STORED AS PARQUET", "MSCK REPAIR TABLE t"]:
        with pytest.raises((AssertionError, ParseError)):
            athena.parse(broken)


@pytest.mark.parametrize("name", ["events", "objects"])
def test_columns_are_those_of_the_files(sample, odd_lake, name):
    for lake in [sample, odd_lake]:
        table = athena.tables()[name]
        found, _ = athena.tables(athena.schema_of(lake.path))[name].files(lake.path)
        files_match(table, found)


def test_undated_objects_are_read(odd_lake):
    table = athena.tables(athena.schema_of(odd_lake.path))["objects_undated"]
    files_match(table, table.files(odd_lake.path)[0])
    assert odd_lake.value("SELECT count(*) FROM keytrail.objects_undated") > 40


def test_no_file_is_left_out(sample, odd_lake):
    for lake in [sample, odd_lake]:
        known = athena.tables(athena.schema_of(lake.path))
        read, skipped = set(), set()
        for table in known.values():
            if table.partitions:
                found, lost = table.files(lake.path)
                assert not read & set(found)
                read |= set(found)
                skipped |= set(lost)
        assert not skipped - read
        assert read == set(lake.path.rglob("*.parquet"))


def test_the_example_reads_the_sample_as_it_is(sample):
    for name in ["events", "objects"]:
        found, lost = athena.tables()[name].files(sample.path)
        assert found and not lost


def test_an_account_that_is_not_listed_is_not_read(sample):
    text = athena.SCHEMA.read_text().replace("111122223333,444455556666,", "444455556666,")
    found, lost = athena.tables(text)["events"].files(sample.path)
    assert found and lost


def test_findings_are_what_scan_writes(keytrail, tmp_path):
    path = tmp_path / "findings.parquet"
    path.write_bytes(keytrail("scan", "fixtures/sample", "--format", "parquet"))
    files_match(athena.tables()["findings"], [path])


def test_placeholders_can_be_replaced():
    text = athena.SCHEMA.read_text()
    head = text[: text.index("CREATE DATABASE")]
    replaced = {
        "s3://amzn-s3-demo-bucket/lake": "s3://logs/kms",
        "111122223333,444455556666": "123456789012",
        "eu-west-1,us-east-1": "eu-central-1",
        "2024-01-01": "2025-06-30",
    }
    for old, new in replaced.items():
        assert f"--   {old} " in head, old
        text = text.replace(old, new)
    for table in athena.tables(text).values():
        assert table.location.startswith("s3://logs/kms")
        if table.partitions:
            assert table.properties["projection.account.values"] == "123456789012,__unknown__"
            assert table.properties["projection.region.values"] == "eu-central-1,__unknown__"
            assert table.properties["storage.location.template"].startswith(table.location)
        if "date" in table.partitions:
            assert table.properties["projection.date.range"] == "2025-06-30,NOW"


def test_views_end_without_helpers_that_hide_columns():
    """`SELECT *` in a view of Athena is written out when the view is made: it must not name a column twice."""
    for create in athena.parse(athena.SCHEMA.read_text()):
        if create.args["kind"] == "VIEW":
            aliases = [alias.alias for alias in create.find_all(exp.Alias)]
            columns = athena.tables()["events"].columns | dict.fromkeys(["account", "region", "date"])
            assert not {"copy", "twin"} & set(columns)
            assert set(aliases) <= {"copy", "twin", "date"}, aliases
            assert re.fullmatch(r"\w+", create.this.name)
