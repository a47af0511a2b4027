"""Requests against the model of Security Hub's API that the AWS SDK has, and imported into a Security Hub of this machine."""

import copy
import json
import re

import boto3
import botocore.session
import pytest
from botocore.validate import ParamValidator
from moto import mock_aws

SHAPE = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings").input_shape

# Limits that the documentation gives and the model does not, in characters.
LIMITS = {"Id": 512, "ProductArn": 2048, "GeneratorId": 512, "Title": 256, "Description": 1024}


def requests(text):
    return [json.loads(line) for line in text.splitlines()]


def errors(request):
    return ParamValidator().validate(request, SHAPE).generate_report()


def texts(value):
    """Every text of a document: names of members left aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def test_requests_fit_the_model(keytrail, source, findings):
    all = requests(keytrail(source, "asff"))
    assert [errors(request) for request in all] == [""] * len(all)
    imported = [finding for request in all for finding in request["Findings"]]
    ids = {finding["Id"].rsplit("/", 1)[1] for finding in imported}
    assert ids == {finding["id"] for finding in findings} and len(imported) == len(findings)


def test_requests_keep_the_documented_limits(keytrail, source):
    for request in requests(keytrail(source, "asff")):
        assert 1 <= len(request["Findings"]) <= 100
        assert len(json.dumps(request)) < 6_000_000
        owners = {(finding["AwsAccountId"], finding["Region"]) for finding in request["Findings"]}
        assert len(owners) == 1
        (account, region) = owners.pop()
        for finding in request["Findings"]:
            assert finding["ProductArn"] == f"arn:aws:securityhub:{region}:{account}:product/{account}/default"
            assert all(1 <= len(finding[name]) <= most for name, most in LIMITS.items())
            assert len(finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "")) <= 512
            fields = finding["ProductFields"]
            assert len(fields) <= 50 and all(len(k) <= 128 and len(v) <= 2048 for k, v in fields.items())
            assert 1 <= len(finding["Resources"]) <= 32
            assert finding["Severity"]["Label"] in ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
            for name in ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", finding[name])
            assert finding["UpdatedAt"] >= finding["LastObservedAt"] >= finding["FirstObservedAt"]
            assert all(re.search(r"\S", text) for text in texts(finding)), "the API takes no empty text"


def test_the_model_finds_mistakes(keytrail):
    request = requests(keytrail("fixtures/sample", "asff"))[0]
    wrong = copy.deepcopy(request)
    wrong["Findings"][0]["Keytrail"] = 1
    assert "Keytrail" in errors(wrong)
    wrong = copy.deepcopy(request)
    del wrong["Findings"][0]["Resources"][0]["Id"]
    assert "Id" in errors(wrong)


@mock_aws
def test_security_hub_takes_them(keytrail, findings, source, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    seen = 0
    for request in requests(keytrail(source, "asff")):
        hub = boto3.client("securityhub", region_name=request["Findings"][0]["Region"])
        for again in range(2):
            answer = hub.batch_import_findings(**request)
            assert (answer["FailedCount"], answer["SuccessCount"]) == (0, len(request["Findings"])), answer
        kept = [finding for page in hub.get_paginator("get_findings").paginate() for finding in page["Findings"]]
        mine = {finding["Id"] for finding in request["Findings"]}
        assert mine <= {finding["Id"] for finding in kept}
        assert len(kept) == len({finding["Id"] for finding in kept}), "the same finding again is the same finding"
        seen += len(mine)
    assert seen == len(findings)


def test_every_state_is_there(keytrail):
    all = [finding for request in requests(keytrail("fixtures/sample", "asff")) for finding in request["Findings"]]
    assert {finding["RecordState"] for finding in all} == {"ACTIVE", "ARCHIVED"}
    suppressed = [finding for finding in all if finding.get("Workflow") == {"Status": "SUPPRESSED"}]
    assert [finding["ProductFields"]["keytrail/suppression/reason"] for finding in suppressed] == ["an exercise, agreed on"]
