"""The report as PDF of the sample and of hostile logs, by a binary that was built with the feature `pdf`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = {"sample": "fixtures/sample", "hostile": "fixtures/hostile", "quiet": "fixtures/sample/AWSLogs/444455556666"}


@pytest.fixture(scope="session")
def report():
    """What `keytrail report` prints of a source in the root of the repository."""
    binary = os.environ.get("KEYTRAIL_PDF") or shutil.which("keytrail")
    assert binary, "KEYTRAIL_PDF must name a keytrail binary with the feature `pdf`"

    def run(source, format, *more):
        command = [binary, "report", source, "--format", format, "--quiet", *more]
        done = subprocess.run(command, cwd=ROOT, env={"PATH": os.environ.get("PATH", "")}, capture_output=True)
        assert done.returncode in (0, 4), (command, done.returncode, done.stderr.decode())
        return done.stdout

    return run


@pytest.fixture(scope="session", params=list(SOURCES))
def source(request):
    return SOURCES[request.param]


@pytest.fixture(scope="session")
def pdf(report, source):
    return report(source, "pdf")
