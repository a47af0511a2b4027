"""What a page may do, who can read it, and whether it fits a phone and paper."""

import pytest
from axe_playwright_python.sync_playwright import Axe

# Whatever could run, load or send something. The page has none of it: a text of the log that became one would show here.
ACTIVE = "script, img, iframe, object, embed, svg, link, base, form, input, video, audio, meta[http-equiv=refresh]"


def test_it_asks_for_nothing_and_says_nothing(opened, page_file):
    view = opened(page_file)
    view.page.wait_for_timeout(300)
    assert view.asked == [view.address]
    assert (view.said, view.dialogs) == ([], [])


def test_nothing_in_it_can_act(opened, page_file):
    view = opened(page_file)
    assert view.page.locator(ACTIVE).count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert view.page.evaluate(handlers) == []
    links = view.page.evaluate("[...document.links].map(link => link.protocol)")
    assert set(links) <= {"file:", "https:"}, "to a place on the page, or to where one can read more"


def test_texts_of_an_attacker_are_texts(opened, page_file):
    if page_file.parent.name.startswith("hostile"):
        text = opened(page_file).page.evaluate("document.body.textContent")
        assert "<script" in text and "onerror=" in text, "the fixtures hold them, and they are shown"


def test_markup_would_be_found(opened, tmp_path):
    """The tests above can fail: on a page where an attacker's text became markup, they do."""
    path = tmp_path / "report.html"
    path.write_text("<!DOCTYPE html><title>x</title><img src=x onerror=alert(1)><script>console.error('ran')</script>")
    view = opened(path)
    view.page.wait_for_timeout(300)
    assert view.page.locator(ACTIVE).count() == 2 and len(view.asked) > 1
    assert view.dialogs == ["1"] and any("ran" in line for line in view.said)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_everybody_can_read_it(opened, page_file, scheme, width):
    view = opened(page_file, color_scheme=scheme, viewport={"width": width, "height": 900})
    view.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(view.page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in serious]


def test_schemes_differ(opened, page_file):
    colour = "getComputedStyle(document.body).backgroundColor"
    light, dark = (opened(page_file, color_scheme=scheme).page.evaluate(colour) for scheme in ("light", "dark"))
    assert light != dark


@pytest.mark.parametrize("width", [400, 1280])
def test_it_does_not_scroll_sideways(opened, page_file, width):
    view = opened(page_file, viewport={"width": width, "height": 900})
    view.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    wide = view.page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
    assert max(wide) <= width


def test_it_prints(opened, page_file, tmp_path):
    view = opened(page_file)
    path = tmp_path / "report.pdf"
    view.page.pdf(path=path, format="A4", tagged=True)
    content = path.read_bytes()
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    assert b"/StructTreeRoot" in content, "tagged: a screen reader can follow it"
    assert content.count(b"/Type /Page\n") >= 2
