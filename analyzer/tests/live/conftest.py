"""A server that answers as KMS, STS, IAM and Organizations do, and the binary under test with credentials for it."""

import sys
from pathlib import Path

import boto3
import pytest

# What tests of several folders share.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import servers  # noqa: E402
from program import Done, Program  # noqa: E402

# The account that the server gives to whoever it does not know.
ACCOUNT = "123456789012"
HOME_REGION = "eu-west-1"


class Moto(servers.Moto):
    def client(self, service, region=HOME_REGION, **credentials):
        credentials = credentials or {"aws_access_key_id": servers.KEY_ID, "aws_secret_access_key": servers.SECRET}
        return boto3.client(service, region_name=region, endpoint_url=self.endpoint, **credentials)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with servers.started(Moto, tmp_path_factory.mktemp("moto")) as moto:
        yield moto


@pytest.fixture
def moto(server):
    server.enforce(False)
    server.ask("/moto-api/reset", b"")
    yield server
    server.enforce(False)


class Keytrail(Program):
    region = HOME_REGION

    def start(self, *args, at, **environment):
        return super().start("inventory", *args, at=at, **environment)

    def inventory(self, *args, at, code=0, **environment):
        return Done(self.start(*args, at=at, **environment), code)

    def keys(self, inventory):
        """Rows of the sample with this inventory, by ARN, and what is said of the inventory."""
        asked = super().start("keys", "fixtures/sample", "--format", "json", "--quiet", "--inventory", inventory)
        document = Done(asked, 0).json
        return {key["arn"]: key for key in document["keys"]}, document["coverage"]["inventory"]


@pytest.fixture(scope="session")
def keytrail(tmp_path_factory):
    return Keytrail(tmp_path_factory.mktemp("home"))
