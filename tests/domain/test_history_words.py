"""Runs in words: when they were, what came of them, and by which names two are told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from editview.domain.history import EntryKind, RunEntry
from editview.domain.history_words import about, counted, matches, names_apart, opened, outcome, when
from editview.domain.plan import checkpoint_name
from editview.domain.session import RunState

NOW = datetime(2026, 11, 28, 18, 20).timestamp()
ENTRY = RunEntry(
    "a", NOW - 60, NOW, RunState.FINISHED, "Capitals", "demo", "Edit → Fine-tune", "Fine-tune", "9 of 10 edits hold."
)


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (datetime(2026, 11, 28, 9, 5), "today, 9:05"),
        (datetime(2026, 11, 27, 23, 59), "yesterday, 23:59"),
        (datetime(2026, 3, 1, 12, 0), "1 March, 12:00"),
        (datetime(2025, 11, 28, 18, 20), "28 November 2025, 18:20"),
    ],
)
def test_when(then: datetime, words: str) -> None:
    assert when(then.timestamp(), NOW) == words


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("demo", "Demo model"),
        ("openai/gpt2", "openai/gpt2"),
        ("/home/me/models/mine/", "mine"),
        (r"C:\models\mine", "mine"),
    ],
)
def test_a_checkpoint_is_named_by_what_tells_it_apart(source: str, name: str) -> None:
    assert checkpoint_name(source) == name


def test_what_came_of_a_run() -> None:
    assert outcome(ENTRY) == "9 of 10 edits hold."
    assert outcome(replace(ENTRY, state=RunState.STOPPED)) == "Stopped during *Fine-tune*. 9 of 10 edits hold."
    assert outcome(replace(ENTRY, state=RunState.RUNNING, stage="", sentence="")) == "Under way."
    failed = replace(ENTRY, state=RunState.FAILED, failure="No room.", sentence="")
    assert outcome(failed) == "Failed during *Fine-tune*: No room."
    assert "another process" in opened(replace(ENTRY, state=RunState.RUNNING), NOW)
    assert "failed during *Fine-tune*; this is what it had" in opened(failed, NOW)


def test_every_typed_word_has_to_be_found() -> None:
    assert matches(ENTRY, "capitals 9 FINISHED")
    assert matches(ENTRY, "")
    assert not matches(ENTRY, "capitals rivers")


def test_two_runs_are_named_by_what_differs() -> None:
    assert names_apart(ENTRY, replace(ENTRY, steps="Edit", name="Other"), NOW) == ("Edit → Fine-tune", "Edit")
    assert names_apart(ENTRY, replace(ENTRY, name="Other"), NOW) == ("Capitals", "Other")
    later = replace(ENTRY, began=NOW)
    assert names_apart(ENTRY, later, NOW) == ("the run of today, 18:19", "the run of today, 18:20")
    assert names_apart(ENTRY, ENTRY, NOW) == ("the first run", "the second run")


def test_findings_are_told_from_runs() -> None:
    compared = replace(ENTRY, kind=EntryKind.COMPARISON, name="old → new", steps="", checkpoint="/a/old → /a/new")
    inspected = replace(compared, kind=EntryKind.INSPECTION, steps="against old")
    assert list(map(about, (ENTRY, compared, inspected))) == [
        "Run · Edit → Fine-tune · Demo model", "Comparison", "Inspection · against old"
    ]  # fmt: skip
    assert opened(inspected, NOW) == "This is the inspection of *old → new* as of today, 18:19."
    assert matches(compared, "comparison /a/new")
    assert not matches(ENTRY, "comparison")
    assert counted([ENTRY]) == "1 run"
    assert counted([compared, ENTRY, ENTRY]) == "2 runs and 1 comparison"
    assert counted([]) == ""
