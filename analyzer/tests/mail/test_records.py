"""Sinks that keep a record of each finding: Security Hub on moto, EventBridge on ministack, and what takes only a part."""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

import mail
from conftest import SAMPLE
import servers
from test_topic import KEYS, REGION, aws, client  # noqa: F401 (a fixture)

ACCOUNT = "111122223333"
HUB = f'[[alert.sink]]\nname = "hub"\nkind = "securityhub"\naccount = "{ACCOUNT}"\nregion = "{REGION}"\n'
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
BUS_SINK = f'[[alert.sink]]\nname = "bus"\nkind = "eventbridge"\nbus = "{BUS}"\n'


def shape(service, operation):
    return botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape


SHAPES = {
    "securityhub": shape("securityhub", "BatchImportFindings"),
    "events": shape("events", "PutEvents"),
}


class Moto(servers.Moto):
    account = ACCOUNT


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with servers.started(Moto, tmp_path_factory.mktemp("moto")) as server:
        yield server.endpoint


class Watch:
    """Stands before a server: holds every request against the SDK's model and its signature, and may refuse parts."""

    def __init__(self, behind):
        watch = self
        self.requests, self.refuse = [], lambda item, at: None
        port = mail.free_port()
        self.url = f"http://{mail.HOST}:{port}"

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                watch.check(self, body)
                service = self.headers["Authorization"].split("/")[3]
                kept, refused = watch.part(service, json.loads(body))
                answer = None
                if kept:
                    forwarded = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
                    request = urllib.request.Request(behind + self.path, json.dumps(kept).encode(), forwarded)
                    with urllib.request.urlopen(request) as response:
                        answer = json.load(response)
                answer = json.dumps(watch.joined(service, answer, refused)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.server = ThreadingHTTPServer((mail.HOST, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def check(self, handler, body):
        """The signature is the one that botocore computes."""
        given = handler.headers["Authorization"]
        service = given.split("/")[3]
        names = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        headers = {name: handler.headers[name] for name in names}
        request = AWSRequest("POST", self.url + handler.path, data=body, headers=headers)
        request.context["timestamp"] = handler.headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials(*KEYS.values()), service, REGION)
        text = auth.string_to_sign(request, auth.canonical_request(request))
        assert given.endswith("Signature=" + auth.signature(text, request)), given
        errors = ParamValidator().validate(json.loads(body), SHAPES[service])
        self.requests.append((service, json.loads(body), errors.generate_report()))

    def part(self, service, body):
        (name, items), = body.items()
        refused = [(at, item, self.refuse(item, len(self.requests))) for at, item in enumerate(items)]
        kept = [item for _, item, code in refused if not code]
        return ({name: kept} if kept else None), [(at, item, code) for at, item, code in refused if code]

    @staticmethod
    def joined(service, answer, refused):
        if service == "securityhub":
            answer = answer or {"FailedCount": 0, "SuccessCount": 0, "FailedFindings": []}
            failed = [{"Id": item["Id"], "ErrorCode": code, "ErrorMessage": "said the test"} for _, item, code in refused]
            return answer | {"FailedCount": len(failed), "FailedFindings": failed}
        entries = (answer or {"Entries": []})["Entries"]
        for at, _, code in refused:
            entries.insert(at, {"ErrorCode": code, "ErrorMessage": "said the test"})
        return {"FailedEntryCount": len(refused), "Entries": entries}

    def stop(self):
        self.server.shutdown()


@pytest.fixture
def hub(moto):
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()
    boto3.client("securityhub", endpoint_url=moto, region_name=REGION, **{k.lower(): v for k, v in KEYS.items()}).enable_security_hub()
    watch = Watch(moto)
    yield watch
    watch.stop()
    assert [errors for _, _, errors in watch.requests if errors] == []


def found(moto):
    hub = boto3.client("securityhub", endpoint_url=moto, region_name=REGION, **{k.lower(): v for k, v in KEYS.items()})
    return {finding["Id"]: finding for page in hub.get_paginator("get_findings").paginate() for finding in page["Findings"]}


def scanned(keytrail, *args, config=""):
    return json.loads(keytrail("scan", SAMPLE, "--format", "json", *args, config=config).out)["findings"]


def test_every_finding_is_in_security_hub_and_is_archived_when_it_is_accepted(moto, hub, keytrail, tmp_path):
    env = {"AWS_ENDPOINT_URL": hub.url, **KEYS}
    run = lambda config: keytrail("scan", SAMPLE, "--lake", tmp_path / "lake", "--alert", config=config, **env)
    done = run(HUB)
    assert done.code == 0, done.err
    told = {f["id"]: f for f in scanned(keytrail) if f["status"] == "open" and f["severity"] != "info"}
    there = {id.rsplit("/", 1)[1]: finding for id, finding in found(moto).items()}
    # An incident is told whole: what is over in it, or worth no message alone, is there as well.
    assert set(told) <= set(there)
    for id, finding in told.items():
        assert there[id]["RecordState"] == "ACTIVE" and there[id]["AwsAccountId"] == ACCOUNT and there[id]["Region"] == REGION
        assert there[id]["ProductFields"]["keytrail/account"] == finding["account"]
        assert there[id]["ProductFields"]["keytrail/region"] == finding["region"]
        assert there[id]["ProductArn"] == f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
    requests = len(hub.requests)
    assert run(HUB).code == 0 and len(hub.requests) == requests, "what is told is not told again"
    # One finding of an incident is accepted while another holds: it alone is handed over, and archived; the others stay.
    incidents = [finding["incident"] for finding in told.values()]
    drill = next(id for id, finding in told.items() if incidents.count(finding["incident"]) > 1)
    accept = f'[[suppress]]\nid = "{drill}"\nreason = "a drill"\n'
    states = lambda: {id.rsplit("/", 1)[1]: finding["RecordState"] for id, finding in found(moto).items()}
    before = states()
    handed = lambda since: [finding["Id"].rsplit("/", 1)[1] for _, body, _ in hub.requests[since:] for finding in body["Findings"]]
    assert run(HUB + accept).code == 0
    assert handed(requests) == [drill]
    assert states() == before | {drill: "ARCHIVED"}
    requests = len(hub.requests)
    assert run(HUB + accept).code == 0 and len(hub.requests) == requests, "what is told is not told again"
    # And it is there again when nobody accepts it any more.
    assert run(HUB).code == 0
    assert handed(requests) == [drill] and states() == before


def test_what_security_hub_does_not_take_is_handed_over_again_alone(moto, hub, keytrail):
    first = []

    def refuse(item, at):
        first[:] = first or [item["Id"]]
        return "InternalFailure" if item["Id"] == first[0] and at < 3 else None

    hub.refuse = refuse
    args = ("scan", SAMPLE, "--rule", "disabled-key-failure", "--alert")
    done = keytrail(*args, config=HUB, AWS_ENDPOINT_URL=hub.url, **KEYS)
    assert done.code == 0, done.err
    ids = [[finding["Id"] for finding in body["Findings"]] for _, body, _ in hub.requests]
    assert ids[1] == ids[2] == first and set(first) <= set(found(moto))


def test_what_security_hub_refuses_for_good_is_told(moto, hub, keytrail):
    hub.refuse = lambda item, at: "InvalidInput"
    done = keytrail("alert", "--test", config=HUB, AWS_ENDPOINT_URL=hub.url, **KEYS)
    assert done.code == 1 and "1 of 1 were not taken: InvalidInput: said the test" in done.out, done.out
    assert len(hub.requests) == 1 and not found(moto)
    hub.refuse = lambda item, at: None
    assert keytrail("alert", "--test", config=HUB, AWS_ENDPOINT_URL=hub.url, **KEYS).code == 0
    (test,) = found(moto).values()
    assert test["RecordState"] == "ARCHIVED" and test["Severity"]["Label"] == "INFORMATIONAL"
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in done.out + done.err


@pytest.fixture
def bus(aws):
    watch = Watch(aws)
    yield watch
    watch.stop()
    assert [errors for _, _, errors in watch.requests if errors] == []


@pytest.fixture
def events(aws, request):
    """Takes what the bus has delivered to a queue that a rule names, by what is in a finding."""
    name = request.node.name[:40].replace("_", "-")
    sqs, rules = client(aws, "sqs"), client(aws, "events")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules.put_rule(Name=name, EventPattern=json.dumps({"source": ["keytrail"], "detail": {"rule": ["disabled-key-failure"]}}))
    rules.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

    def take():
        taken = []
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", []):
            taken += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return taken

    yield take
    rules.remove_targets(Rule=name, Ids=["queue"])
    rules.delete_rule(Name=name)


def test_an_event_is_a_finding_that_rules_can_pick(bus, events, keytrail):
    done = keytrail("scan", SAMPLE, "--alert", config=BUS_SINK, AWS_ENDPOINT_URL=bus.url, **KEYS)
    assert done.code == 0, done.err
    findings = {f["id"]: f for f in scanned(keytrail) if f["rule"] == "disabled-key-failure"}
    arrived = {event["detail"]["id"]: event for event in events()}
    assert set(arrived) == set(findings)
    for id, event in arrived.items():
        alert = event["detail"].pop("alert")
        assert event["detail"] == findings[id]
        assert event["detail-type"] == "Keytrail Finding" and event["resources"] == [findings[id]["key"]["arn"]]
        assert (alert["schema"], alert["change"], alert["truncated"]) == ("keytrail.alert/1", "new", [])
    assert all(len(body["Entries"]) <= 10 for _, body, _ in bus.requests)


def test_events_that_are_not_taken_are_put_again_alone(bus, events, keytrail):
    bus.refuse = lambda item, at: "ThrottlingException" if at == 1 and "disabled-key-failure" in item["Detail"] else None
    done = keytrail("scan", SAMPLE, "--rule", "disabled-key-failure", "--alert", config=BUS_SINK, AWS_ENDPOINT_URL=bus.url, **KEYS)
    assert done.code == 0, done.err
    ids = [event["detail"]["id"] for event in events()]
    assert len(ids) == len(set(ids)) > 0
    put = [json.loads(entry["Detail"])["id"] for _, body, _ in bus.requests for entry in body["Entries"]]
    assert len(put) > len(ids), "one request was refused, and its events put again"


def test_a_bus_that_is_not_there_or_refuses_is_told(bus, keytrail):
    bus.refuse = lambda item, at: "NotAuthorizedForSourceException"
    done = keytrail("alert", "--test", config=BUS_SINK, AWS_ENDPOINT_URL=bus.url, **KEYS)
    assert done.code == 1 and "1 of 1 were not taken: NotAuthorizedForSourceException" in done.out, done.out
