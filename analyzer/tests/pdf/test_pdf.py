"""What PDF/A-2a and PDF/UA-1 ask for, as far as it can be seen without a validator of those standards, by two readers that are
not the writer: qpdf (structure) and pdfium (text and pages)."""

import io
import json
import re

import numpy
import pikepdf
import pypdfium2
import pytest

MARGIN = 56  # points; 2 cm


@pytest.fixture(scope="session")
def file(pdf):
    return pikepdf.open(io.BytesIO(pdf))


@pytest.fixture(scope="session")
def pages(pdf):
    return pypdfium2.PdfDocument(pdf)


def elements(node):
    """Structure elements below one, in order."""
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from elements(kid)


def test_structure_is_sound(file):
    assert file.check_pdf_syntax() == [] if hasattr(file, "check_pdf_syntax") else file.check() == []
    assert not file.is_encrypted


def test_it_says_which_standards_it_keeps(file, report, source):
    with file.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "A")
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"].startswith("AWS KMS keys: ")
        assert metadata["dc:language"] == ["en"] or "en" in str(metadata["dc:language"])
        as_of = json.loads(report(source, "json"))["run"]["as_of"]
        made = metadata.get("xmp:CreateDate")
        assert (made is None) == (as_of is None)
        assert as_of is None or made[:19] == as_of[:19]
    root = file.Root
    assert root.MarkInfo.Marked and root.Lang == "en" and root.ViewerPreferences.DisplayDocTitle
    assert [str(intent.S) for intent in root.OutputIntents] == ["/GTS_PDFA1"]


def test_nothing_acts_and_nothing_is_elsewhere(file):
    assert "/OpenAction" not in file.Root and "/AA" not in file.Root
    names = file.Root.get("/Names", {})
    assert "/JavaScript" not in names and "/EmbeddedFiles" not in names
    for object in file.objects:
        if isinstance(object, pikepdf.Dictionary):
            assert object.get("/S") not in ("/JavaScript", "/Launch", "/URI", "/GoToR", "/SubmitForm", "/ImportData")
            assert "/F" not in object or object.get("/Type") != "/Filespec"


def test_fonts_are_in_it_and_every_glyph_is_a_character(file):
    fonts = [of for of in file.objects if isinstance(of, pikepdf.Dictionary) and of.get("/Type") == "/FontDescriptor"]
    assert fonts and all({"/FontFile", "/FontFile2", "/FontFile3"} & set(font.keys()) for font in fonts)
    composite = [of for of in file.objects if isinstance(of, pikepdf.Dictionary) and of.get("/Subtype") == "/Type0"]
    assert composite and all("/ToUnicode" in font for font in composite)


def test_screen_readers_find_their_way(file):
    all = list(elements(file.Root.StructTreeRoot))
    kinds = [str(element.S)[1:] for element in all]
    assert {"Table", "TH", "TD", "L", "LI", "P", "H1", "H2"} <= set(kinds)
    # Figures would need a text in their place.
    assert not [element for element in all if element.S == "/Figure" and "/Alt" not in element]
    levels = [int(kind[1]) for kind in kinds if re.fullmatch(r"H\d", kind)]
    assert levels[0] == 1 and max(b - a for a, b in zip(levels, levels[1:])) <= 1
    scopes = set()
    for element in all:
        if element.S == "/TH":
            attributes = element.get("/A")
            for attribute in attributes if isinstance(attributes, pikepdf.Array) else [attributes]:
                scopes.add(str(attribute.get("/Scope")))
    assert {"/Column", "/Row"} <= scopes
    for page in file.pages:
        assert page.get("/Tabs") == "/S"
        for note in page.get("/Annots", []):
            assert note.Subtype != "/Link" or "/Contents" in note or "/StructParent" in note
    assert file.Root.Outlines.Count != 0


def plain(text):
    return re.sub(r"\s", "", text)


def test_every_finding_control_and_record_can_be_read(pages, report, source):
    text = plain("".join(page.get_textpage().get_text_range() for page in pages)).replace("\ufffe", "").replace("\u00ad", "")
    document = json.loads(report(source, "json"))
    missing = []
    for finding in document["findings"]:
        wanted = [finding["id"], finding["rule"], finding["account"]] + [of["event_id"] for of in finding["evidence"]]
        missing += [(finding["id"], part) for part in wanted if re.fullmatch(r"[\x21-\x7e]*", part) and plain(part) not in text]
    for framework in document["frameworks"]:
        for control in framework["controls"]:
            missing += [part for part in (control["id"], control["status"]) if plain(part) not in text]
    assert not missing


def test_payloads_are_text(pages, report):
    """What logs say is spelled out where it could act: no such character is in the text."""
    for page in pages:
        text = page.get_textpage().get_text_range()
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ue000-\uf8ff]", text)


def test_contexts_are_left_out_unless_asked_for(report, tmp_path):
    key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    grant = {
        "keyId": key,
        "granteePrincipal": "arn:aws:iam::111122223333:role/batch",
        "operations": ["Decrypt"],
        "constraints": {"encryptionContextSubset": {"patient": "jane-doe"}},
    }
    record = {
        "eventVersion": "1.11",
        "eventID": "00000000-0000-4000-8000-000000000001",
        "eventTime": "2026-09-01T08:00:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "CreateGrant",
        "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333",
        "sourceIPAddress": "192.0.2.7",
        "userIdentity": {"type": "IAMUser", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:user/alice"},
        "requestParameters": grant,
        "responseElements": {"grantId": "0" * 64, "keyId": key},
        "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": key}],
    }
    logs = tmp_path / "log.json"
    logs.write_text(json.dumps({"Records": [record]}))

    def text(*more):
        document = pypdfium2.PdfDocument(report(str(logs), "pdf", *more))
        return plain("".join(page.get_textpage().get_text_range() for page in document)).replace("\ufffe", "")

    assert "jane" not in text() and "[redacted]" in text()
    assert "jane-doe" in text("--show-encryption-context")


def test_nothing_is_drawn_beyond_the_margins(pages):
    for index, page in enumerate(pages):
        image = numpy.asarray(page.render(scale=1).to_pil().convert("L"))
        dark = numpy.argwhere(image < 200)
        assert len(dark) > 50, f"page {index + 1} is empty"
        (left, right) = dark[:, 1].min(), dark[:, 1].max()
        assert left >= MARGIN - 2 and right <= image.shape[1] - MARGIN + 2, f"page {index + 1}: {left} to {right}"


def test_the_same_logs_give_the_same_bytes(report, source, pdf):
    assert report(source, "pdf") == pdf
