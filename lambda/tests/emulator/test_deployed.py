"""New log -> notification -> queue -> the real function -> lake and topic, once."""

import json
import os
import subprocess

from conftest import ROOT, until


def scan(*sources, endpoint=None):
    """Findings of the command line over the same bytes, by id."""
    keytrail = os.environ.get("KEYTRAIL", ROOT / "target/debug/keytrail")
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    more = ["--endpoint-url", endpoint, "--path-style"] if endpoint else []
    command = [keytrail, "scan", "--quiet", "--format", "json", *more, *sources]
    done = subprocess.run(command, capture_output=True, env=environment | {"AWS_EC2_METADATA_DISABLED": "true"})
    assert done.returncode in (0, 4), done.stderr.decode()
    return {finding["id"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_from_the_bucket_to_the_topic_once(stack, sample):
    keys = sorted(sample)
    early, late = keys[: len(keys) // 2], keys[len(keys) // 2 :]

    # What was there first is told in one summary.
    for key in early:
        stack.put(key, sample[key])
    stack.quiet()
    assert len(stack.lake("inbox/")) == len(early)
    assert stack.told() == [], "nobody is told before the first evaluation"
    stack.evaluate()
    summary = stack.told()
    assert len(summary) == 1, summary
    assert stack.lake("inbox/") == []

    # What is new is told by itself, at once or by the next evaluation.
    for key in late:
        stack.put(key, sample[key])
    stack.quiet()
    at_once = stack.told()
    assert at_once, "rules that need no more tell at once"
    stack.evaluate()
    later = stack.told()
    subjects = [message["Subject"] for message in at_once + later]
    assert all(subjects) and len(set(map(json.dumps, at_once + later))) == len(at_once + later)

    # All that was delivered says what a scan of it says.
    assert scan("s3://keytrail-lake/lake", endpoint=stack.emulator.endpoint) == scan(
        "s3://trail-logs/AWSLogs/", endpoint=stack.emulator.endpoint
    )

    # The same again, twice: nothing more is sent, nothing changes.
    settle(stack)
    manifest = stack.lake("events/") + stack.lake("objects/")
    for _ in range(2):
        for key in late[-8:]:
            stack.put(key, sample[key])
        stack.quiet()
    answer = stack.evaluate()
    assert stack.told() == []
    assert stack.lake("events/") + stack.lake("objects/") == manifest
    assert answer["findings"] == len(scan("s3://keytrail-lake/lake", endpoint=stack.emulator.endpoint))
    assert stack.waiting(stack.dead) == 0


def settle(stack):
    """Evaluates until there is nothing left to merge or to tell."""
    for _ in range(5):
        before = stack.lake("events/") + stack.lake("objects/")
        stack.evaluate()
        if stack.told() == [] and before == stack.lake("events/") + stack.lake("objects/"):
            return
    raise AssertionError("it never comes to rest")


def test_what_cannot_be_read_becomes_a_dead_letter_and_nothing_else_does(stack, sample):
    key, content = next(iter(sample.items()))
    damaged = key.replace(".json.gz", "damaged.json.gz")
    fine = key.replace(".json.gz", "another.json.gz")
    stack.put(damaged, content[: len(content) // 2])
    stack.put(fine, content)
    stack.put("AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/09/01/digest.json.gz", b"digest")
    stack.put("a folder/with spaces + signs/notes.txt", b"something else")
    until(lambda: stack.waiting(stack.dead) == 1, "the damaged log is a dead letter")
    stack.quiet()
    letter = stack.sqs.receive_message(QueueUrl=stack.dead)["Messages"][0]
    assert "damaged.json.gz" in letter["Body"]
    stack.evaluate()
    lake = subprocess.run(
        [
            os.environ.get("KEYTRAIL", ROOT / "target/debug/keytrail"), "scan", "--quiet", "--format", "json",
            "--endpoint-url", stack.emulator.endpoint, "--path-style", "s3://keytrail-lake/lake",
        ],
        capture_output=True,
        env={"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"},
    )
    report = json.loads(lake.stdout)
    assert lake.returncode == 4, "the lake knows that something is missing"
    reasons = {entry["object"].rsplit("/", 1)[1]: entry["reason"] for entry in report["skipped"]}
    assert reasons[damaged.rsplit("/", 1)[1]] == "truncated-gzip", reasons


def test_it_tests_itself(stack):
    assert stack.invoke({"keytrail": "self-test"})["lake"].startswith("s3://keytrail-lake/lake")
