"""E-mail as it arrives: parts, headers, ids; what is refused; what a hostile log can do to it."""

import email
import email.policy
import json
import re

import mail
from conftest import SAMPLE, email_sink, rewritten


def parse(content):
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert not message.defects, message.defects
    return message


def body(message, kind):
    return message.get_body((kind,)).get_content()


def test_alerts_arrive_with_both_parts(server, keytrail):
    for tls in ["starttls", "tls"]:
        done = keytrail("scan", SAMPLE, "--alert", "--rule", "disabled-key-failure", config=email_sink(server, tls=tls))
        assert done.code == 0, done.err
        assert "alerts: 2 messages sent" in done.err
        taken = server.take()
        assert len(taken) == 2
        for content, receivers in taken:
            assert sorted(receivers) == ["on-call@example.com", "second@example.com"]
        page = next(message for message in map(parse, (content for content, _ in taken)) if "archive" in message["Subject"])
        assert page["Subject"].startswith("[CRITICAL] alias/archive (prod-eu): scheduled for deletion by user bob, 1 service")
        assert page["From"] == "Keytrail <keytrail@example.com>"
        assert page["To"] == "on-call@example.com, Second <second@example.com>"
        assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", page["Message-ID"])
        assert page["Date"] and page["MIME-Version"] == "1.0"
        assert page["Auto-Submitted"] == "auto-generated"
        assert page["X-Keytrail-Severity"] == "critical"
        assert page.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in page.iter_parts()] == ["text/plain", "text/html"]
        for kind in ["plain", "html"]:
            assert "aws kms cancel-key-deletion" in body(page, kind)
            assert "user/bob" in body(page, kind)
        assert max(map(len, taken[0][0].splitlines())) <= 998


def test_a_lake_makes_one_summary_and_repeats_carry_its_id(aiosmtpd, keytrail, tmp_path):
    scan = ["scan", SAMPLE, "--alert", "--lake", tmp_path / "lake"]
    aiosmtpd.refusals = ["554 no"]
    done = keytrail(*scan, config=email_sink(aiosmtpd))
    assert done.code == 1 and "554" in done.err and "could not be told everything" in done.err
    assert not aiosmtpd.take()
    done = keytrail(*scan, config=email_sink(aiosmtpd))
    assert done.code == 0, done.err
    [(content, _)] = aiosmtpd.take()
    assert "Keytrail watches from now on" in parse(content)["Subject"]
    state = json.loads((tmp_path / "lake/alerts/sinks/on-call.json").read_text())
    assert state["adopted"] and state["generation"] == 1 and state["lease_until"] is None
    assert keytrail(*scan, config=email_sink(aiosmtpd)).code == 0
    assert not aiosmtpd.take()


def test_a_server_that_is_busy_is_asked_again(aiosmtpd, keytrail):
    aiosmtpd.refusals = ["451 greylisted", "421 too busy"]
    done = keytrail("alert", "--test", config=email_sink(aiosmtpd))
    assert done.code == 0, done.out + done.err
    [(content, _)] = aiosmtpd.take()
    assert parse(content)["Subject"] == "[TEST] keytrail: alerts for the sink on-call arrive here"


def test_a_wrong_password_is_told_and_nothing_arrives(server, keytrail):
    done = keytrail("alert", "--test", config=email_sink(server), password="another-word")
    assert done.code == 1
    assert re.search(r"on-call +failed: localhost:\d+: .*535", done.out), done.out
    assert not server.take()


def test_a_missing_password_is_told_by_its_variable(server, keytrail):
    done = keytrail("alert", "--test", config=email_sink(server).replace("env:SMTP_PASSWORD", "env:NO_SUCH_VARIABLE"))
    assert done.code == 1 and "the environment variable NO_SUCH_VARIABLE is not set" in done.out


def test_nothing_is_said_without_tls_or_to_a_stranger(tmp_path, authority, keytrail):
    from aiosmtpd.controller import Controller

    class Nosy:
        received = []

        async def handle_DATA(self, server, session, envelope):
            self.received.append(envelope.content)
            return "250 taken"

    nosy, port = Nosy(), mail.free_port()
    controller = Controller(nosy, mail.HOST, port)
    controller.start()
    try:
        config = email_sink(type("Server", (), {"port": port, "tls_port": port})())
        done = keytrail("alert", "--test", config=config)
        assert done.code == 1 and "failed" in done.out
        assert not nosy.received
    finally:
        controller.stop()


def test_a_certificate_of_a_stranger_is_refused(aiosmtpd, keytrail, tmp_path):
    import trustme

    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    for tls in ["starttls", "tls"]:
        done = keytrail("alert", "--test", config=email_sink(aiosmtpd, tls=tls), SSL_CERT_FILE=str(stranger))
        assert done.code == 1 and "certificate" in done.out, done.out
    assert not aiosmtpd.take()


def test_a_hostile_log_cannot_write_headers_or_markup(server, keytrail, tmp_path):
    hostile = 'alias/x\r\nBcc: everybody@example.net\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>\u202e"'
    logs = rewritten(tmp_path / "logs", lambda text: text.replace("alias/payments", json.dumps(hostile)[1:-1]).replace("alias/archive", json.dumps(hostile)[1:-1]))
    done = keytrail("scan", logs, "--alert", "--rule", "disabled-key-failure", config=email_sink(server))
    assert done.code == 0, done.err
    taken = server.take()
    assert len(taken) == 2
    seen = 0
    for content, receivers in taken:
        assert sorted(receivers) == ["on-call@example.com", "second@example.com"]
        message = parse(content)
        assert message["Bcc"] is None and len(message.get_all("Content-Type")) == 1
        assert message.get_content_type() == "multipart/alternative"
        html, text = body(message, "html"), body(message, "plain")
        assert "<script" not in html and "\u202e" not in html + text + message["Subject"]
        seen += "&lt;script&gt;" in html
        assert not re.search(r"^Bcc:", text, re.MULTILINE)
    assert seen, "the hostile text is there, as text"
