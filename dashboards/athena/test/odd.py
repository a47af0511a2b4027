"""Logs with what lakes rarely hold, written out one by one."""

import gzip
import json
import shutil

OWNER, CALLER = "111122223333", "444455556666"
LATE = "999988887777"
KEY = f"arn:aws:kms:eu-west-1:{OWNER}:key/00000000-0000-4000-8000-000000000001"
LATE_KEY = KEY.replace(OWNER, LATE)
GUID = "aaaaaaaa-0000-4000-8000-{:012}"


def record(number, time="2026-09-01T12:00:00Z", log=OWNER, key=KEY, **more):
    """A Decrypt by a role of the caller's account."""
    made = {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{CALLER}:assumed-role/app/one",
            "accountId": CALLER,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{CALLER}:role/app"}},
        },
        "eventTime": time,
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7",
        "requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "requestID": f"request-{number}",
        "eventID": GUID.format(number),
        "readOnly": True,
        "eventType": "AwsApiCall",
        "recipientAccountId": log,
    }
    if key:
        made["resources"] = [{"accountId": OWNER, "type": "AWS::KMS::Key", "ARN": key}]
    return {name: value for name, value in (made | more).items() if value is not None}


def corrects(number):
    return {"reason": "UPDATED_DATA", "updatedFields": "requestParameters", "originalEventID": GUID.format(number)}


RECORDS = {
    # One event, delivered three times.
    "copies-1": [record(1), record(2), record(1)],
    "copies-2": [record(1)],
    # One id, another name: no copies of each other.
    "names": [record(10), record(10, eventName="Encrypt")],
    # A correction on the same day, delivered twice, and a correction of the correction.
    "corrected": [record(20), record(21)],
    "correction": [record(22, addendum=corrects(20))],
    "correction-again": [record(22, addendum=corrects(20)), record(23, addendum=corrects(22))],
    # A correction that comes once without saying what it corrects.
    "silent": [record(26), record(27)],
    "silent-again": [record(26, addendum=corrects(27))],
    # A correction with the id of what it corrects, and one in the log of another account.
    "own-id": [record(30), record(30, addendum=corrects(30))],
    "elsewhere": [record(31), record(32, log=CALLER, addendum=corrects(31))],
    # Two accounts log one call: both with the key, one of them without, and a twin that comes twice.
    "twins-owner": [record(40, sharedEventID="shared-1"), record(42, sharedEventID="shared-2")],
    "twins-caller": [
        record(41, log=CALLER, sharedEventID="shared-1"),
        record(43, log=CALLER, key=None, sharedEventID="shared-2"),
        record(41, log=CALLER, sharedEventID="shared-1"),
    ],
    # An owner whose account comes after the caller's.
    "twins-late": [
        record(45, log=CALLER, key=LATE_KEY, sharedEventID="shared-4"),
        record(46, log=LATE, key=LATE_KEY, sharedEventID="shared-4"),
    ],
    # Neither log is the owner's, and the first by account names no key.
    "twins-without-owner": [
        record(47, log=OWNER, key=None, sharedEventID="shared-5"),
        record(48, log=CALLER, key=LATE_KEY, sharedEventID="shared-5"),
    ],
    # A twin of which only the caller's record is there.
    "twin-alone": [record(44, log=CALLER, sharedEventID="shared-3")],
    # Records without eventID: the same request, another request, and no request at all.
    "no-id": [record(50, eventID=None), record(50, eventID=None), record(51, eventID=None)],
    "no-id-no-request": [record(52, eventID=None, requestID=None), record(52, eventID=None, requestID=None)],
    # An account that is none, in a Region of capitals; neither of them.
    "odd-places": 2 * [record(60, log="Ünbekannt/..", awsRegion="EU-WEST-1")],
    "no-places": [record(61, log=None, awsRegion=None, userIdentity={"type": "AWSService"})],
}

# Corrections whose UTC date is not that of what they correct.
ANOTHER_DAY = {
    "moved": [record(70, time="2026-09-03T23:59:59Z")],
    "moved-correction": [record(71, time="2026-09-04T00:00:01Z", addendum=corrects(70))],
}


def write(folder, hostile=None, records=RECORDS):
    """Objects with names of a trail, so that they have a day, and some without."""
    trail = folder / f"AWSLogs/{OWNER}/CloudTrail/eu-west-1/2026/09/01"
    trail.mkdir(parents=True)
    for number, (name, of) in enumerate(records.items()):
        stem = f"{OWNER}_CloudTrail_eu-west-1_20260901T{number:02}05Z_0123456789abcdef"
        with gzip.open(trail / f"{stem}.json.gz", "wt") as out:
            json.dump({"Records": of}, out)
    if hostile:
        shutil.copytree(hostile, folder / "hostile")
        (trail / f"{OWNER}_CloudTrail_eu-west-1_20260901T2305Z_0123456789abcdef.json.gz").write_bytes(b"\x1f\x8b broken")
