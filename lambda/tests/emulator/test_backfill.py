"""The state machine of backfill.asl.json over a plan of keytrail: what is in the lake then is what a scan says.

KEYTRAIL_BACKFILL_OBJECTS says how many logs there are; 5000 take a quarter of an hour.
"""

import gzip
import json
import os
import re
import subprocess
import time
import uuid

import pytest
from conftest import ACCOUNT, ROOT
from test_deployed import scan

OBJECTS = int(os.environ.get("KEYTRAIL_BACKFILL_OBJECTS", "300"))
LONGEST = 120 + OBJECTS
DEFINITION = ROOT / "lambda/backfill.asl.json"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/keytrail-backfill"


def logs(sample, count):
    """So many logs: the sample in one account after the other, every event with an id of its own."""
    found = {}
    for turn in range(count):
        account = f"{int(ACCOUNT) + turn:012}"
        for key, content in sample.items():
            if len(found) == count:
                return found
            text = gzip.decompress(content).decode().replace(ACCOUNT, account)

            def other(match, account=account):
                return f'"eventID":"{uuid.uuid5(uuid.NAMESPACE_OID, account + match[1])}"'

            text = re.sub(r'"eventID"\s*:\s*"([^"]+)"', other, text)
            found[key.replace(ACCOUNT, account)] = gzip.compress(text.encode(), 1, mtime=0)
    return found


class Backfill:
    """A stack of its own: logs that nobody was told of, and the state machine."""

    def __init__(self, stack, package, sample):
        self.stack = stack
        self.states = stack.client("stepfunctions")
        for bucket in ["old-logs", "old-lake"]:
            stack.s3.create_bucket(Bucket=bucket)
        self.logs = logs(sample, OBJECTS)
        for key, content in self.logs.items():
            stack.s3.put_object(Bucket="old-logs", Key=key, Body=content)
        self.messages, arn = stack.queue("old-told")
        self.topic = stack.sns.create_topic(Name="old-alerts")["TopicArn"]
        stack.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        variables = {
            "KEYTRAIL_LAKE": "s3://old-lake/lake",
            "KEYTRAIL_CONFIG": f'[[alert.sink]]\nname = "topic"\nkind = "sns"\ntopic = "{self.topic}"\n',
            "KEYTRAIL_PATH_STYLE": "true",
            "AWS_ENDPOINT_URL": stack.emulator.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        function = stack.function.create_function(
            FunctionName="keytrail-backfill",
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=ROLE,
            Code={"ZipFile": package},
            Timeout=120,
            MemorySize=512,
            Environment={"Variables": variables},
        )["FunctionArn"]
        definition = DEFINITION.read_text().replace("${FunctionArn}", function)
        self.machine = self.states.create_state_machine(
            name="keytrail-backfill", definition=definition, roleArn=ROLE
        )["stateMachineArn"]

    def plan(self, folder, *args):
        """The lines of a plan, from the real command."""
        keytrail = os.environ.get("KEYTRAIL", ROOT / "target/debug/keytrail")
        output = folder / "plan.jsonl"
        command = [keytrail, "backfill", "plan", "s3://old-logs/AWSLogs/", "--lake", "s3://old-lake/lake"]
        command += ["--output", output, "--endpoint-url", self.stack.emulator.endpoint, "--path-style", *args]
        environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
        done = subprocess.run(command, capture_output=True, env=environment | {"AWS_EC2_METADATA_DISABLED": "true"})
        assert done.returncode == 0, done.stderr.decode()
        return output.read_text()

    def run(self, plan):
        """Runs the state machine over a plan: its end, and the end of its map."""
        self.stack.s3.put_object(Bucket="old-lake", Key="backfill/plan.jsonl", Body=plan.encode())
        what = json.dumps({"bucket": "old-lake", "key": "backfill/plan.jsonl"})
        arn = self.states.start_execution(stateMachineArn=self.machine, input=what)["executionArn"]
        end = time.monotonic() + LONGEST
        while (done := self.states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < end, f"not within {LONGEST} s"
            time.sleep(0.5)
        runs = self.states.list_map_runs(executionArn=arn)["mapRuns"]
        return done, self.states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])

    def told(self):
        """Takes what subscribers of the topic got since the last time."""
        self.stack.inbox, before = self.messages, self.stack.inbox
        try:
            return self.stack.told()
        finally:
            self.stack.inbox = before

    def findings(self, place):
        return scan(place, endpoint=self.stack.emulator.endpoint)


@pytest.fixture(scope="module")
def backfill(stack, package, sample):
    return Backfill(stack, package, sample)


def test_a_backfill_says_what_a_scan_says(backfill, tmp_path):
    plan = backfill.plan(tmp_path, "--batch-objects", str(max(10, OBJECTS // 40)))
    assert plan == backfill.plan(tmp_path, "--batch-objects", str(max(10, OBJECTS // 40)))
    objects = [entry["uri"] for line in plan.splitlines() for entry in json.loads(line)["objects"]]
    assert sorted(objects) == sorted(f"s3://old-logs/{key}" for key in backfill.logs)

    done, batches = backfill.run(plan)
    assert done["status"] == "SUCCEEDED", done
    counts = batches["itemCounts"]
    assert (counts["succeeded"], counts["failed"]) == (len(plan.splitlines()), 0)
    expected = backfill.findings("s3://old-logs/AWSLogs/")
    assert len(expected) > 10
    assert backfill.findings("s3://old-lake/lake") == expected
    summary = backfill.told()
    assert len(summary) == 1 and "already there" in summary[0]["Subject"], summary

    # The same plan once more: nothing is read, nothing is told.
    done, _ = backfill.run(plan)
    assert done["status"] == "SUCCEEDED", done
    assert backfill.findings("s3://old-lake/lake") == expected
    assert backfill.told() == []


def test_what_fails_is_borne_up_to_a_limit(backfill, tmp_path):
    lines = backfill.plan(tmp_path, "--batch-objects", str(max(1, OBJECTS // 100))).splitlines()
    bad = json.dumps({"keytrail": "ingest", "objects": [{"uri": "nonsense"}]})
    done, batches = backfill.run("\n".join([*lines, bad]) + "\n")
    assert len(lines) > 40 and batches["itemCounts"]["failed"] == 1
    assert done["status"] == "SUCCEEDED", done

    gone = json.dumps({"keytrail": "ingest", "objects": [{"uri": "s3://old-logs/AWSLogs/gone.json.gz"}]})
    done, batches = backfill.run(gone + "\n")
    assert (done["status"], batches["itemCounts"]["failed"]) == ("FAILED", 1)
    assert "threshold" in done["cause"], done
    # It is over for the lake all the same: evaluations tell again.
    answer = backfill.stack.function.invoke(FunctionName="keytrail-backfill", Payload=b'{"keytrail": "evaluate"}')
    assert json.loads(answer["Payload"].read())["evaluated"]
    lease = json.loads(backfill.stack.s3.get_object(Bucket="old-lake", Key="lake/leases/backfill.json")["Body"].read())
    assert lease["lease_until"] == 0, lease
