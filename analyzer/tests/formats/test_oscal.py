"""OSCAL assessment results against compliance-trestle's models, which are made from NIST's schemas, and against what the
schemas cannot say: references that lead somewhere, identifiers that are one thing's."""

import json
import re

import pytest
from trestle.oscal.assessment_results import Model


@pytest.fixture
def document(keytrail, source):
    return json.loads(keytrail(source, "oscal", "report"))


@pytest.fixture
def report(keytrail, source):
    """The same report as keytrail's own format has it."""
    return json.loads(keytrail(source, "json", "report"))


def walk(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def objects(document):
    return [value for value in walk(document) if isinstance(value, dict)]


def test_files_are_valid(document):
    Model(**document)
    empty = [value for value in walk(document) if value in ([], {}, "")]
    assert not empty


@pytest.mark.parametrize(
    "breaking",
    [
        lambda result: result.pop("reviewed-controls"),
        lambda result: result["findings"][0]["target"]["status"].update(state="partial"),
        lambda result: result["findings"][0]["target"].update({"target-id": "3.6"}),
        lambda result: result["observations"][0].update(uuid="1"),
        lambda result: result.update(verdict="good"),
        lambda result: result["props"][0].update(value=" blank"),
    ],
)
def test_the_judge_judges(keytrail, breaking):
    document = json.loads(keytrail("fixtures/sample", "oscal", "report"))
    breaking(document["assessment-results"]["results"][0])
    with pytest.raises(ValueError):
        Model(**document)


def test_what_is_named_is_there(document):
    uuids = [value["uuid"] for value in objects(document) if "uuid" in value]
    assert len(uuids) == len(set(uuids))
    named = {
        value[name]
        for value in objects(document)
        for name in ("observation-uuid", "subject-uuid", "actor-uuid", "component-uuid")
        if name in value
    }
    plan = document["assessment-results"]["import-ap"]["href"].removeprefix("#")
    assert named | {plan} <= set(uuids)
    for result in document["assessment-results"]["results"]:
        reviewed = [item["control-id"] for item in result["reviewed-controls"]["control-selections"][0]["include-controls"]]
        assert [f"{id}_obj" for id in reviewed] == [finding["target"]["target-id"] for finding in result["findings"]]
        assert len(reviewed) == len(set(reviewed))


def test_statuses_are_as_the_report_says(document, report):
    """Two states have to do for five: only what is satisfied may be called that."""
    results = document["assessment-results"]["results"]
    assert len(results) == len(report["frameworks"])
    prop = lambda value, name: [prop["value"] for prop in value.get("props", []) if prop["name"] == name]
    for result, framework in zip(results, report["frameworks"]):
        observations = {observation["uuid"]: observation for observation in result["observations"]}
        for finding, control in zip(result["findings"], framework["controls"], strict=True):
            status = finding["target"]["status"]
            expected = {"satisfied": ("satisfied", "pass"), "contradicted": ("not-satisfied", "fail")}
            assert (status["state"], status["reason"]) == expected.get(control["status"], ("not-satisfied", "other"))
            assert prop(finding, "status") == [control["status"]]
            assert prop(finding, "control") == [control["id"]]
            related = [observations[of["observation-uuid"]] for of in finding["related-observations"]]
            ids = [id for observation in related for id in prop(observation, "finding-id")]
            assert ids == [of["id"] for of in control["findings"]]
            deciding = {id for uuid in prop(finding, "deciding-observation") for id in prop(observations[uuid], "finding-id")}
            assert deciding == {of["id"] for of in control["findings"] if of["decides"]}


def test_evidence_is_as_the_report_says(document, report):
    findings = {finding["id"]: finding for finding in report["findings"]}
    seen = 0
    for result in document["assessment-results"]["results"]:
        for observation in result["observations"]:
            props = {prop["name"]: prop["value"] for prop in observation.get("props", [])}
            if "finding-id" not in props:
                continue
            finding = findings[props["finding-id"]]
            records = [
                {prop["name"]: prop["value"] for prop in evidence["props"]} for evidence in observation.get("relevant-evidence", [])
            ]
            assert [int(record["record"]) for record in records] == [of["record"] for of in finding["evidence"]]
            assert [record["event-time"] for record in records] == [of["time"] for of in finding["evidence"]]
            sums = [(record.get("object-sha-256"), record.get("object-integrity")) for record in records]
            assert sums == [(of.get("sha256"), of.get("integrity")) for of in finding["evidence"]]
            seen += len(records)
    assert seen or not any(finding["evidence"] for finding in report["findings"])


def test_text_of_others_is_no_markup(document):
    """Titles, descriptions and remarks are Markdown: whatever could start a tag, a link or an entity is escaped."""
    for value in objects(document):
        for member in ("title", "description", "remarks"):
            if isinstance(text := value.get(member), str):
                assert not re.search(r"(?<!\\)(?:\\\\)*[<\[`&{]", text), text
                assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), text


def test_a_run_is_the_same_again(keytrail, source):
    assert keytrail(source, "oscal", "report") == keytrail(source, "oscal", "report")
