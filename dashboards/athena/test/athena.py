"""Athena's SQL without Athena: parsed as Athena reads it, run by DuckDB.

Tables become views over the Parquet files of a lake, with the columns, types and partitions that the DDL says. What is not
in the DDL is not there, and a partition that Athena would not project is not read.
"""

import re
from datetime import date
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp

HERE = Path(__file__).resolve().parent
SCHEMA = HERE.parent / "schema.sql"
QUERIES = sorted((HERE.parent / "queries").glob("*.sql"))

LAKE = "s3://amzn-s3-demo-bucket/lake"

# Types of the DDL, in DuckDB. Athena's timestamps have no zone and read UTC.
TYPES = {"string": "VARCHAR", "boolean": "BOOLEAN", "bigint": "BIGINT", "int": "INTEGER", "timestamp": "TIMESTAMP"}

# What 'NOW' is: the sample lies before it, whatever the clock of the machine says.
NOW = date(2026, 12, 31)


def split(text):
    """Single statements, as Athena takes them: it reads DDL of tables by the rules of Hive, all else by those of Trino."""
    code = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("--"))
    return [part.strip() for part in re.split(r";\s*$", code, flags=re.MULTILINE) if part.strip()]


def parse(text):
    """Statements as Athena's dialect reads them. What sqlglot does not understand it keeps as a Command: no such thing."""
    statements = [sqlglot.parse_one(part, dialect="athena") for part in split(text)]
    for statement in statements:
        assert statement.find(exp.Command) is None, statement.sql()[:200]
    return statements


class Table:
    """What a CREATE EXTERNAL TABLE says."""

    def __init__(self, create):
        self.name = create.this.this.name
        self.columns = {}
        for column in create.this.expressions:
            kind = column.args["kind"].sql("hive").lower()
            assert column.name not in self.columns, f"{column.name} twice"
            self.columns[column.name] = kind
        self.partitions, self.properties, self.location = [], {}, None
        for prop in create.args["properties"].expressions:
            if isinstance(prop, exp.PartitionedByProperty):
                self.partitions = [column.name for column in prop.this.expressions]
                assert all(column.args["kind"].sql("hive").lower() == "string" for column in prop.this.expressions)
            elif isinstance(prop, exp.LocationProperty):
                self.location = prop.this.name
            elif type(prop) is exp.Property:
                self.properties[prop.this.name] = prop.args["value"].name

    def pattern(self):
        """Paths of its files below the lake, partition by partition."""
        template = self.properties["storage.location.template"]
        assert template.startswith(self.location), template
        assert template.startswith(f"{LAKE}/") and template.endswith("/"), template
        parts = re.split(r"\$\{(\w+)\}", template[len(LAKE) + 1 :])
        assert parts[1::2] == self.partitions
        pattern = "".join(f"(?P<{part}>[^/]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
        return re.compile(pattern + r"[^/]+")

    def projects(self, partition, value):
        """Whether Athena would look into this partition."""
        about = lambda what: self.properties[f"projection.{partition}.{what}"]
        assert self.properties["projection.enabled"] == "true"
        if about("type") == "enum":
            return value in about("values").split(",")
        assert (about("type"), about("format")) == ("date", "yyyy-MM-dd")
        assert (about("interval"), about("interval.unit")) == ("1", "DAYS")
        first, last = about("range").split(",")
        assert last == "NOW"
        return re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None and first <= value <= NOW.isoformat()

    def files(self, lake):
        """Its files in a lake, and those that no partition leads to."""
        pattern, found, lost = self.pattern(), [], []
        for path in sorted(lake.rglob("*.parquet")):
            match = pattern.fullmatch(path.relative_to(lake).as_posix())
            if match:
                seen = all(self.projects(*partition) for partition in match.groupdict().items())
                (found if seen else lost).append(path)
        return found, lost

    def view(self, lake):
        """The table as a view of DuckDB."""
        files, _ = self.files(lake)
        columns = [f'CAST("{name}" AS {TYPES[kind]}) AS "{name}"' for name, kind in self.columns.items()]
        columns += [f"regexp_extract(filename, '/{name}=([^/]+)/', 1) AS \"{name}\"" for name in self.partitions]
        source = f"read_parquet({[str(path) for path in files]}, filename = true, hive_partitioning = false)"
        if not files:
            nulls = ", ".join(f'NULL AS "{name}"' for name in self.columns)
            source = f"(SELECT {nulls}, '' AS filename WHERE false)"
        return f"CREATE VIEW keytrail.{self.name} AS SELECT {', '.join(columns)} FROM {source}"


def tables(text=None):
    """Tables of the schema by name."""
    creates = parse(SCHEMA.read_text() if text is None else text)
    found = [Table(create) for create in creates if create.args["kind"] == "TABLE"]
    return {table.name: table for table in found}


def schema_of(lake):
    """The schema's text for a lake that may have other accounts and Regions than the example."""
    text = SCHEMA.read_text()
    shards = [path.relative_to(lake).parts for path in lake.glob("*/account=*/region=*")]
    accounts = {account.removeprefix("account=") for _, account, _ in shards}
    regions = {region.removeprefix("region=") for _, _, region in shards}
    text = text.replace("111122223333,444455556666,__unknown__", ",".join(sorted(accounts | {"__unknown__"})))
    return text.replace("eu-west-1,us-east-1,__unknown__", ",".join(sorted(regions | {"__unknown__"})))


def open_lake(lake, edit=lambda text: text):
    """A lake as DuckDB sees it through the schema; `edit` may change the schema's text first."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    text = edit(schema_of(lake))
    known = tables(text)
    for create in parse(text):
        match create.args["kind"]:
            case "DATABASE":
                connection.execute("CREATE SCHEMA keytrail")
            case "TABLE" if known[create.this.this.name].partitions:
                connection.execute(known[create.this.this.name].view(lake))
            case "VIEW":
                connection.execute(create.sql("duckdb"))
    return connection


def rows(connection, sql, parameters=()):
    """Rows as dictionaries."""
    result = connection.execute(sql, list(parameters))
    names = [column[0] for column in result.description]
    assert len(set(names)) == len(names), names
    return [dict(zip(names, row)) for row in result.fetchall()]


def query(connection, name, parameters):
    """Runs one of the queries."""
    (select,) = parse((HERE.parent / "queries" / f"{name}.sql").read_text())
    return rows(connection, select.sql("duckdb"), parameters)
