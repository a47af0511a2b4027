"""SARIF files against the schema, and against the rules of Microsoft's validator with those of GitHub's code scanning."""

import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest

# What it advises and keytrail does not do, with the reason.
LEFT = {
    "SARIF2005": "keytrail has no home page to name",
    "SARIF2017": "an object is one line: columns of a record in it are not known",
}


# The npm package @microsoft/sarif-multitool-linux: a program, and the schema of the standard. The program alone says nothing
# of a file that it cannot load, and knows no lists of words.
TOOL = Path(os.environ["SARIF_MULTITOOL"])


@pytest.fixture(scope="session")
def validate(tmp_path_factory):
    """Problems of a document, by the id of the rule that found them."""
    schema = json.loads((TOOL / "sarif-2.1.0.json").read_text())
    schema = jsonschema.validators.validator_for(schema)(schema)
    folder = tmp_path_factory.mktemp("sarif")

    def run(text):
        problems = {"schema": f"{error.json_path}: {error.message}" for error in schema.iter_errors(json.loads(text))}
        path = folder / "findings.sarif"
        path.write_text(text)
        command = [TOOL / "Sarif.Multitool", "validate", path, "--rule-kind", "Sarif;Ghas"]
        done = subprocess.run(command, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert "1 files scanned" in said, said[-2000:]
        return problems | {id: line for line in said.splitlines() for id in re.findall(r"(?:error|warning) ([A-Z]+\d+):", line)}

    return run


def test_files_are_valid(keytrail, source, findings, validate):
    text = keytrail(source, "sarif")
    problems = {id: line for id, line in validate(text).items() if id not in LEFT}
    assert not problems
    run = json.loads(text)["runs"][0]
    assert [result["properties"]["id"] for result in run["results"]] == [finding["id"] for finding in findings]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_a_run_is_the_same_again(keytrail, source):
    assert keytrail(source, "sarif") == keytrail(source, "sarif")


def test_what_is_not_read_is_told(keytrail):
    sample, hostile = (json.loads(keytrail(f"fixtures/{name}", "sarif"))["runs"][0] for name in ("sample", "hostile"))
    assert sample["invocations"][0]["executionSuccessful"] is True
    assert hostile["invocations"][0]["executionSuccessful"] is False
    said = [note["descriptor"]["id"] for note in hostile["invocations"][0]["toolExecutionNotifications"]]
    assert {"object-skipped", "record-rejected"} <= set(said)


def test_what_is_accepted_is_suppressed(keytrail):
    results = json.loads(keytrail("fixtures/sample", "sarif"))["runs"][0]["results"]
    accepted = [result["suppressions"][0]["justification"] for result in results if result["suppressions"]]
    assert accepted == ["an exercise, agreed on"]


def test_mistakes_are_found(keytrail, validate):
    log = json.loads(keytrail("fixtures/sample", "sarif"))
    results = log["runs"][0]["results"]
    results[0]["level"] = "loud"
    assert "schema" in validate(json.dumps(log)), "a level that is none"
    results[0]["level"] = "error"
    assert set(validate(json.dumps(log))) <= set(LEFT)
    del results[0]["locations"]
    assert any(id.startswith("GH") for id in validate(json.dumps(log))), "code scanning wants a place"
