"""The queries: Athena can read them, and on the sample they answer what its story tells."""

import re
from datetime import datetime, timedelta

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType

import athena

DAYS = ("2026-09-01", "2026-09-30")

# How to ask where it is not just the first and the last day.
PARAMETERS = {
    "cost-by-key": (0.03, *DAYS),
    "new-principals": (*DAYS, "2026-09-09"),
}

# Functions of Trino that the queries and views use: each has its entry in the documentation of Trino's functions.
FUNCTIONS = set(
    """
    array_agg array_join array_sort avg cast coalesce count count_if date_add date_diff date_trunc json_extract json_format
    lead max max_by min min_by minute round row_number sequence split_part sum upper
    """.split()
)

# Words that may stand before a parenthesis and are no functions.
WORDS = set("and as by exists filter from in join not on or over select then unnest union using values when where with t".split())

# Words that Trino wants quoted as names.
RESERVED = set(
    """
    alter and as auto between by case cast constraint create cross cube current_catalog current_date current_path
    current_role current_schema current_time current_timestamp current_user deallocate delete describe distinct drop else
    end escape except execute exists extract false for from full group grouping having in inner insert intersect into is
    join json_array json_exists json_object json_query json_table json_value left like listagg localtime localtimestamp
    natural normalize not null on or order outer prepare recursive right rollup select skip table then trim true uescape
    union unnest using values when where with date
    """.split()
)

KEYS = {
    "payments": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "archive": "arn:aws:kms:us-east-1:111122223333:key/2345bcde-23bc-45de-67fa-234567890abc",
    "documents": "arn:aws:kms:eu-west-1:444455556666:key/3456cdef-34cd-56ef-78ab-34567890abcd",
    "invoices": "arn:aws:kms:eu-west-1:111122223333:key/5678efab-56ef-78ab-90cd-567890abcdef",
    "tokens": "arn:aws:kms:us-east-1:444455556666:key/6789fabc-67fa-89bc-01de-67890abcdef1",
    "partner": "arn:aws:kms:eu-west-1:111122223333:key/7890abcd-78ab-90cd-12ef-7890abcdef12",
    "orders": "arn:aws:kms:eu-west-1:111122223333:key/9012cdef-90cd-12ef-34ab-90abcdef1234",
    "staging": "arn:aws:kms:us-east-1:111122223333:key/0123defa-01de-23fa-45bc-0abcdef12345",
    "probed": "arn:aws:kms:eu-west-1:111122223333:key/a123efab-12ef-34ab-56cd-abcdef123456",
    "legacy": "arn:aws:kms:us-east-1:111122223333:key/b234fabc-23fa-45bc-67de-bcdef1234567",
    "catalog": "arn:aws:kms:eu-west-1:111122223333:key/f678defa-67de-89fa-01bc-f1234567890a",
    "imported": "arn:aws:kms:us-east-1:111122223333:key/3579cead-35ce-79ad-9cef-3579cdefab12",
    "fresh": "arn:aws:kms:eu-west-1:111122223333:key/5791eacf-57ea-91cf-9eab-5791efabcd34",
    "shared": "arn:aws:kms:eu-west-1:111122223333:key/9135cead-91ce-35ad-9cef-9135cdefab78",
    "unknown": "arn:aws:kms:eu-west-1:111122223333:key/deadbeef-dead-4eef-8ead-deadbeefdead",
}

names = pytest.mark.parametrize("path", athena.QUERIES, ids=lambda path: path.stem)


def role(name, account="111122223333"):
    return f"arn:aws:iam::{account}:role/{name}"


def ask(lake, name):
    return lake.query(name, PARAMETERS.get(name, DAYS))


def by(found, **values):
    """Rows with these values."""
    return [row for row in found if all(row[name] == value for name, value in values.items())]


def one(found, **values):
    (row,) = by(found, **values)
    return row


