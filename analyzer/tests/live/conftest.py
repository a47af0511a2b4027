"""A server that answers as KMS, STS, IAM and Organizations do, and the binary under test with credentials for it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[3]
# The account that the server gives to whoever it does not know.
ACCOUNT = "123456789012"
HOME_REGION = "eu-west-1"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Moto:
    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        # IAM counts from the first request on: it is switched on when a test asks for it.
        environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": "1000000000"}
        program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self.process = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.ask("/moto-api/data.json")
                return
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.1)

    def ask(self, path, body=None):
        # As a form, the server would not see it.
        request = urllib.request.Request(self.endpoint + path, data=body, headers={"Content-Type": "text/plain"})
        return urllib.request.urlopen(request, timeout=30).read()

    def enforce(self, on):
        """From now on every request needs the right for it; or none does."""
        self.ask("/moto-api/reset-auth", b"0" if on else b"1000000000")

    def client(self, service, region=HOME_REGION, **credentials):
        credentials = credentials or {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": SECRET}
        return boto3.client(service, region_name=region, endpoint_url=self.endpoint, **credentials)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def server():
    moto = Moto()
    yield moto
    moto.stop()


@pytest.fixture
def moto(server):
    server.enforce(False)
    server.ask("/moto-api/reset", b"")
    yield server
    server.enforce(False)


class Done:
    def __init__(self, process, code):
        out, err = process.communicate(timeout=180)
        self.out, self.err = out.decode(), err.decode()
        assert SECRET not in self.out + self.err, "a secret in what is printed"
        assert process.returncode == code, (process.args, process.returncode, self.err)


class Keytrail:
    def __init__(self, home):
        self.binary = os.environ.get("KEYTRAIL") or shutil.which("keytrail")
        assert self.binary, "KEYTRAIL must name a keytrail binary"
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": HOME_REGION,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def start(self, *args, at, **environment):
        variables = {name: value for name, value in (self.environment | environment).items() if value is not None}
        program = [self.binary, "inventory", *map(str, args), "--endpoint-url", at.endpoint]
        pipe = subprocess.PIPE
        return subprocess.Popen(program, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)

    def inventory(self, *args, at, code=0, **environment):
        return Done(self.start(*args, at=at, **environment), code)

    def keys(self, inventory):
        """Rows of the sample with this inventory, by ARN, and what is said of the inventory."""
        program = [self.binary, "keys", "fixtures/sample", "--format", "json", "--quiet", "--inventory", str(inventory)]
        done = subprocess.run(program, cwd=ROOT, env={"PATH": os.environ.get("PATH", "")}, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        return {key["arn"]: key for key in document["keys"]}, document["coverage"]["inventory"]


@pytest.fixture(scope="session")
def keytrail(tmp_path_factory):
    return Keytrail(tmp_path_factory.mktemp("home"))
