"""Mail servers on this machine with TLS and AUTH: aiosmtpd always, Exim where it is installed and may be run."""

import email
import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

HOST = "127.0.0.1"
USER = "keytrail"
# A word that no output may hold.
PASSWORD = "the-password-of-the-tests-that-nobody-prints"


def free_port():
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


class Aiosmtpd:
    """In this process: knows how each message came, and can refuse."""

    name = "aiosmtpd"

    def __init__(self, folder, certificate):
        self.port, self.tls_port = free_port(), free_port()
        self.received = []
        # Answers to the next messages, before they are taken.
        self.refusals = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        auth = {"authenticator": self.authenticate, "auth_required": True}
        self.controllers = [
            Controller(self, HOST, self.port, tls_context=context, require_starttls=True, **auth),
            # Behind the implicit TLS of the controller, the session does not know of it.
            Controller(self, HOST, self.tls_port, ssl_context=context, auth_require_tls=False, **auth),
        ]
        for controller in self.controllers:
            controller.start()

    def authenticate(self, server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    async def handle_DATA(self, server, session, envelope):
        if self.refusals:
            return self.refusals.pop(0)
        self.received.append((envelope.content, envelope.rcpt_tos))
        return "250 taken"

    def take(self):
        """Messages with their receivers, and none of them again."""
        taken, self.received = self.received, []
        return taken

    def stop(self):
        for controller in self.controllers:
            controller.stop()


class Exim:
    """A mail server as it runs in the world."""

    name = "exim"

    @staticmethod
    def is_there():
        return shutil.which("exim4") is not None and os.geteuid() == 0

    def __init__(self, folder, certificate):
        self.port, self.tls_port = free_port(), free_port()
        self.home = folder / "exim"
        self.mail = self.home / "mail"
        user = pwd.getpwnam("Debian-exim")
        for path in [self.home, self.mail]:
            path.mkdir()
            os.chown(path, user.pw_uid, user.pw_gid)
        # pytest's folder is for its own user only.
        for path in [self.home, *self.home.parents]:
            if path.stat().st_uid == 0 and str(path).startswith("/tmp/"):
                path.chmod(0o755)
        chain, key = self.home / "chain.pem", self.home / "key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key.write_bytes(certificate.private_key_pem.bytes())
        os.chown(key, user.pw_uid, user.pw_gid)
        key.chmod(0o600)
        config = self.home / "exim.conf"
        config.write_text(self.config(chain, key))
        config.chmod(0o644)
        self.process = subprocess.Popen(
            ["exim4", "-C", str(config), "-bdf", "-q1m"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(100):
            try:
                socket.create_connection((HOST, self.port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError("exim does not start")

    def config(self, chain, key):
        return f"""
primary_hostname = localhost
local_interfaces = {HOST}
daemon_smtp_ports = {self.port} : {self.tls_port}
tls_on_connect_ports = {self.tls_port}
tls_advertise_hosts = *
tls_certificate = {chain}
tls_privatekey = {key}
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
spool_directory = {self.home}
log_file_path = {self.home}/%s.log
pid_file_path = {self.home}/exim.pid
host_lookup =
rfc1413_hosts =
begin acl
rcpt:
  accept authenticated = *
  deny message = authentication is required
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {self.mail}
  maildir_format
  envelope_to_add
  user = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
"""

    def take(self):
        new = self.mail / "new"
        for _ in range(100):
            # Delivery follows acceptance: nothing waits in the queue any more.
            if not list((self.home / "input").rglob("*-H")):
                break
            time.sleep(0.1)
        # One copy per receiver: together they are one message.
        taken = {}
        for path in sorted(new.glob("*")):
            content = path.read_bytes()
            # What Exim adds stands in front of what it got.
            added = content.partition(b"\nFrom:")[0]
            receivers = re.findall(rb"^Envelope-to: (.*)$", added, re.MULTILINE)
            message = email.message_from_bytes(content)
            taken.setdefault(message["Message-ID"], (content, []))[1].extend(receivers[0].decode().split(", "))
            path.unlink()
        return list(taken.values())

    def stop(self):
        self.process.terminate()
        self.process.wait()


KINDS = {kind.name: kind for kind in [Aiosmtpd, Exim]}
