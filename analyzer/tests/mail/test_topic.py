"""A topic of SNS, a secret of Secrets Manager and the state in a bucket, on ministack."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

import mail
from conftest import SAMPLE, email_sink
import servers

REGION = "eu-west-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAKEYTRAILEXAMPLE0", "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-tests"}


class Ministack(servers.Ministack):
    services = "sns,sqs,secretsmanager,ssm,events,s3"
    region = REGION
    auth = False


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """The address of a server with topics and queues."""
    with servers.started(Ministack, tmp_path_factory.mktemp("ministack")) as server:
        yield server.endpoint


def client(aws, service):
    keys = {name.lower(): value for name, value in KEYS.items()}
    return boto3.client(service, endpoint_url=aws, region_name=REGION, **keys)


def sink(topic):
    return f'[[alert.sink]]\nname = "topic"\nkind = "sns"\ntopic = "{topic}"\n'


def test_a_queue_gets_the_json(aws, keytrail):
    sns, sqs = client(aws, "sns"), client(aws, "sqs")
    topic = sns.create_topic(Name="keytrail")["TopicArn"]
    queue = sqs.create_queue(QueueName="keytrail")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    done = keytrail(
        "scan", SAMPLE, "--alert", "--rule", "disabled-key-failure", config=sink(topic),
        AWS_ENDPOINT_URL=aws, **KEYS,
    )
    assert done.code == 0, done.err
    notices = []
    while len(notices) < 2:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
        assert messages, f"only {len(notices)} arrived"
        notices += [json.loads(message["Body"]) for message in messages]
    by_kind = {json.loads(notice["Message"])["kind"]: notice for notice in notices}
    page = json.loads(by_kind["new"]["Message"])
    assert page["schema"] == "keytrail.alert/1" and page["severity"] == "critical"
    assert page["findings"][0]["rule"] == "disabled-key-failure"
    assert by_kind["new"]["Subject"].isascii() and len(by_kind["new"]["Subject"]) < 100
    attributes = by_kind["new"]["MessageAttributes"]
    assert attributes["severity"] == {"Type": "String", "Value": "critical"}
    assert attributes["account"]["Value"] == "111122223333"


def test_a_topic_that_is_not_there_is_told(aws, keytrail):
    topic = f"arn:aws:sns:{REGION}:111122223333:no-such-topic"
    done = keytrail("alert", "--test", config=sink(topic), AWS_ENDPOINT_URL=aws, **KEYS)
    assert done.code == 1 and "topic  failed: NotFound" in done.out, done.out
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in done.out + done.err


def test_a_password_comes_from_secrets_manager(aws, keytrail, aiosmtpd):
    secrets = client(aws, "secretsmanager")
    plain = secrets.create_secret(Name="smtp/plain", SecretString=mail.PASSWORD)["ARN"]
    secrets.create_secret(Name="smtp/json", SecretString=json.dumps({"user": "x", "password": mail.PASSWORD}))
    env = {"AWS_ENDPOINT_URL": aws, "AWS_REGION": REGION, **KEYS}

    def test(reference):
        config = email_sink(aiosmtpd).replace("env:SMTP_PASSWORD", reference)
        return keytrail("alert", "--test", config=config, **env)

    for reference in [plain, "smtp/json#password"]:
        done = test(f"aws-secretsmanager:{reference}")
        assert done.code == 0, done.out + done.err
        assert len(aiosmtpd.take()) == 1
    for reference, reason in {
        "smtp/json#pin": "the secret smtp/json has no text called pin",
        "smtp/plain#pin": "the secret smtp/plain has no text called pin",
        "smtp/none": "the secret smtp/none: ResourceNotFoundException",
    }.items():
        done = test(f"aws-secretsmanager:{reference}")
        assert done.code == 1 and reason in done.out, done.out
    assert not aiosmtpd.take()


def test_a_password_comes_from_a_secure_parameter(aws, keytrail, aiosmtpd):
    parameters = client(aws, "ssm")
    parameters.put_parameter(Name="/keytrail/smtp", Value=mail.PASSWORD, Type="SecureString")
    parameters.put_parameter(Name="/keytrail/plain", Value=mail.PASSWORD, Type="String")
    env = {"AWS_ENDPOINT_URL": aws, "AWS_REGION": REGION, **KEYS}

    def test(reference):
        config = email_sink(aiosmtpd).replace("env:SMTP_PASSWORD", f"ssm:{reference}")
        return keytrail("alert", "--test", config=config, **env)

    for reference in ["/keytrail/smtp", f"arn:aws:ssm:{REGION}:111122223333:parameter/keytrail/smtp"]:
        done = test(reference)
        assert done.code == 0, done.out + done.err
        assert len(aiosmtpd.take()) == 1
    for reference, reason in {
        "/keytrail/plain": "the parameter /keytrail/plain is no SecureString",
        "/keytrail/none": "the parameter /keytrail/none: ParameterNotFound",
    }.items():
        done = test(reference)
        assert done.code == 1 and reason in done.out, done.out
    assert not aiosmtpd.take()


def test_runs_at_the_same_time_over_a_bucket_tell_once(aws, keytrail, aiosmtpd):
    client(aws, "s3").create_bucket(Bucket="alerts", CreateBucketConfiguration={"LocationConstraint": REGION})
    place = ["--lake", "s3://alerts/lake", "--endpoint-url", aws, "--path-style"]
    env = {"AWS_REGION": REGION, **KEYS}
    filled = keytrail("scan", SAMPLE, *place, config=email_sink(aiosmtpd), **env)
    assert filled.code == 0, filled.err
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(keytrail, "scan", "--alert", *place, config=email_sink(aiosmtpd), **env) for _ in range(3)]
        done = [run.result() for run in runs]
    assert [run.code for run in done] == [0, 0, 0], [run.err for run in done]
    assert len(aiosmtpd.take()) == 1
    assert "alerts: 0 messages sent\n" in keytrail("scan", "--alert", *place, config=email_sink(aiosmtpd), **env).err
    assert not aiosmtpd.take()