@names
def test_the_head_says_what_one_must_know(path):
    head = [line for line in path.read_text().splitlines() if line.startswith("--")]
    assert len(head[0]) > 20, "the question comes first"
    words = ["Parameters:", "Reads:", "Beware:"]
    assert [line.split()[1] for line in head if line.startswith("-- ") and line.split()[1] in words] == words
    (select,) = athena.parse(path.read_text())
    expected = len(PARAMETERS.get(path.stem, DAYS))
    assert len(list(select.find_all(exp.Placeholder))) == expected
    parameters = re.sub(r"'[^']*'", "", " ".join(head).split("Parameters:")[1].split("Reads:")[0])
    assert re.findall(r"\b(\d) (?:first|last|price|day)", parameters) == [str(n + 1) for n in range(expected)]
    # Clients that look for parameters by themselves may not know comments.
    assert path.read_text().count("?") == expected
    assert max(len(line) for line in path.read_text().splitlines()) <= 124


@names
def test_only_what_trino_has(path):
    check_words(path.read_text())


def test_views_use_only_what_trino_has():
    text = athena.SCHEMA.read_text()
    check_words(text[text.index("CREATE OR REPLACE VIEW") :])


def check_words(text):
    tokens = sqlglot.tokenize(text, dialect="trino")
    for token, after in zip(tokens, tokens[1:]):
        word = token.text.lower()
        if after.token_type == TokenType.L_PAREN and re.fullmatch(r"[a-z_]+", word):
            assert word in FUNCTIONS | WORDS, f"{word}() is not on the list of Trino's functions"
    for statement in athena.parse(text):
        for identifier in statement.find_all(exp.Identifier):
            assert identifier.quoted or identifier.name.lower() not in RESERVED, f"{identifier.name} must be quoted"


@names
def test_days_limit_what_is_read(path):
    """Every table in a query is limited by date, with nothing around the column that would hide it from the planner."""
    (select,) = athena.parse(path.read_text())
    tables = [table for table in select.find_all(exp.Table) if table.db == "keytrail"]
    assert tables
    for table in tables:
        where = table.find_ancestor(exp.Select).args["where"]
        between = list(where.find_all(exp.Between))
        assert len(between) == 1 and between[0].this.sql() == '"date"'


@names
def test_there_is_an_answer(path, sample, odd_lake):
    found = ask(odd_lake if path.stem == "unread-objects" else sample, path.stem)
    assert found
    empty = [name for name in found[0] if all(row[name] is None for row in found)]
    # The sample logs no key exchange and no rotation; nothing that the system said came with damaged objects.
    assert set(empty) <= {"tls_key_exchange", "last_rotation", "detail"}, empty


@names
def test_other_days_have_no_answer(path, sample):
    days = ("2026-08-01", "2026-08-31")
    parameters = tuple(
        value if isinstance(value, float) else days[value == DAYS[1]] for value in PARAMETERS.get(path.stem, DAYS)
    )
    assert sample.query(path.stem, parameters) == []


def test_who_decrypted_what(sample):
    found = ask(sample, "who-decrypted-what")
    assert sum(row["decrypted"] + row["failed"] for row in found) == sample.coverage["operations"]["Decrypt"]
    burst = by(found, key_arn=KEYS["documents"], principal=role("report-builder", "444455556666"))
    assert sum(row["decrypted"] for row in burst) >= 600 and len(burst) >= 600
    archive = one(found, key_arn=KEYS["archive"], principal=role("archive-reader"))
    # Every six hours until the deletion was scheduled, then every hour in vain.
    assert (archive["resource"], archive["decrypted"], archive["failed"]) == ("archive=contracts-2024", 34, 39)
    secrets = by(found, key_arn=KEYS["payments"], through="secretsmanager.amazonaws.com")
    assert {row["resource"].rsplit("/", 1)[1] for row in secrets} == {"database-AbCdEf", "provider-token-GhIjKl"}
    # Ten calls with a record in each of two accounts count once, for the owner.
    assert [row["decrypted"] for row in by(found, key_arn=KEYS["shared"])] == [10]


