"""The binary under test, with a home that is empty, no configuration of AWS, and the credentials of the servers here."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import servers

ROOT = Path(__file__).resolve().parents[3]


class Done:
    """A run that has ended."""

    def __init__(self, process, code):
        out, err = process.communicate(timeout=180)
        self.out, self.err = out.decode(), err.decode()
        for secret in [servers.SECRET, *process.secrets]:
            assert secret not in self.out, "a secret on standard output"
            assert secret not in self.err, "a secret on standard error"
        assert process.returncode == code, (process.args, process.returncode, self.err)

    @property
    def json(self):
        return json.loads(self.out)


class Program:
    """Runs it. `place` are the options that name a server."""

    region = servers.REGION
    place = ["--endpoint-url"]

    def __init__(self, home):
        self.binary = os.environ.get("KEYTRAIL") or shutil.which("keytrail")
        assert self.binary, "KEYTRAIL must name a keytrail binary"
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": servers.KEY_ID,
            "AWS_SECRET_ACCESS_KEY": servers.SECRET,
        }

    def start(self, *args, at=None, **environment):
        """Starts keytrail; `at` is a server or what has its endpoint. A variable that is None is not set."""
        place = [self.place[0], at.endpoint, *self.place[1:]] if at else []
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
