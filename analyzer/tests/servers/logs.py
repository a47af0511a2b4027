"""CloudTrail files in the account of the documentation: small, and the same at every call."""

import gzip
import json

ACCOUNT = "111122223333"
REGION = "us-east-1"
FOLDER = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/09/01/"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def time(number):
    """One a minute, all on one day."""
    return number // 60 % 24, number % 60


def record(number):
    hour, minute = time(number)
    issuer = {"type": "Role", "principalId": "AROAEXAMPLE", "arn": ROLE, "accountId": ACCOUNT, "userName": "reader"}
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:app",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/app",
            "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": issuer},
        },
        "eventTime": f"2026-09-01T{hour:02}:{minute:02}:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-sdk-rust",
        "requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "responseElements": None,
        "requestID": f"11111111-0000-4000-8000-{number:012}",
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }


def log(*numbers):
    """A file of these records."""
    text = json.dumps({"Records": [record(number) for number in numbers]})
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


def key(number):
    """What CloudTrail would call the file of this record."""
    hour, minute = time(number)
    return f"{FOLDER}{ACCOUNT}_CloudTrail_{REGION}_20260901T{hour:02}{minute:02}Z_{number:016}.json.gz"


def logs(*numbers, prefix=""):
    """Files of one record each, by key."""
    return {prefix + key(number): log(number) for number in numbers}


def write(folder, objects):
    """The same as files."""
    for name, content in objects.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
