"""What cannot be had is told in a sentence, with exit code 1 and without secrets: every run here is searched for them."""

import pytest
from conftest import SAMPLE
from servers import HOST, free_ports

import logs


class At:
    def __init__(self, endpoint):
        self.endpoint = endpoint


@pytest.fixture
def bucket(server):
    bucket = server.bucket()
    bucket.put_all(logs.logs(1))
    return bucket


@pytest.fixture(params=["source", "lake"])
def refused(request, keytrail):
    """Runs keytrail on a source there, or into a lake there; gives what it says."""

    def run(url, **more):
        args = {
            "source": ["scan", url],
            "lake": ["ingest", SAMPLE, "--lake", url + "lake"],
        }
        done = keytrail(*args[request.param], code=1, **more)
        assert done.out == ""
        assert done.err.startswith("error: ") and "panicked" not in done.err, done.err
        return done.err

    return run


def test_no_such_bucket(server, refused):
    assert "there is no bucket `nobody-has-this`" in refused("s3://nobody-has-this/", at=server)


def test_nobody_listens(keytrail):
    (port,) = free_ports(1)
    said = keytrail("scan", "s3://logs/", at=At(f"http://{HOST}:{port}"), code=1).err
    assert "s3://logs/" in said and "refused" in said and "check the network, the Region and the endpoint" in said


def test_an_endpoint_that_is_none(refused):
    said = refused("s3://logs/", at=At("not an endpoint"))
    assert "not an endpoint" in said and "check the network, the Region and the endpoint" in said


def test_no_credentials(server, bucket, refused):
    said = refused(bucket.url, at=server, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert f"no AWS credentials for `{bucket.url}" in said and "log in" in said


def test_half_of_the_credentials(server, bucket, refused):
    said = refused(bucket.url, at=server, AWS_ACCESS_KEY_ID=None)
    assert f"no AWS credentials for `{bucket.url}" in said and "log in" in said


def test_a_key_that_nobody_has(server, bucket, refused):
    said = refused(bucket.url, at=server, AWS_ACCESS_KEY_ID="AKIANOBODYHASTHIS000")
    assert "does not accept the credentials" in said and "InvalidAccessKeyId" in said


def test_a_wrong_secret(seaweedfs, refused):
    bucket = seaweedfs.bucket()
    bucket.put_all(logs.logs(1))
    said = refused(bucket.url, at=seaweedfs, AWS_SECRET_ACCESS_KEY="another-secret-that-nobody-prints")
    assert "does not accept the credentials" in said and "SignatureDoesNotMatch" in said


def test_unsigned(seaweedfs, keytrail):
    bucket = seaweedfs.bucket()
    bucket.put_all(logs.logs(1))
    said = keytrail("scan", bucket.url, "--no-sign-request", at=seaweedfs, code=1).err
    assert f"access to `{bucket.url}` is denied" in said and "s3:ListBucket" in said


def test_secrets_stay_secret_whatever_is_logged(server, bucket, keytrail):
    """Also on the way that goes well, and where libraries are asked to talk."""
    done = keytrail("scan", bucket.url, at=server, RUST_LOG="trace", RUST_BACKTRACE="full", AWS_SESSION_TOKEN=None)
    assert "1 of 1 object read" in done.out
