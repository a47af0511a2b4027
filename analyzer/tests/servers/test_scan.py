"""A bucket says what a folder says."""

from conftest import SAMPLE, renamed

import logs


def test_the_sample(server, sample, keytrail):
    folder = keytrail.scan(SAMPLE)
    assert folder["findings"] and folder["coverage"]["objects"]["read"] == 81
    assert renamed(keytrail.scan(sample.url, at=server), sample.url, f"{SAMPLE}/") == folder


def test_a_period_of_the_sample(server, sample, keytrail):
    """A bucket is asked for the days in question, a folder for all that it has."""
    asked = ["--from", "2026-09-05", "--to", "2026-09-06", "--lookback", "30d", "--account", "111122223333"]
    folder = keytrail.scan(SAMPLE, *asked)
    bucket = renamed(keytrail.scan(sample.url, *asked, at=server), sample.url, f"{SAMPLE}/")
    assert folder["findings"]
    assert bucket["findings"] == folder["findings"]
    assert bucket["coverage"]["operations"] == folder["coverage"]["operations"]
    assert bucket["coverage"]["objects"]["read"] < folder["coverage"]["objects"]["read"]


def test_thousands_of_keys(seaweedfs, keytrail, tmp_path):
    """Several pages of one folder, beside trails whose names sort otherwise in this server than in AWS."""
    trails = {"trail/": range(1440), "trail-2/": range(1440, 2040), "trail.old/": range(2040, 2500)}
    objects = {}
    for prefix, numbers in trails.items():
        objects |= logs.logs(*numbers, prefix=prefix)
    bucket = seaweedfs.bucket()
    bucket.put_all(objects)
    listed = bucket.keys()
    assert sorted(listed) == sorted(objects) != listed, "this server lists in another order"
    folder = logs.write(tmp_path / "logs", objects)
    expected = renamed(keytrail.scan(folder), f"{folder}/", bucket.url)

    told = keytrail("scan", bucket.url, "--format", "json", at=seaweedfs).json
    assert any("2,500 keys listed" in notice for notice in told.pop("notices"))
    assert told["coverage"]["objects"]["read"] == told["coverage"]["records"]["kms"] == 2500
    assert told == expected
    assert keytrail.scan(bucket.url + "trail/", at=seaweedfs)["coverage"]["objects"]["read"] == len(trails["trail/"])

    lake = seaweedfs.bucket().url + "lake"
    assert keytrail.ingest(bucket.url, lake, at=seaweedfs) == (2500, 0, 0)
    assert keytrail.ingest(bucket.url, lake, at=seaweedfs) == (0, 0, 2500)
    assert keytrail.scan(lake, at=seaweedfs) == expected


def test_names_that_must_be_encoded(server, keytrail, tmp_path):
    names = ["a b", "a+b", "a%2Bb", "a&b=c?d#e", "Grüße", "日本", "q'\"<>", "~(tilde)*!", "a:b@c,d;e", "tab\there"]
    objects = {f"{name}.json.gz": logs.log(number) for number, name in enumerate(names)}
    bucket = server.bucket()
    bucket.put_all(objects)
    folder = logs.write(tmp_path / "logs", objects)
    told = keytrail.scan(bucket.url, at=server)
    assert told["coverage"]["objects"]["read"] == len(names)
    assert renamed(told, bucket.url, f"{folder}/") == keytrail.scan(folder)
    lake = server.bucket().url + "a lake+1"
    assert keytrail.ingest(bucket.url, lake, at=server) == (len(names), 0, 0)
    assert keytrail.ingest(bucket.url, lake, at=server) == (0, 0, len(names))
    assert keytrail.scan(lake, at=server) == told


def test_versions(server, keytrail, tmp_path):
    """Of an object with versions the last one is read, and none where that is a delete marker."""
    bucket = server.bucket(versioned=True)
    bucket.put_all(logs.logs(1, 2, 3, 4))
    bucket.put(logs.key(2), logs.log(2, 12, 22))
    bucket.delete(logs.key(3))
    versions = bucket.s3.list_object_versions(Bucket=bucket.name)
    assert (len(versions["Versions"]), len(versions["DeleteMarkers"])) == (5, 1)

    current = {logs.key(1): logs.log(1), logs.key(2): logs.log(2, 12, 22), logs.key(4): logs.log(4)}
    folder = logs.write(tmp_path / "logs", current)
    told = keytrail.scan(bucket.url, at=server)
    assert told["coverage"]["objects"]["read"] == 3 and told["coverage"]["records"]["kms"] == 5
    assert renamed(told, bucket.url, f"{folder}/") == keytrail.scan(folder)
    assert keytrail.ingest(bucket.url, tmp_path / "lake", at=server) == (3, 0, 0)
    assert keytrail.scan(tmp_path / "lake") == told