def test_last_use_per_key(sample):
    found = ask(sample, "last-use-per-key")
    assert len(found) == len({row["key_arn"] for row in found})
    archive = one(found, key_arn=KEYS["archive"])
    assert archive["last_use"] < datetime(2026, 9, 9, 9, 20) < archive["last_mention"]
    assert archive["idle_days"] == 1 and archive["last_operation"] == "Decrypt"
    for key in ["legacy", "unknown", "probed"]:
        assert by(found, key_arn=KEYS[key])[0]["last_use"] is None, key
    staging = one(found, key_arn=KEYS["staging"])
    assert (staging["uses"], staging["last_user"], staging["idle_days"]) == (1, role("staging"), 4)
    operations = sample.coverage["operations"]
    crypto = ["Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "Sign"]
    failed = sum(row["calls"] for row in ask(sample, "failures-by-key") if row["event_name"] in crypto)
    assert sum(row["uses"] for row in found) == sum(operations[name] for name in crypto) - failed


def test_failures_by_key(sample):
    found = ask(sample, "failures-by-key")
    archive = one(found, key=KEYS["archive"])
    assert (archive["failure"], archive["calls"], archive["principals"]) == ("key-pending-deletion", 39, 1)
    finding = sample.finding("disabled-key-failure", "alias/archive")
    assert finding["count"] == archive["calls"]
    assert finding["last_seen"] == archive["last_failure"].strftime("%Y-%m-%dT%H:%M:%SZ")
    expected = {
        ("orders", "access-denied", "DisableKey"): 1,
        ("invoices", "access-denied", "EnableKeyRotation"): 1,
        ("probed", "dry-run", "Decrypt"): 6,
        ("legacy", "key-disabled", "EnableKeyRotation"): 1,
        ("legacy", "key-disabled", "PutKeyPolicy"): 1,
        ("unknown", "key-not-found", "Decrypt"): 1,
    }
    for (key, failure, event), calls in expected.items():
        assert one(found, key=KEYS[key], failure=failure, event_name=event)["calls"] == calls
    assert {row["key"] for row in found} == {KEYS[key] for key, _, _ in expected} | {KEYS["archive"], KEYS["payments"]}


def test_failing_resources(sample):
    found = ask(sample, "failing-resources")
    assert {row["keys"] for row in found} == {KEYS["payments"]}
    others = [row for row in found if row["event_source"] != "ec2.amazonaws.com"]
    calls = {(row["place"].rsplit(":", 1)[-1], row["known"]): row["calls"] for row in others}
    assert calls == {
        ("payments/database-AbCdEf", "by resource"): 41,
        ("payments/provider-token-GhIjKl", "by resource"): 27,
        ("payments-exports-111122223333", "named by the record"): 2,
    }
    volume = by(found, place="aws:ebs:id=vol-0a1b2c3d4e5f60718")
    codes = ["Client.CustomerKeyHasBeenRevoked", "Client.InvalidKmsKey.InvalidState"]
    assert sorted(row["error_code"] for row in volume) == codes
    # What the finding counts is what KMS and the services logged together.
    in_kms = sum(row["calls"] for row in by(ask(sample, "failures-by-key"), key=KEYS["payments"]))
    finding = sample.finding("disabled-key-failure", "alias/payments")
    assert in_kms + sum(row["calls"] for row in found) == finding["count"] == 142


def test_cost_by_key(sample):
    found = ask(sample, "cost-by-key")
    requests = sum(row["requests"] for row in found)
    assert requests == sample.coverage["records"]["kms"]
    assert sum(row["cost"] for row in found) == pytest.approx(requests * 0.03 / 10_000, abs=0.0001 * len(found))
    assert sum(row["percent_of_all"] for row in found) == pytest.approx(100, abs=0.01 * len(found))
    assert max(found, key=lambda row: row["requests"]) == found[0]


def test_new_principals(sample):
    found = ask(sample, "new-principals")
    bob = one(found, principal="arn:aws:iam::111122223333:user/bob")
    assert (bob["key_arn"], bob["first_operation"], bob["key_is_new"]) == (KEYS["archive"], "ScheduleKeyDeletion", False)
    assert bob["first_call"] == datetime(2026, 9, 9, 9, 20)
    assert one(found, key_arn=KEYS["fresh"])["key_is_new"] is True
    assert not by(found, principal=role("report-builder", "444455556666")), "it was there before its burst"


def test_grants(sample):
    found = ask(sample, "grants")
    operations = sample.coverage["operations"]
    assert sum(row["created_at"] is not None for row in found) == len(found) == operations["CreateGrant"] == 11
    ended = [row for row in found if not row["open"]]
    assert len(ended) == operations["RetireGrant"] + operations["RevokeGrant"]
    foreign = one(found, to_other_account=True)
    assert (foreign["key_arn"], foreign["created_by"]) == (KEYS["partner"], "arn:aws:iam::111122223333:user/eve")
    assert (foreign["grantee_account"], foreign["open"]) == ("999988887777", True)
    assert foreign["operations"] == '["CreateGrant","Decrypt"]'
    assert found[0]["open"] and found[0]["to_other_account"]
    revoked = one(found, ended_how="RevokeGrant")
    assert revoked["ended_at"] - revoked["created_at"] == timedelta(minutes=2)
    assert revoked["ended_by"] == role("data-admin", "444455556666")


def test_rotations(sample):
    found = ask(sample, "rotations")
    setting = lambda key: (one(found, key_arn=KEYS[key])["last_setting"], one(found, key_arn=KEYS[key])["set_by"])
    assert setting("catalog") == ("EnableKeyRotation", role("platform-deploy"))
    assert setting("tokens") == ("DisableKeyRotation", role("data-admin", "444455556666"))
    assert setting("invoices") == (None, None)
    assert {row["key_arn"] for row in found if row["refused"]} == {KEYS["invoices"], KEYS["legacy"]}
    assert one(found, key_arn=KEYS["imported"])["imports"] == 1
    assert sum(row["created_at"] is not None for row in found) == sample.coverage["operations"]["CreateKey"]


def test_key_state_changes(sample):
    found = ask(sample, "key-state-changes")
    payments = by(found, key_arn=KEYS["payments"])
    assert [row["event_name"] for row in payments] == ["DisableKey", "EnableKey"]
    assert (payments[0]["session_name"], payments[0]["minutes_until_then"]) == ("alice", 115)
    staging = [row["event_name"] for row in by(found, key_arn=KEYS["staging"])]
    assert staging == ["DisableKey", "EnableKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "EnableKey"]
    archive = one(found, key_arn=KEYS["archive"])
    assert (archive["pending_window_days"], archive["deletion_date"]) == (7, datetime(2026, 9, 16, 9, 20))
    assert (archive["principal"], archive["next_change"]) == ("arn:aws:iam::111122223333:user/bob", None)


def test_who_changed_what(sample):
    found = ask(sample, "who-changed-what")
    mallory = one(found, session_name="mallory")
    assert (mallory["event_name"], mallory["key"], mallory["outcome"]) == ("DisableKey", KEYS["orders"], "access-denied")
    operations = sample.coverage["operations"]
    used = ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "Sign"]
    changes = {name: count for name, count in operations.items() if name not in used}
    totals = dict.fromkeys(changes, 0)
    for row in found:
        totals[row["event_name"]] += row["calls"]
    assert totals == changes
    assert all(row["mfa"] for row in by(found, session_name="alice"))


def test_context_breadth(sample):
    found = ask(sample, "context-breadth")
    top = found[0]
    assert (top["key_arn"], top["principal"]) == (KEYS["documents"], role("report-builder", "444455556666"))
    assert (top["contexts_in_busiest_hour"], top["busiest_hour"]) == (600, datetime(2026, 9, 9, 23))
    assert top["contexts"] >= 600 and top["active_hours"] > 20
    # One context, once a day for nine days.
    app = one(found, principal=role("catalog-app"))
    assert (app["contexts"], app["calls"], app["active_hours"], app["contexts_in_busiest_hour"]) == (1, 18, 9, 1)


def test_decrypt_bursts(sample):
    found = ask(sample, "decrypt-bursts")
    burst = one(found, key_arn=KEYS["documents"], principal=role("report-builder", "444455556666"))
    assert burst["busiest"] > 100 and datetime(2026, 9, 9, 23) <= burst["busiest_at"] <= datetime(2026, 9, 9, 23, 20)
    assert burst["times_the_average"] == max(row["times_the_average"] for row in found)
    decrypted = sum(row["decrypted"] for row in ask(sample, "who-decrypted-what"))
    assert sum(row["calls"] for row in found) == decrypted
    assert all(row["busiest_at"].minute % 5 == row["busiest_at"].second == 0 for row in found)


def test_cross_account(sample):
    (row,) = ask(sample, "cross-account")
    assert (row["principal_account"], row["key_account"]) == ("444455556666", "111122223333")
    assert row["key_arn"] == KEYS["shared"]
    assert (row["event_name"], row["succeeded"], row["failed"]) == ("Decrypt", 10, 0)
    # The caller's role stands in the caller's own log.
    caller = "SELECT DISTINCT principal FROM keytrail.events_once WHERE shared_event_id = ? AND account = '444455556666'"
    assert sample.value(caller, [row["a_shared_event_id"]]) == role("analytics", "444455556666")


def test_tls(sample):
    found = ask(sample, "tls")
    assert sum(row["calls"] for row in found) == sample.coverage["records"]["kms"]
    assert {row["tls_version"] for row in found} == {"TLSv1.3", None}
    assert all(row["call"] == "direct" or row["tls_version"] is None for row in found)


def test_coverage(sample):
    found = ask(sample, "coverage")
    coverage = sample.coverage
    assert sum(row["objects"] for row in found) == coverage["objects"]["seen"]
    assert sum(row["unread"] for row in found) == coverage["objects"]["skipped"]
    assert sum(row["records"] for row in found) == coverage["records"]["seen"]
    assert sum(row["bytes"] for row in found) == coverage["bytes"]["compressed"]
    rows = sample.value("SELECT count(*) FROM keytrail.events")
    assert sum(row["kms"] + row["related"] for row in found) == rows
    places = {(row["account"], row["region"]) for row in found}
    assert places == {(account, region) for account in coverage["accounts"] for region in coverage["regions"]}
    days = {row["day"] for row in found}
    assert len(found) == len(places) * len(days) and len(days) == (max(days) - min(days)).days + 1
    assert {row["state"] for row in found} <= {"read", "nothing delivered"}


def test_unread_objects(odd_lake):
    found = ask(odd_lake, "unread-objects")
    reasons = {}
    for row in found:
        if row["skip"]:
            reasons[row["skip"]] = reasons.get(row["skip"], 0) + 1
    skipped = {}
    for row in odd_lake.scan["skipped"]:
        skipped[row["reason"]] = skipped.get(row["reason"], 0) + 1
    assert reasons == skipped and len(reasons) > 5
    assert {row["date"] for row in found} == {"__unknown__", "2026-09-01"}
    rejected = [row for row in found if row["rejected_records"]]
    assert rejected and all(re.fullmatch(r'\{("[a-z-]+":\d+,?)+\}', row["rejected_records"]) for row in rejected)
    assert one(ask(odd_lake, "coverage"), account="111122223333", state="incomplete")["unread"] == 1


def test_the_readme_lists_every_query():
    readme = (athena.HERE.parents[1] / "README.md").read_text()
    listed = re.findall(r"\| \[([a-z-]+)\]\(athena/queries/\1\.sql\) \|", readme)
    assert sorted(listed) == [path.stem for path in athena.QUERIES]
