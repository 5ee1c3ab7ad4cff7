"""The report in a real browser: it asks for nothing, has no complaints, and reads at any width, in dark, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from editview.formats.report import write_comparison, write_report, write_side_by_side
from tests import sample, two
from tests.browser import CHROMIUM, Browser
from tests.formats.test_report import HOSTILE, grown, with_texts

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no browser on the PATH")]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(grown(sample.events(sample.plan(), sample.sheet())), path)
    return path


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("comparison") / "report.html"
    asked = two.asked(sample.sheet(), {"e0", "c0"}, {"e1", "c0"})
    write_comparison(two.difference(), ((), ()), path, asked, two.inspection())
    return path


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("two-runs") / "report.html"
    write_side_by_side(sample.past("one"), sample.past("two", edit_first=False, edits=10), path)
    return path


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "profile") as one:
        yield one


@pytest.mark.parametrize("kind", ["report", "comparison", "two_runs"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("dark", [False, True])
def test_it_reads_at_any_width_and_asks_for_nothing_else(
    browser: Browser, request: pytest.FixtureRequest, kind: str, width: int, dark: bool
) -> None:
    report: Path = request.getfixturevalue(kind)
    browser.open(report, width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") == width
    heights = "[...document.querySelectorAll('svg[role] text')].map(words => words.getBoundingClientRect().height)"
    assert min(browser.run(heights)) > 8
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(22, 24, 28)" if dark else "rgb(244, 245, 247)")
    assert set(browser.asked) == {report.as_uri()}
    assert browser.said == []


def test_paper_is_light_and_shows_no_controls(browser: Browser, report: Path) -> None:
    browser.open(report, 800, dark=True, media="print")
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
    assert browser.run("getComputedStyle(document.getElementById('filters')).display") == "none"
    assert browser.pdf().startswith(b"%PDF-")


def test_facts_are_sorted_and_filtered(browser: Browser, report: Path) -> None:
    browser.open(report)
    rows = "[...document.querySelectorAll('#facts tbody tr')]"
    shown = f"{rows}.filter(row => !row.hidden).map(row => row.cells[0].innerText)"
    found = browser.run(shown)
    assert len(found) == 40
    press = "document.querySelectorAll('#facts thead [role=button]')[0].click()"
    browser.run(press)
    rising = browser.run(shown)
    assert sorted(rising) == sorted(found)
    at = [rising.index(f"Thing {number} is made of") for number in (2, 10, 19)]
    assert at == sorted(at)  # numbers in words count as numbers
    browser.run(press)
    assert browser.run(shown) == rising[::-1]
    fill = "var box = document.getElementById('{}'); box.value = '{}'; box.dispatchEvent(new Event('input'))"
    browser.run(fill.format("group", "control"))
    assert len(browser.run(shown)) == 20
    browser.run(fill.format("find", "THING 1"))
    assert len(browser.run(shown)) == 11
    assert browser.run("document.getElementById('shown').value") == "11 of 40 facts"


def test_two_runs_are_sorted_and_filtered(browser: Browser, two_runs: Path) -> None:
    browser.open(two_runs)
    rows = "[...document.querySelectorAll('#facts tbody tr')]"
    browser.run("document.querySelectorAll('#facts thead [role=button]')[4].click()")  # by how the second ends
    first = browser.run(f"{rows}[0].cells[4].innerText")
    assert first.startswith("✗")
    fill = "var box = document.getElementById('fate'); box.value = 'by both'; box.dispatchEvent(new Event('input'))"
    browser.run(fill)
    shown = browser.run(f"{rows}.filter(row => !row.hidden).map(row => row.cells[5].innerText)")
    assert set(shown) == {"by both"}
    assert browser.run("document.getElementById('shown').value") == f"{len(shown)} of 40 facts"


def test_tensors_are_sorted_by_their_figures_and_facts_filtered_beside_them(browser: Browser, comparison: Path) -> None:
    browser.open(comparison)
    shares = "[...document.getElementById('tensors').tBodies[0].rows].map(row => Number(row.cells[3].dataset.key))"
    press = "document.querySelectorAll('#tensors [role=button]')[3].click()"
    browser.run(press)
    assert browser.run(shares) == sorted(browser.run(shares))
    browser.run(press)
    assert browser.run(shares) == sorted(browser.run(shares), reverse=True)
    fill = "var box = document.getElementById('group'); box.value = 'control'; box.dispatchEvent(new Event('input'))"
    browser.run(fill)
    assert browser.run("document.getElementById('shown').value") == "20 of 40 facts"


def test_hostile_texts_do_nothing(browser: Browser, tmp_path: Path) -> None:
    run = with_texts(lambda at: HOSTILE[at % len(HOSTILE)], grown(sample.events(sample.plan(), sample.sheet())))
    write_report(run, tmp_path / "report.html")
    browser.open(tmp_path / "report.html")
    assert browser.run("window.taken") is None
    assert browser.run("document.querySelectorAll('#facts tbody th')[0].innerText").startswith(HOSTILE[0])
    assert set(browser.asked) == {(tmp_path / "report.html").as_uri()}
    assert browser.said == []
