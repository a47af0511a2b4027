"""Servers, and the binary under test with credentials for them and nothing else."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

# What tests of several folders share.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import servers  # noqa: E402
from program import ROOT, Program  # noqa: E402

SAMPLE = "fixtures/sample"


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """All servers, by name; stopped at the end, however it comes."""
    folder = tmp_path_factory.mktemp("servers")
    started = {}
    try:
        for name, kind in servers.KINDS.items():
            started[name] = kind(folder)
        for server in started.values():
            server.wait()
        yield started
    finally:
        for server in started.values():
            server.stop()


@pytest.fixture(params=list(servers.KINDS))
def server(request, running):
    """Each server."""
    return running[request.param]


@pytest.fixture
def seaweedfs(running):
    return running["seaweedfs"]


@pytest.fixture(scope="session")
def samples(running):
    """The sample in a bucket of each server; nobody changes it."""
    folder = ROOT / SAMPLE
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    buckets = {name: server.bucket() for name, server in running.items()}
    for bucket in buckets.values():
        bucket.put_all(files)
    return buckets


@pytest.fixture
def sample(samples, server):
    return samples[server.name]


class Keytrail(Program):
    place = ["--endpoint-url", "--path-style"]

    def scan(self, source, *args, at=None, code=0):
        """What a scan says, without remarks: those tell how it was read."""
        told = self("scan", source, *args, "--format", "json", "--quiet", at=at, code=code).json
        told.pop("notices")
        return told

    def ingest(self, source, lake, *args, at=None, code=0):
        """How many objects were new, replaced and unchanged."""
        return counted(self("ingest", source, "--lake", lake, *args, "--format", "json", "--quiet", at=at, code=code))


def counted(done):
    objects = done.json["objects"]
    assert objects["skipped"] == 0, done.out
    return objects["new"], objects["replaced"], objects["unchanged"]


@pytest.fixture(scope="session")
def keytrail(tmp_path_factory):
    return Keytrail(tmp_path_factory.mktemp("home"))


@pytest.fixture
def content(keytrail, server, tmp_path):
    """What is in a lake: the report of a scan, and a digest of all its events, deduplicated."""

    def read(lake):
        events = tmp_path / "events.parquet"
        report = keytrail.scan(lake, "--events", events, at=server)
        return report, hashlib.sha256(events.read_bytes()).hexdigest()

    return read


@pytest.fixture
def undisturbed(keytrail, server, content, tmp_path):
    """What is in a lake that one ingest makes of a bucket."""

    def read(url):
        lake = tmp_path / "undisturbed"
        new, *others = keytrail.ingest(url, lake, at=server)
        assert new > 0 and others == [0, 0]
        read = content(lake)
        assert read[0] == keytrail.scan(url, at=server)
        shutil.rmtree(lake)
        return read

    return read


def renamed(report, old, new):
    """A report whose objects stand elsewhere."""
    return json.loads(json.dumps(report, ensure_ascii=False).replace(old, new))
