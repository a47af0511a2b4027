"""Mail servers with a certificate of our own, and the binary under test that trusts it."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

import mail

# What tests of several folders share.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "fixtures/sample"


class Authority:
    def __init__(self, folder):
        self.ca = trustme.CA()
        self.certificate = self.ca.issue_cert("localhost")
        self.path = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.path)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session", params=list(mail.KINDS))
def server(request, tmp_path_factory, authority):
    kind = mail.KINDS[request.param]
    if kind is mail.Exim and not kind.is_there():
        pytest.skip("exim4 is not installed, or this user may not run it")
    started = kind(tmp_path_factory.mktemp(request.param), authority.certificate)
    yield started
    started.stop()


@pytest.fixture
def aiosmtpd(tmp_path, authority):
    started = mail.Aiosmtpd(tmp_path, authority.certificate)
    yield started
    started.stop()


class Done:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr


@pytest.fixture
def keytrail(authority, tmp_path):
    """Runs keytrail with a configuration; no output may hold the password."""

    def run(*args, config, password=mail.PASSWORD, **env):
        path = tmp_path / "keytrail.toml"
        path.write_text(config)
        given = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(authority.path), "SMTP_PASSWORD": password} | env
        command = [os.environ["KEYTRAIL"], *map(str, args), "--config", str(path)]
        process = subprocess.run(command, env=given, cwd=tmp_path, capture_output=True, text=True, timeout=240)
        assert password not in process.stdout + process.stderr
        return Done(process)

    return run


def email_sink(server, *, tls="starttls", more=""):
    port = server.tls_port if tls == "tls" else server.port
    return f"""
[accounts]
names = {{ "111122223333" = "prod-eu" }}
[[alert.sink]]
name = "on-call"
kind = "email"
host = "localhost"
tls = "{tls}"
port = {port}
from = "Keytrail <keytrail@example.com>"
to = ["on-call@example.com", "Second <second@example.com>"]
username = "{mail.USER}"
password = "env:SMTP_PASSWORD"
{more}
"""


def rewritten(folder, change):
    """The sample with its text changed."""
    for path in SAMPLE.rglob("*.json.gz"):
        target = folder / path.relative_to(SAMPLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(json.loads(gzip.decompress(path.read_bytes())))
        target.write_bytes(gzip.compress(change(text).encode(), 1))
    return folder
