"""Lakes that the binary under test makes: of the sample, and of what lakes rarely hold."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import athena
import odd

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def keytrail(tmp_path_factory):
    """Runs keytrail in the root of the repository; gives what it prints."""
    binary = os.environ.get("KEYTRAIL") or shutil.which("keytrail")
    assert binary, "KEYTRAIL must name a keytrail binary"
    environment = {"PATH": os.environ.get("PATH", "")}

    def run(*args, codes=(0,)):
        done = subprocess.run([binary, *map(str, args)], cwd=ROOT, env=environment, capture_output=True)
        assert done.returncode in codes, (args, done.returncode, done.stderr.decode())
        return done.stdout

    return run


class Lake:
    """A lake, what `keytrail scan` says of it, and its tables in DuckDB."""

    def __init__(self, keytrail, folder, source, codes=(0,)):
        self.path = folder / "lake"
        keytrail("ingest", source, "--lake", self.path, "--quiet", codes=codes)
        self.events = folder / "events.parquet"
        self.scan = json.loads(keytrail("scan", self.path, "--format", "json", "--events", self.events, codes=codes))
        self.coverage = self.scan["coverage"]
        self.sql = athena.open_lake(self.path)

    def rows(self, sql, parameters=()):
        return athena.rows(self.sql, sql, parameters)

    def value(self, sql, parameters=()):
        (row,) = self.rows(sql, parameters)
        (value,) = row.values()
        return value

    def query(self, name, parameters=("2026-09-01", "2026-09-30")):
        return athena.query(self.sql, name, parameters)

    def finding(self, rule, alias):
        (found,) = [f for f in self.scan["findings"] if f["rule"] == rule and f["key"]["alias"] == alias]
        return found


@pytest.fixture(scope="session")
def sample(keytrail, tmp_path_factory):
    """The sample."""
    return Lake(keytrail, tmp_path_factory.mktemp("sample"), ROOT / "fixtures/sample")


@pytest.fixture(scope="session")
def odd_lake(keytrail, tmp_path_factory):
    """Copies, corrections, twins, odd identities and accounts, and objects that cannot be read."""
    folder = tmp_path_factory.mktemp("odd")
    odd.write(folder / "logs", ROOT / "fixtures/hostile")
    return Lake(keytrail, folder, folder / "logs", codes=(0, 4))
