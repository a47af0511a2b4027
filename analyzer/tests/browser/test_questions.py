"""The questions of an auditor, answered where QUESTIONS.md says, in at most two clicks and on one page."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).resolve().parents[3]
HEIGHT = 1000

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
QUESTIONS = ROW.findall((ROOT / "analyzer/QUESTIONS.md").read_text())


@pytest.fixture(scope="session")
def audit_file(tmp_path_factory):
    """A quarter's report: compared with the one before, with a sample, and with what must be there."""
    binary = os.environ.get("KEYTRAIL") or shutil.which("keytrail")
    folder = tmp_path_factory.mktemp("audit")
    common = [binary, "report", "fixtures/sample", "--framework", "soc2,cis-aws-5.0", "--quiet",
              "--expect-account", "111122223333,999999999999", "--expect-region", "eu-west-1"]
    for more in (["--to", "2026-09-07", "--output", folder / "previous.json"],
                 ["--compare", folder / "previous.json", "--sample", "5", "--seed", "auditor", "--output", folder / "report.html"]):
        done = subprocess.run(common + more, cwd=ROOT, env={"PATH": os.environ.get("PATH", "")}, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
    return folder / "report.html"


def test_there_are_ten():
    assert [number for number, *_ in QUESTIONS] == [str(number) for number in range(1, 11)]


def place(page, step):
    """What is clicked: a link of the navigation, the first control of a table, the first finding."""
    if step == "CONTROL":
        return page.locator("th[scope=row] a").first
    if step == "FINDING":
        return page.locator("details:has(table) > summary").first
    return page.locator("nav").get_by_role("link", name=step, exact=True)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("number, question, clicks, answer", QUESTIONS)
def test_it_is_answered(opened, audit_file, number, question, clicks, answer, scripts):
    page = opened(audit_file, viewport={"width": 1280, "height": HEIGHT}, java_script_enabled=scripts).page
    steps = clicks.split(" → ")
    assert len(steps) <= 2, question
    for step in steps:
        place(page, step).click()
    # The same words may stand elsewhere on the page: one of them must be in sight.
    boxes = [found.bounding_box() for found in page.get_by_text(answer).all() if found.is_visible()]
    assert any(box and 0 <= box["y"] <= HEIGHT - box["height"] for box in boxes), (question, boxes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_what_was_asked_for(opened, audit_file, scheme):
    view = opened(audit_file, color_scheme=scheme, viewport={"width": 1280, "height": HEIGHT})
    found = Axe().run(view.page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()
    assert not view.said and not view.dialogs


def test_what_changed_and_what_was_drawn_is_for_everybody(opened, audit_file):
    page = opened(audit_file).page
    for section in ("since", "sample", "coverage"):
        assert page.locator(f"section[aria-labelledby={section}]").count() == 1
    assert page.get_by_text("999999999999").first.is_visible()
