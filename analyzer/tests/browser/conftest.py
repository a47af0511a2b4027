"""The report for auditors as a page in Chromium: of the sample, and of logs whose writers attack its readers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

# Nothing that Chromium would ask of the network by itself.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session", params=["sample", "hostile"])
def page_file(request, tmp_path_factory):
    binary = os.environ.get("KEYTRAIL") or shutil.which("keytrail")
    assert binary, "KEYTRAIL must name a keytrail binary"
    path = tmp_path_factory.mktemp(request.param) / "report.html"
    command = [binary, "report", f"fixtures/{request.param}", "--format", "html", "--output", path, "--quiet",
               "--sample", "20", "--seed", "<img src=x onerror=alert(1)>"]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": os.environ.get("PATH", "")}, capture_output=True)
    assert done.returncode in (0, 4), (command, done.returncode, done.stderr.decode())
    return path


@pytest.fixture(scope="session")
def browser():
    assert CHROMIUM, "CHROMIUM must name a Chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


class Opened:
    """A page, with everything that it said and asked for."""

    def __init__(self, browser, path, **context):
        self.context = browser.new_context(offline=True, **context)
        self.page = self.context.new_page()
        self.said, self.asked, self.dialogs = [], [], []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("dialog", self.dialog)
        self.address = path.as_uri()
        self.page.goto(self.address, wait_until="load")

    def dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def opened(browser):
    all = []

    def run(path, **context):
        all.append(Opened(browser, path, **context))
        return all[-1]

    yield run
    for one in all:
        one.context.close()
