"""Events against the schema of OCSF: of the version that they name, and of every later one."""

import copy
import functools
import json
import re

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema, get_packaged_versions

NAMED = "1.3.0"


def number(version):
    return tuple(int(part) for part in version.split("."))


RELEASED = [version for version in get_packaged_versions() if re.fullmatch(r"[\d.]+", version)]
LATER = [version for version in RELEASED if number(version) >= number(NAMED)]


@functools.cache
def validator(version):
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    schema = schema.get_class_schema("detection_finding", profiles=["cloud"])
    return jsonschema.validators.validator_for(schema)(schema)


def errors(version, event):
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(version).iter_errors(event)]


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_schemas_are_there():
    assert NAMED in LATER and len(LATER) > 3, LATER


@pytest.mark.parametrize("version", LATER)
def test_events_are_valid(keytrail, source, findings, version):
    all = events(keytrail(source, "ocsf"))
    check = validator(version)
    problems = {f"{error.json_path}: {error.message[:200]}" for event in all for error in check.iter_errors(event)}
    assert not problems
    assert [event["finding_info"]["uid"] for event in all] == [finding["id"] for finding in findings]
    assert all or "444455556666" not in source
    assert {event["metadata"]["version"] for event in all} <= {NAMED}


def test_every_status_is_there(keytrail):
    all = events(keytrail("fixtures/sample", "ocsf"))
    assert {event["status"] for event in all} == {"New", "Resolved", "Suppressed"}
    accepted = [event["status_detail"] for event in all if event["status_id"] == 3]
    assert accepted == ["an exercise, agreed on"]


def test_the_schema_finds_mistakes(keytrail):
    event = events(keytrail("fixtures/sample", "ocsf"))[0]
    for path, value in [("severity_id", 9), ("time", "now"), ("keytrail", 1)]:
        wrong = copy.deepcopy(event)
        wrong[path] = value
        assert errors(NAMED, wrong), path
    del event["finding_info"]["uid"]
    assert errors(NAMED, event)
