"""Lakes of buckets, in folders and on the same server."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import counted

import logs
from between import Meanwhile
from program import Done


@pytest.fixture
def place(server):
    """A bucket for lakes."""
    return server.bucket()


def parts(bucket, lake):
    """Files with rows that stand in a lake, and those that its manifests list."""
    keys = bucket.keys(lake + "/")
    manifests = [json.loads(bucket.get(key)) for key in keys if key.endswith("/current.json")]
    live = [part for manifest in manifests for kind in ["events", "objects"] for part in manifest[kind]]
    listed = [f"{lake}/{part['path']}" for part in live]
    return sorted(key for key in keys if key.endswith(".parquet")), sorted(listed)


@pytest.mark.parametrize("where", ["folder", "server"])
def test_nothing_is_read_twice(server, sample, place, keytrail, tmp_path, where):
    lake = {"folder": tmp_path / "lake", "server": place.url + "x"}[where]
    assert keytrail.ingest(sample.url, lake, at=server) == (81, 0, 0)
    before = place.keys()
    assert keytrail.ingest(sample.url, lake, at=server) == (0, 0, 81)
    assert place.keys() == before
    assert keytrail.scan(lake, at=server) == keytrail.scan(sample.url, at=server)
    assert "x/lake.json" in before if where == "server" else not before


def test_a_changed_object_is_replaced_and_a_deleted_one_stays(server, place, keytrail, content, undisturbed):
    bucket, lake = server.bucket(), place.url + "x"
    bucket.put_all(logs.logs(1, 2, 3, 4))
    assert keytrail.ingest(bucket.url, lake, at=server) == (4, 0, 0)
    before = content(lake)

    bucket.delete(logs.key(4))
    assert keytrail.ingest(bucket.url, lake, at=server) == (0, 0, 3)
    assert content(lake) == before

    bucket.put(logs.key(2), logs.log(12, 22))
    assert keytrail.ingest(bucket.url, lake, at=server) == (0, 1, 2)
    after = content(lake)
    assert after[0]["coverage"]["objects"]["read"] == 4 and after[0]["coverage"]["records"]["kms"] == 5
    # As of a bucket that has it still.
    bucket.put(logs.key(4), logs.log(4))
    assert undisturbed(bucket.url) == after


def test_conditions_hold(server, place):
    """What a lake stands on: the server itself refuses a write whose condition does not hold."""

    def refused(**conditions):
        with pytest.raises(ClientError) as error:
            place.put("manifest", b"mine", **conditions)
        return error.value.response["ResponseMetadata"]["HTTPStatusCode"]

    first = place.put("manifest", b"1", IfNoneMatch="*")
    assert refused(IfNoneMatch="*") == 412
    place.put("manifest", b"2", IfMatch=first)
    assert refused(IfMatch=first) == 412
    assert place.get("manifest") == b"2"


def test_ingests_at_the_same_time(server, sample, place, keytrail, content, undisturbed):
    source, lake = sample.url + "AWSLogs/444455556666/CloudTrail/us-east-1/", place.url + "x"
    # Little memory: many commits, so that they meet.
    args = ["ingest", source, "--lake", lake, "--memory", "64KiB", "--format", "json", "--quiet"]
    both = [keytrail.start(*args, at=server) for _ in range(2)]
    new = [counted(Done(process, 0))[0] for process in both]
    # Who writes the very same at the same time has written it too.
    assert 10 <= sum(new) <= 20
    assert content(lake) == undisturbed(source)
    assert keytrail.ingest(source, lake, at=server) == (0, 0, 10)
    stand, listed = parts(place, "x")
    assert stand == listed


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_who_loses_a_swap_plans_anew(server, place, keytrail, content, undisturbed, header):
    """Another ingest, of another trail of the same account, ends between the reading of a manifest and its swap."""
    bucket, lake = server.bucket(), place.url + "x"
    bucket.put_all(logs.logs(1, 2, 3, prefix="one/") | logs.logs(5, 6, prefix="other/"))
    if header == "If-Match":
        assert keytrail.ingest(bucket.url + "one/", lake, at=server) == (3, 0, 0)
        bucket.put("one/" + logs.key(2), logs.log(12, 22))
        bucket.put_all(logs.logs(4, prefix="one/"))

    def swaps(request):
        return request.command == "PUT" and request.path.split("?")[0].endswith("/current.json")

    def other():
        assert keytrail.ingest(bucket.url + "other/", lake, at=server) == (2, 0, 0)

    with Meanwhile(server.endpoint, swaps, other) as between:
        new = keytrail.ingest(bucket.url + "one/", lake, at=between)
    assert new == {"If-None-Match": (3, 0, 0), "If-Match": (1, 1, 2)}[header]
    assert not between.failures
    puts = [answer for answer in between.answers if answer[0] == "PUT" and "/current.json" in answer[1]]
    swapped = [(headers, status) for _, _, headers, status in puts]
    assert [status for _, status in swapped] == [412, 200]
    assert header in swapped[0][0] and "If-Match" in swapped[1][0]

    assert content(lake) == undisturbed(bucket.url)
    assert keytrail.ingest(bucket.url, lake, at=server) == (0, 0, len(bucket.keys()))
    stand, listed = parts(place, "x")
    assert stand == listed
