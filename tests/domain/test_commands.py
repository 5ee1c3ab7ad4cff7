"""The commands that a report prints: they name what was looked at, whatever it is called, and the command line knows
them."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from editview.cli import _parser
from editview.domain.commands import commands
from editview.domain.plan import Checkpoint
from editview.domain.session import Run
from tests import sample, two

ODD = "a folder/it's $HOME; `rm`"


def parsed(command: str) -> argparse.Namespace:
    program, *arguments = shlex.split(command)
    assert program == "editview"
    return _parser(lambda paths: 0).parse_args(arguments)


def asked(facts: str, columns: dict[str, str]) -> Run:
    run = two.asked(sample.sheet(2, 1, 1), set(), set())
    run.plan = run.plan.model_copy(update={"facts": facts, "columns": columns})
    return run


def test_a_comparison_names_both_and_the_sheet_that_was_asked() -> None:
    first = Checkpoint(source=ODD, adapter="one $HOME", dtype="bfloat16")
    found = replace(two.difference(), first=first, second=Checkpoint(adapter="two", allow_code=True))
    (plain,) = commands(found, True, None, None)
    options = parsed(plain)
    assert (options.first, options.first_adapter, options.first_dtype) == (ODD, "one $HOME", "bfloat16")
    assert (options.second, options.adapter, options.dtype) == ("demo", "two", "auto")
    assert (options.allow_code, options.quick, options.facts, options.column) == (True, False, None, [])
    (told,) = commands(found, False, asked(ODD, {"subject": "wer = was", "target_new": "neu"}), None)
    options = parsed(told)
    assert (options.quick, options.facts) == (True, ODD)
    assert options.column == [("subject", "wer = was"), ("target_new", "neu")]


def test_an_inspection_has_a_command_of_its_own() -> None:
    first, second = commands(two.difference(), True, asked("demo", {}), two.inspection())
    assert first == "editview diff /models/before /models/after --facts demo --report comparison.html"
    assert second == "editview inspect /models/after --before /models/before --report inspection.html"
    original = Checkpoint(source="b", adapter=ODD, dtype="float16")
    found = replace(two.inspection(), original=original, subjects=ODD, sheet="x.csv", columns=(("subject", ODD),))
    (told,) = commands(None, False, None, found)
    options = parsed(told)
    assert (options.before, options.before_adapter, options.before_dtype) == ("b", ODD, "float16")
    assert (options.subjects, options.facts, options.column) == (ODD, "x.csv", [("subject", ODD)])
    alone = replace(two.inspection(), original=None, edited=Checkpoint(source="e", allow_pickle=True))
    (told,) = commands(None, False, None, alone)
    assert (parsed(told).before, parsed(told).allow_pickle) == (None, True)


def test_what_lies_on_this_machine_is_named_from_its_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").mkdir()
    found = replace(two.difference(), first=Checkpoint(source="one"), second=Checkpoint(source="org/model"))
    (told,) = commands(found, True, None, None)
    assert (parsed(told).first, parsed(told).second) == (str(tmp_path / "one"), "org/model")
