"""An AWS emulator on this machine, with the real function in it: bucket, notification, queue, function, topic."""

import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "analyzer/tests/support"))

import servers  # noqa: E402

BOOTSTRAP = os.environ.get("KEYTRAIL_BOOTSTRAP", ROOT / "target/debug/bootstrap")
ACCOUNT = "111122223333"
PATIENCE = 90


class Emulator(servers.Ministack):
    """All services that a deployment needs. Only loopback is reached."""

    def environment(self):
        services = "s3,sqs,sns,lambda,iam,sts,logs,states"
        return super().environment() | {
            "SERVICES": services,
            "AUTH": "false",
            "LAMBDA_EXECUTOR": "local",
            # What state machines wait for goes by faster.
            "SFN_WAIT_SCALE": "0.02",
        }


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    server = Emulator(tmp_path_factory.mktemp("emulator"))
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The function as it is deployed, without symbols: a zip of one program."""
    program = tmp_path_factory.mktemp("package") / "bootstrap"
    shutil.copy(BOOTSTRAP, program)
    strip = shutil.which("strip")
    if strip:
        subprocess.run([strip, program], check=True)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, program.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


class Stack:
    """What the template deploys, as far as the emulator has it."""

    def __init__(self, emulator, package):
        self.emulator = emulator
        self.s3, self.sqs, self.sns, self.function = (self.client(name) for name in ["s3", "sqs", "sns", "lambda"])
        for bucket in ["trail-logs", "keytrail-lake"]:
            self.s3.create_bucket(Bucket=bucket)
        self.dead, dead_arn = self.queue("dead")
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
        self.messages, queue_arn = self.queue("messages", RedrivePolicy=redrive, VisibilityTimeout="3")
        self.inbox, inbox_arn = self.queue("told")
        self.topic = self.sns.create_topic(Name="alerts")["TopicArn"]
        raw = {"RawMessageDelivery": "false"}
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=inbox_arn, Attributes=raw)
        config = f'[[alert.sink]]\nname = "topic"\nkind = "sns"\ntopic = "{self.topic}"\n'
        self.function.create_function(
            FunctionName="keytrail",
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=f"arn:aws:iam::{ACCOUNT}:role/keytrail",
            Code={"ZipFile": package},
            Timeout=60,
            MemorySize=512,
            Environment={
                "Variables": {
                    "KEYTRAIL_LAKE": "s3://keytrail-lake/lake",
                    "KEYTRAIL_CONFIG": config,
                    "KEYTRAIL_PATH_STYLE": "true",
                    "AWS_ENDPOINT_URL": emulator.endpoint,
                    "AWS_EC2_METADATA_DISABLED": "true",
                }
            },
        )
        self.function.create_event_source_mapping(
            EventSourceArn=queue_arn,
            FunctionName="keytrail",
            BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        notification = {"QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*"]}
        self.s3.put_bucket_notification_configuration(
            Bucket="trail-logs", NotificationConfiguration={"QueueConfigurations": [notification]}
        )

    def client(self, name):
        return boto3.client(
            name,
            endpoint_url=self.emulator.endpoint,
            region_name=servers.REGION,
            aws_access_key_id=servers.KEY_ID,
            aws_secret_access_key=servers.SECRET,
            config=Config(s3={"addressing_style": "path"}, read_timeout=120, retries={"max_attempts": 1}),
        )

    def queue(self, name, **attributes):
        url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def put(self, key, content):
        self.s3.put_object(Bucket="trail-logs", Key=key, Body=content)

    def lake(self, folder=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="keytrail-lake", Prefix=f"lake/{folder}")
        return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))

    def invoke(self, payload):
        answer = self.function.invoke(FunctionName="keytrail", Payload=json.dumps(payload))
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    def evaluate(self):
        body = self.invoke({"keytrail": "evaluate"})
        assert body["evaluated"], body
        return body

    def waiting(self, url):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def quiet(self):
        """Waits until every notification was handled."""
        until(lambda: self.waiting(self.messages) == 0, "messages are handled")

    def told(self):
        """Takes what subscribers of the topic got since the last time."""
        found = []
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10)
            batch = answer.get("Messages", [])
            if not batch:
                return found
            for message in batch:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])


def until(condition, what):
    """Waits for something that comes by itself."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def stack(emulator, package):
    return Stack(emulator, package)


@pytest.fixture(scope="session")
def sample():
    folder = ROOT / "fixtures/sample"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.json.gz"))}
