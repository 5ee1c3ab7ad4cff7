"""A report as PDF: printed by a browser where one is, and a clear sentence where not."""

from __future__ import annotations

from pathlib import Path

import pytest

from editview.domain.errors import EditViewError
from editview.formats.report import pdf, write_report
from tests import sample
from tests.browser import CHROMIUM
from tests.formats.test_report import grown


def write(path: Path) -> None:
    write_report(grown(sample.events(sample.plan(), sample.sheet())), path)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no browser on the PATH")
def test_the_browser_prints_it(tmp_path: Path) -> None:
    write(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert [path.name for path in tmp_path.iterdir()] == ["report.pdf"]


def test_without_a_browser_it_says_what_to_do_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "_browser", lambda: None)
    (tmp_path / "report.pdf").write_bytes(b"earlier")
    with pytest.raises(EditViewError, match="Save the report as HTML"):
        write(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes() == b"earlier"


def test_a_browser_that_fails_is_told_with_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "browser"
    broken.write_text("#!/bin/sh\necho no fonts here >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(pdf, "_browser", lambda: str(broken))
    with pytest.raises(EditViewError, match="didn't print") as told:
        write(tmp_path / "report.pdf")
    assert "ended with 3" in told.value.details
    assert "no fonts here" in told.value.details
    assert not (tmp_path / "report.pdf").exists()
