"""Servers, and the binary under test with credentials for them and nothing else."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import servers

ROOT = Path(__file__).resolve().parents[3]
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


class Done:
    """A run that has ended."""

    def __init__(self, process, code):
        out, err = process.communicate(timeout=120)
        self.out, self.err = out.decode(), err.decode()
        for secret in [servers.SECRET, *process.secrets]:
            assert secret not in self.out, "a secret on standard output"
            assert secret not in self.err, "a secret on standard error"
        assert process.returncode == code, (process.args, process.returncode, self.err)

    @property
    def json(self):
        return json.loads(self.out)


class Keytrail:
    """The binary. It finds a home that is empty, no configuration of AWS, and the credentials of the servers."""

    def __init__(self, home):
        self.binary = os.environ.get("KEYTRAIL") or shutil.which("keytrail")
        assert self.binary, "KEYTRAIL must name a keytrail binary"
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": servers.REGION,
            "AWS_ACCESS_KEY_ID": servers.KEY_ID,
            "AWS_SECRET_ACCESS_KEY": servers.SECRET,
        }

    def start(self, *args, at=None, **environment):
        """Starts keytrail; `at` is a server or what has its endpoint. A variable that is None is not set."""
        place = ["--endpoint-url", at.endpoint, "--path-style"] if at else []
        variables = {name: value for name, value in (self.environment | environment).items() if value is not None}
        process = subprocess.Popen(
            [self.binary, *map(str, args), *place],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.secrets = {variables["AWS_SECRET_ACCESS_KEY"]} if "AWS_SECRET_ACCESS_KEY" in variables else set()
        return process

    def __call__(self, *args, code=0, **more):
        return Done(self.start(*args, **more), code)

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
