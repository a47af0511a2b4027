"""events_once and calls_once keep what `keytrail scan` keeps."""

import duckdb
import pytest
from sqlglot import exp

import athena
import odd


def deduplicated(lake):
    """What the analyzer kept, from the file of events that it writes: logs, ids, names and times."""
    sql = f"SELECT event_id, event_name, CAST(event_time AS TIMESTAMP) FROM '{lake.events}'"
    return sorted(duckdb.connect().execute("SET TimeZone = 'UTC'").execute(sql).fetchall())


def kept(connection):
    return sorted(connection.execute("SELECT event_id, event_name, event_time FROM keytrail.calls_once").fetchall())


@pytest.mark.parametrize("which", ["sample", "odd_lake"])
def test_calls_once_is_what_scan_counts(request, which):
    lake = request.getfixturevalue(which)
    records = lake.coverage["records"]
    counts = lake.rows("SELECT event_name, count(*) AS n FROM keytrail.calls_once WHERE class = 'kms' GROUP BY event_name")
    assert {row["event_name"]: row["n"] for row in counts} == lake.coverage["operations"]
    assert lake.value("SELECT count(*) FROM keytrail.calls_once WHERE class = 'kms'") == records["kms"]
    raw, once = (lake.value(f"SELECT count(*) FROM keytrail.{name}") for name in ["events", "calls_once"])
    assert raw - once == records["duplicates"] > 0
    assert kept(lake.sql) == deduplicated(lake)


def test_the_sample_in_numbers(sample):
    """81 objects, one of them twice; ten calls with a record in each of two accounts."""
    count = lambda view: sample.value(f"SELECT count(*) FROM keytrail.{view}")
    assert (count("events"), count("events_once"), count("calls_once")) == (4311, 4156, 4146)
    related = "SELECT count(*) FROM keytrail.calls_once WHERE class <> 'kms'"
    assert sample.value(related) == sample.coverage["records"]["related"] == 76


def test_copies_and_corrections(odd_lake):
    def ids(view, *numbers):
        names = ", ".join(f"'{odd.GUID.format(number)}'" for number in numbers)
        found = odd_lake.rows(f"SELECT event_id, corrects FROM keytrail.{view} WHERE event_id IN ({names})")
        return sorted((int(row["event_id"][-12:]), row["corrects"] is not None) for row in found)

    assert len(ids("events", 1)) == 3
    assert ids("events_once", 1) == [(1, False)]
    assert ids("events_once", 10) == [(10, False), (10, False)]
    # 22 corrects 20, 23 corrects 22; 21 is nobody's.
    assert ids("events_once", 20, 21, 22, 23) == [(21, False), (23, True)]
    assert ids("events_once", 26, 27) == [(26, True)]
    assert ids("events_once", 30) == [(30, True)]
    # A correction in another account's log replaces nothing.
    assert ids("events_once", 31, 32) == [(31, False), (32, True)]


def test_the_first_copy_is_evidence(odd_lake):
    (row,) = odd_lake.rows(f"SELECT object_uri, record FROM keytrail.events_once WHERE event_id = '{odd.GUID.format(1)}'")
    copies = odd_lake.rows(f"SELECT object_uri, record FROM keytrail.events WHERE event_id = '{odd.GUID.format(1)}'")
    assert row == min(copies, key=lambda copy: (copy["object_uri"], copy["record"]))


def test_twins(odd_lake):
    def logged(view):
        sql = f"SELECT shared_event_id, account FROM keytrail.{view} WHERE shared_event_id LIKE 'shared-%'"
        return sorted((row["shared_event_id"], row["account"]) for row in odd_lake.rows(sql))

    both = [odd.OWNER, odd.CALLER]
    once = [("shared-1", account) for account in both] + [("shared-2", account) for account in both]
    late = [("shared-3", odd.CALLER), ("shared-4", odd.CALLER), ("shared-4", odd.LATE)]
    late += [("shared-5", account) for account in both]
    assert logged("events_once") == once + late
    owners = {"shared-1": odd.OWNER, "shared-2": odd.OWNER, "shared-3": odd.CALLER, "shared-4": odd.LATE}
    owners["shared-5"] = odd.CALLER
    assert logged("calls_once") == sorted(owners.items())


def test_odd_identities(odd_lake):
    of = lambda pattern: odd_lake.rows(
        "SELECT account, region, event_id FROM keytrail.events_once WHERE event_id LIKE ? ORDER BY event_id", [pattern]
    )
    assert [row["event_id"] for row in of("request:request-5%")] == [
        "request:request-50:Decrypt:2026-09-01T12:00:00Z",
        "request:request-51:Decrypt:2026-09-01T12:00:00Z",
    ]
    assert len(of("content:%")) == 1
    (row,) = of(odd.GUID.format(60))
    assert (row["account"], row["region"]) == ("%C3%9Cnbekannt%2F.%2E", "%45%55-%57%45%53%54-1")
    (row,) = of(odd.GUID.format(61))
    assert (row["account"], row["region"]) == ("__unknown__", "__unknown__")


def test_a_correction_on_another_day(keytrail, tmp_path):
    """Stays beside what it corrects, as the schema says, unless its line about the same day is taken out."""
    odd.write(tmp_path / "logs", records=odd.ANOTHER_DAY)
    keytrail("ingest", tmp_path / "logs", "--lake", tmp_path / "lake", "--quiet")
    (line,) = [line for line in athena.SCHEMA.read_text().splitlines() if line.endswith("-- same day")]
    count = "SELECT count(*) FROM keytrail.calls_once"
    assert athena.open_lake(tmp_path / "lake").execute(count).fetchone() == (2,)
    without = athena.open_lake(tmp_path / "lake", lambda text: text.replace(line + "\n", ""))
    assert without.execute(count).fetchone() == (1,)


@pytest.mark.parametrize("view, limits", [("events_once", {"account", "region", "date"}), ("calls_once", {"date"})])
def test_limits_reach_the_tables(view, limits):
    """A limit on a column goes below a window function when the window is partitioned by that column."""
    create = next(c for c in athena.parse(athena.SCHEMA.read_text()) if c.this.name == view)
    (window,) = create.find_all(exp.Window)
    columns = {column.name for column in window.args["partition_by"] if isinstance(column, exp.Column)}
    assert columns & {"account", "region", "date"} == limits
