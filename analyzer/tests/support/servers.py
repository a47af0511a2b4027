"""Servers on this machine that answer as AWS does, started and stopped here: SeaweedFS, ministack and moto."""

import contextlib
import ctypes
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PROGRAMS = Path(sys.executable).parent
HOST = "127.0.0.1"
REGION = "us-east-1"

# Good for both servers, and for nothing else. The secret is a word that no output may hold.
KEY_ID = "AKIAKEYTRAILEXAMPLE0"
SECRET = "the-secret-of-the-tests-that-nobody-prints"

PATIENCE = 60
ATTEMPTS = 3


def free_ports(count):
    """Ports that nobody listens on, below those that connections take by themselves."""
    found = set()
    while len(found) < count:
        port = random.randrange(12000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        found.add(port)
    return list(found)


def die_with_parent():
    """Also when the tests are killed, no server stays. (The parent is the thread that starts it: start none in workers.)"""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Server:
    """A server, started; `wait` before using it."""

    name = None
    ports = 1

    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count(1)
        self.start()

    def start(self):
        self.taken = free_ports(self.ports)
        self.endpoint = f"http://{HOST}:{self.taken[0]}"
        self.home = self.folder / f"{self.name}-{self.taken[0]}"
        (self.home / "data").mkdir(parents=True)
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.home), "TMPDIR": str(self.home)}
        credentials = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        with open(self.home / "log", "wb") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.home,
                env=environment | credentials | self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )

    def wait(self):
        """Until it can be used. Somebody may take a port between its choice and its use: then once more."""
        for _ in range(ATTEMPTS):
            if self.answers():
                return
            told = (self.home / "log").read_text(errors="replace")[-2000:]
            self.stop()
            self.start()
        raise RuntimeError(f"{self.name} does not start\n{told}")

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def health(self):
        raise NotImplementedError

    def answers(self):
        """Waits until the server can be used; False when it has ended or takes too long."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.endpoint + self.health(), timeout=5):
                    self.probe()
                    return True
            except (OSError, urllib.error.URLError, BotoCoreError, ClientError):
                time.sleep(0.05)
        return False

    def probe(self):
        """Raises while a healthy server cannot be used yet."""

    def stop(self):
        """At once: there is nothing to be saved."""
        self.process.kill()
        self.process.wait()


class Buckets(Server):
    """A server with buckets: it can be used when it keeps what is put into it."""

    def start(self):
        super().start()
        self.s3 = self.client()

    def probe(self):
        self.bucket().put("probe", b"probe")

    def client(self):
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(
                max_pool_connections=8,
                retries={"max_attempts": 3},
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
            ),
        )

    def bucket(self, versioned=False):
        """A new bucket."""
        bucket = Bucket(self.s3, f"{self.name}-{next(self.numbers)}")
        self.s3.create_bucket(Bucket=bucket.name)
        if versioned:
            self.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
        return bucket


class Bucket:
    def __init__(self, s3, name):
        self.s3 = s3
        self.name = name
        self.url = f"s3://{name}/"

    def put(self, key, content, **conditions):
        return self.s3.put_object(Bucket=self.name, Key=key, Body=content, **conditions)["ETag"]

    def put_all(self, objects):
        with ThreadPoolExecutor(4) as workers:
            list(workers.map(lambda one: self.put(*one), objects.items()))

    def get(self, key):
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def delete(self, key):
        self.s3.delete_object(Bucket=self.name, Key=key)

    def keys(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]


class SeaweedFS(Buckets):
    """Checks keys and signatures of requests; lists folder by folder, not in the order of bytes."""

    name = "seaweedfs"
    ports = 10

    def command(self):
        services = ["s3", "master", "filer", "volume", "admin"]
        ports = [f"-{service}.port{kind}" for service in services for kind in ["", ".grpc"]]
        return [
            *(PROGRAMS / "weed", "mini", f"-dir={self.home / 'data'}", f"-ip={HOST}", f"-ip.bind={HOST}"),
            *(f"{option}={port}" for option, port in zip(ports, self.taken, strict=True)),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-master.telemetry=false"),
            *(f"-s3.localSocket={self.home / 's3.sock'}", f"-filer.localSocket={self.home / 'filer.sock'}"),
        ]

    def health(self):
        return "/healthz"

    def stop(self):
        super().stop()
        # It puts these there whatever TMPDIR says.
        for port in self.taken:
            for left in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
                left.unlink(missing_ok=True)


class Ministack(Buckets):
    """Keeps all in memory; knows keys, but checks no signatures."""

    name = "ministack"
    services = "s3"
    region = REGION
    auth = True

    def command(self):
        return [PROGRAMS / "ministack"]

    def environment(self):
        account = {"MINISTACK_ACCOUNT_ID": "111122223333", "MINISTACK_REGION": self.region, "SERVICES": self.services}
        account |= {"AUTH": "true"} if self.auth else {}
        folders = {"S3_DATA_DIR": str(self.home / "data"), "STATE_DIR": str(self.home / "state")}
        return {"BIND_HOST": HOST, "GATEWAY_PORT": str(self.taken[0])} | account | folders

    def health(self):
        return "/_ministack/health"


class Moto(Server):
    """Knows most services, and their rights when it is told to enforce them."""

    name = "moto"
    # None: the one that it gives to whoever it does not know, and others to those whose roles are assumed.
    account = None

    def command(self):
        return [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.taken[0])]

    def environment(self):
        # IAM counts from the first request on: it is switched on when a test asks for it.
        account = {"MOTO_ACCOUNT_ID": self.account} if self.account else {}
        return {"INITIAL_NO_AUTH_ACTION_COUNT": "1000000000"} | account

    def health(self):
        return "/moto-api/data.json"

    def ask(self, path, body=None):
        # As a form, the server would not see it.
        request = urllib.request.Request(self.endpoint + path, data=body, headers={"Content-Type": "text/plain"})
        return urllib.request.urlopen(request, timeout=30).read()

    def enforce(self, on):
        """From now on every request needs the right for it; or none does."""
        self.ask("/moto-api/reset-auth", b"0" if on else b"1000000000")


@contextlib.contextmanager
def started(kind, folder):
    """A server of a kind, until it is not needed any more."""
    server = kind(folder)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


# Those that keep buckets.
KINDS = {kind.name: kind for kind in [SeaweedFS, Ministack]}
