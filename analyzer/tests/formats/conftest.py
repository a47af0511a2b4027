"""What the binary under test says of the sample and of hostile logs, in the formats of other programs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# One finding of the sample is accepted, so that each status is there.
SETTINGS = """
[[suppress]]
rule = "over-broad-grant"
account = "444455556666"
reason = "an exercise, agreed on"
"""

SOURCES = {"sample": "fixtures/sample", "hostile": "fixtures/hostile", "quiet": "fixtures/sample/AWSLogs/444455556666"}


@pytest.fixture(scope="session")
def keytrail(tmp_path_factory):
    """Scans a source in the root of the repository, or does another command with it; gives what it prints."""
    binary = os.environ.get("KEYTRAIL") or shutil.which("keytrail")
    assert binary, "KEYTRAIL must name a keytrail binary"
    config = tmp_path_factory.mktemp("config") / "keytrail.toml"
    config.write_text(SETTINGS)

    def run(source, format, do="scan"):
        command = [binary, do, source, "--config", config, "--format", format, "--quiet"]
        done = subprocess.run(command, cwd=ROOT, env={"PATH": os.environ.get("PATH", "")}, capture_output=True)
        assert done.returncode in (0, 4), (command, done.returncode, done.stderr.decode())
        return done.stdout.decode()

    return run


@pytest.fixture(params=list(SOURCES))
def source(request):
    return SOURCES[request.param]


@pytest.fixture
def findings(keytrail, source):
    """The findings as keytrail's own format has them."""
    return json.loads(keytrail(source, "json"))["findings"]
