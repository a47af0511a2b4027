"""`keytrail inventory` against a server that is not ours: what is kept, what is refused, what a killed run leaves."""

import json
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest

from conftest import ACCOUNT, HOME_REGION
from gate import Gate
from program import ROOT

ELSEWHERE = "us-east-1"
BOTH = [(HOME_REGION, "ENABLED_BY_DEFAULT"), (ELSEWHERE, "ENABLED"), ("ap-east-1", "DISABLED")]
POLICY = json.loads((ROOT / "analyzer/src/inventory/live/policy.json").read_text())


@pytest.fixture
def keys(moto):
    """Keys of several kinds and states in two Regions, by name."""
    kms = moto.client("kms")
    made = {}

    def make(name, at=kms, **more):
        made[name] = at.create_key(**more)["KeyMetadata"]["Arn"]
        return made[name]

    rotating = make("rotating", Tags=[{"TagKey": "env", "TagValue": "test"}])
    kms.enable_key_rotation(KeyId=rotating)
    kms.create_alias(AliasName="alias/rotating", TargetKeyId=rotating)
    kms.create_grant(
        KeyId=rotating, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:role/reader", Operations=["Decrypt"],
        Constraints={"EncryptionContextEquals": {"b": "2", "a": "1"}},
    )
    # The server takes ids here, and no ARNs.
    kms.disable_key(KeyId=make("disabled").rpartition("/")[2])
    kms.schedule_key_deletion(KeyId=make("going").rpartition("/")[2], PendingWindowInDays=7)
    make("signing", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    make("elsewhere", at=moto.client("kms", ELSEWHERE))
    return made


def files(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def calls(document, kind="answers"):
    return Counter(one["call"] for one in document[kind])


def load(folder, region, account=ACCOUNT):
    return json.loads((Path(folder) / f"{account}-{region}.json").read_text())


def test_what_kms_has_is_kept_and_read_again(moto, keys, keytrail, tmp_path):
    folder = tmp_path / "inventory"
    with Gate(moto.endpoint, BOTH) as between:
        done = keytrail.inventory("--output", folder, at=between)
    assert "5 keys" in done.err, done.err
    assert files(folder) == [f"{ACCOUNT}-{HOME_REGION}.json", f"{ACCOUNT}-{ELSEWHERE}.json"], "no file of a Region that is off"
    here = load(folder, HOME_REGION)
    assert here["schema"] == "keytrail.inventory/1" and here["refused"] == []
    # The signing key cannot rotate, so nobody asks whether it does.
    assert calls(here) == {
        "ListKeys": 1, "ListAliases": 1, "DescribeCustomKeyStores": 1, "DescribeKey": 4, "GetKeyRotationStatus": 3,
        "ListKeyRotations": 3, "GetKeyPolicy": 4, "ListGrants": 4, "ListResourceTags": 4,
    }
    rows, told = keytrail.keys(folder)
    assert (told["files"], told["refused"], told["misread"]) == (2, [], [])
    # The server lists aliases of AWS's services, and not the keys that they point at.
    theirs = {arn for arn, row in rows.items() if row["inventory"] and row["manager"] == "aws"}
    ours = {arn for arn, row in rows.items() if row["inventory"]} - theirs
    assert ours == set(keys.values()) and told["not_in_log"] == told["keys"] == len(ours | theirs)
    assert [(place["account"], place["region"]) for place in told["listed"]] == [(ACCOUNT, HOME_REGION), (ACCOUNT, ELSEWHERE)]
    states = {name: rows[arn]["state"] for name, arn in keys.items()}
    assert states == {
        "rotating": "Enabled", "disabled": "Disabled", "going": "PendingDeletion", "signing": "Enabled", "elsewhere": "Enabled",
    }
    # What the server itself says, by another client.
    kms = moto.client("kms")
    for name in ["rotating", "disabled", "going", "signing"]:
        said, row = kms.describe_key(KeyId=keys[name])["KeyMetadata"], rows[keys[name]]
        # The server leaves out what a key that will be deleted is for.
        assert (row["spec"], row["usage"], row["origin"]) == (said["KeySpec"], said.get("KeyUsage"), said["Origin"])
        policy = kms.get_key_policy(KeyId=keys[name], PolicyName="default")["Policy"]
        assert row["inventory"]["policy"]["value"] == policy
    row = rows[keys["rotating"]]
    # The server does not tell the period.
    assert (row["rotation"]["automatic"], row["aliases"]) == ("on", ["alias/rotating"])
    assert row["inventory"]["tags"]["value"] == {"env": "test"}
    (grant,) = row["inventory"]["grants"]["value"]
    assert json.loads(grant["constraints"]) == {"EncryptionContextEquals": {"a": "1", "b": "2"}}
    assert rows[keys["signing"]]["rotation"]["automatic"] == "unavailable"


def test_the_documented_policy_is_enough_and_needed(moto, keys, keytrail, tmp_path):
    iam = moto.client("iam")
    document = json.dumps(POLICY).replace("ROLE-NAME", "audit")

    def user(name, document):
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="inventory", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    auditor = user("auditor", document)
    without = json.loads(document)
    without["Statement"][0]["Action"].remove("kms:GetKeyPolicy")
    without["Statement"][0]["Action"].remove("kms:ListAliases")
    poorer = user("poorer", json.dumps(without))
    moto.enforce(True)
    with Gate(moto.endpoint, BOTH) as between:
        keytrail.inventory("--output", tmp_path / "all", at=between, **auditor)
        done = keytrail.inventory("--output", tmp_path / "less", at=between, code=4, **poorer)
    assert load(tmp_path / "all", HOME_REGION)["refused"] == []
    less = load(tmp_path / "less", HOME_REGION)
    assert calls(less, "refused") == {"GetKeyPolicy": 4, "ListAliases": 1}
    assert {one["reason"] for one in less["refused"]} == {"access-denied"}
    assert calls(less)["DescribeKey"] == 4, "the rest is there"
    assert "access-denied" in done.err and "GetKeyPolicy" in done.err
    rows, told = keytrail.keys(tmp_path / "less")
    assert {(one["call"], one["region"], one["count"]) for one in told["refused"]} == {
        ("GetKeyPolicy", HOME_REGION, 4), ("GetKeyPolicy", ELSEWHERE, 1),
        ("ListAliases", HOME_REGION, 1), ("ListAliases", ELSEWHERE, 1),
    }
    assert rows[keys["disabled"]]["inventory"]["policy"] is None


def test_one_key_or_region_that_is_refused_costs_nothing_else(moto, keys, keytrail, tmp_path):
    def refuse(region, call, body):
        if region == ELSEWHERE:
            return "UnrecognizedClientException"
        if call in ("DescribeKey", "ListGrants") and keys["disabled"].encode() in body:
            return "AccessDeniedException"
        return None

    with Gate(moto.endpoint, BOTH, refuse) as between:
        done = keytrail.inventory("--output", tmp_path / "some", at=between, code=4)
    assert "not-accepted" in done.err and "access-denied" in done.err
    here, there = load(tmp_path / "some", HOME_REGION), load(tmp_path / "some", ELSEWHERE)
    assert calls(here, "refused") == {"DescribeKey": 1, "ListGrants": 1} and calls(here)["DescribeKey"] == 3
    assert calls(there, "refused") == {"ListKeys": 1} and there["answers"] == []
    rows, _ = keytrail.keys(tmp_path / "some")
    row = rows[keys["disabled"]]
    assert row["state"] == "unknown" and row["inventory"]["policy"] and len(row["inventory"]["refused"]) == 2


def test_regions_that_may_not_be_listed_leave_that_of_the_configuration(moto, keys, keytrail, tmp_path):
    denied = lambda region, call, body: "AccessDeniedException" if call == "ListRegions" else None
    with Gate(moto.endpoint, BOTH, denied) as between:
        keytrail.inventory("--output", tmp_path / "home", at=between, code=4)
        asked = keytrail.inventory("--output", tmp_path / "asked", "--region", ELSEWHERE, at=between)
    assert files(tmp_path / "home") == [f"{ACCOUNT}-{HOME_REGION}.json", f"{ACCOUNT}.json"]
    assert files(tmp_path / "asked") == [f"{ACCOUNT}-{ELSEWHERE}.json"], asked.err


def test_too_many_requests_are_made_again(moto, keys, keytrail, tmp_path):
    lock, left = threading.Lock(), Counter({"DescribeKey": 3, "ListGrants": 2, "ListKeys": 1})

    def throttle(region, call, body):
        with lock:
            if left[call] > 0:
                left[call] -= 1
                return "ThrottlingException"
        return None

    with Gate(moto.endpoint, BOTH, throttle) as between:
        keytrail.inventory("--output", tmp_path / "inventory", at=between)
        made = Counter(call for _, call in between.calls)
    assert made["DescribeKey"] == 5 + 3 and made["ListGrants"] == 5 + 2
    assert load(tmp_path / "inventory", HOME_REGION)["refused"] == []


def test_a_killed_run_is_gone_on_with(moto, keys, keytrail, tmp_path):
    folder, reached = tmp_path / "inventory", threading.Event()
    hold = threading.Event()

    def stall(region, call, body):
        # The other Region is through when its file is there.
        if region == ELSEWHERE and call == "GetKeyPolicy" and not hold.is_set():
            reached.set()
            hold.wait(60)
        return None

    with Gate(moto.endpoint, BOTH, stall) as between:
        process = keytrail.start("--output", folder, at=between)
        assert reached.wait(60)
        for _ in range(600):
            if (folder / f"{ACCOUNT}-{HOME_REGION}.json").exists():
                break
            threading.Event().wait(0.1)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        hold.set()
    assert files(folder) == [".unfinished", f"{ACCOUNT}-{HOME_REGION}.json"]
    before = (folder / f"{ACCOUNT}-{HOME_REGION}.json").read_bytes()
    with Gate(moto.endpoint, BOTH) as between:
        done = keytrail.inventory("--output", folder, at=between)
        regions = {region for region, call in between.calls if call not in ("GetCallerIdentity", "ListRegions")}
    assert "went on" in done.err and regions == {ELSEWHERE}, "what is there is not asked again"
    assert (folder / f"{ACCOUNT}-{HOME_REGION}.json").read_bytes() == before
    assert files(folder) == [f"{ACCOUNT}-{HOME_REGION}.json", f"{ACCOUNT}-{ELSEWHERE}.json"]
    assert load(folder, ELSEWHERE)["run"] == load(folder, HOME_REGION)["run"]
    # A run that was through begins anew.
    with Gate(moto.endpoint, BOTH) as between:
        keytrail.inventory("--output", folder, at=between)
    assert (folder / f"{ACCOUNT}-{HOME_REGION}.json").read_bytes() != before


def test_all_accounts_of_an_organization(moto, keys, keytrail, tmp_path):
    organizations = moto.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    member, closed = [
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]["AccountId"]
        for name in ("member", "closed")
    ]
    role = moto.client("sts").assume_role(RoleArn=f"arn:aws:iam::{member}:role/audit/keytrail", RoleSessionName="test")
    key = role["Credentials"]
    theirs = moto.client(
        "kms", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], aws_session_token=key["SessionToken"]
    ).create_key()["KeyMetadata"]["Arn"]
    assert f":{member}:" in theirs

    def refuse(region, call, body):
        return "AccessDenied" if call == "AssumeRole" and closed.encode() in body else None

    with Gate(moto.endpoint, BOTH[:1], refuse) as between:
        args = ["--output", tmp_path / "org", "--org", "--assume-role", "audit/keytrail"]
        done = keytrail.inventory(*args, at=between, code=4)
    assert "3 accounts" in done.err and "AssumeRole" in done.err
    assert files(tmp_path / "org") == sorted(
        [f"{ACCOUNT}-{HOME_REGION}.json", f"{member}-{HOME_REGION}.json", f"{closed}.json"]
    )
    rows, told = keytrail.keys(tmp_path / "org")
    assert rows[theirs]["state"] == "Enabled" and rows[theirs]["account"] == member
    assert [(one["call"], one["account"], one["count"]) for one in told["refused"]] == [("AssumeRole", closed, 1)]


def test_without_credentials_nothing_is_asked(moto, keytrail, tmp_path):
    with Gate(moto.endpoint) as between:
        none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        done = keytrail.inventory("--output", tmp_path / "none", at=between, code=1, **none)
    assert "credentials" in done.err
    with Gate(moto.endpoint) as between:
        keytrail.inventory("--output", tmp_path / "half", "--org", at=between, code=2)
        keytrail.inventory("--output", tmp_path / "odd", "--org", "--assume-role", "a b", at=between, code=2)
        assert between.calls == []
