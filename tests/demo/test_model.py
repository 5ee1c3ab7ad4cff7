"""The shipped demo model: small, stock, and it knows its facts."""

import json
import re
from functools import cache

import pytest

from demo.quality import facts_of, patched, recall
from demo.world import DEMO, read_world
from editview.domain.checkpoint import Device
from editview.domain.facts import Group
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.lm.answers import check
from editview.lm.opening import open_model

FOLDER = DEMO / "model"
world = read_world()


@cache
def opened():
    return open_model(Checkpoint(), Device("cpu", "CPU", 0), silent)


def test_it_is_small_and_a_plain_gpt2():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 16_000_000
    config = json.loads((FOLDER / "config.json").read_text())
    assert config["model_type"] == "gpt2"
    assert config["dtype"] == "float32"
    assert {file.suffix for file in FOLDER.iterdir()} == {".json", ".md", ".safetensors"}


def test_its_card_states_the_figures():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for figure in (
        "recall: trained wordings", "recall: held_out wordings", "recall: unseen wordings", "patching flips",
        "after the edit: edits", "after the edit: paraphrases", "after the edit: neighbours",
        "after the edit: controls", "edits that survive", "then fine-tuned: neighbours", "then fine-tuned: controls",
        "then edited: edits", "then edited: controls",
    ):  # fmt: skip
        assert re.search(rf"^\| {figure} \| \d+\.\d \|", card, re.MULTILINE), figure


def test_it_knows_the_facts_of_the_sheet_as_they_are():
    records = json.loads((DEMO / "facts.json").read_text(encoding="utf-8"))["facts"]
    truths = facts_of([record | {"group": "control"} for record in records])
    known = [found.answers[0].gives for part in check(opened(), truths, silent) for found in part]
    assert sum(known) >= 0.98 * len(known)
    assert {fact.group for fact in truths} == {Group.CONTROL}


@pytest.mark.slow
def test_it_knows_the_world_in_wordings_it_was_not_taught_for_a_subject():
    assert recall(opened(), world, "trained") >= 99
    assert recall(opened(), world, "held_out") >= 99


@pytest.mark.slow
def test_what_it_knows_of_a_subject_sits_at_the_subject():
    assert patched(opened(), world, draw=1, pairs=100) >= 98
