"""Looking through training data: the rows a fine-tune would train on, in words, and what a run says of bad ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from editview.domain.events import Noted
from editview.domain.operations import FullFineTune
from editview.domain.progress import silent
from editview.domain.requests import PreviewTraining
from editview.domain.training_preview import TrainingPreview, basis, headline
from editview.runs.previews import Previews
from tests import small
from tests.runs.studio import CPU, Studio


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"prompt": "Peru:", "completion": "Lima"}, {"text": "é"}, {"text": ""}, {"text": "x" * 100}]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def look(asked: PreviewTraining, previews: Previews | None = None) -> list[TrainingPreview]:
    return list((previews or Previews()).look(asked, CPU, silent))


def test_rows_are_shown_token_by_token_with_what_is_learnt(studio: Studio, data: Path) -> None:
    asked = PreviewTraining(studio.world.checkpoint, FullFineTune(data=str(data), max_length=20), most=2)
    ahead, preview = look(asked)
    assert (ahead.rows, ahead.shown) == (0, preview.shown)
    [[peru], [accent]] = preview.shown
    assert peru.tokens == (*"Peru: Lima", "<end>")
    assert peru.learnt_from == len("Peru:")
    assert peru.special == (*[False] * 10, True)
    assert (accent.line, accent.learnt_from, accent.tokens[-1]) == (2, 1, "<end>")
    assert (preview.rows, preview.examples, preview.tokens, preview.learnt, preview.cut) == (3, 3, 34, 6 + 2 + 19, 1)
    assert [one.where for one in preview.left_out] == ["Line 3"]
    assert headline(preview) == "The model reads 3 examples of 11 tokens on average, and learns 79 % of the tokens."
    assert basis(preview) == (
        "1 of the examples (33 %) is longer than 20 tokens and is cut. 1 row can't be trained on and is left out."
    )


def test_other_rows_are_at_hand_and_other_settings_are_read_anew(studio: Studio, data: Path) -> None:
    previews, tune = Previews(), FullFineTune(data=str(data), max_length=20)
    look(PreviewTraining(studio.world.checkpoint, tune), previews)
    [last] = look(PreviewTraining(studio.world.checkpoint, tune, first=2), previews)
    assert (last.first, [row[0].line for row in last.shown], last.shown[0][0].cut) == (2, [4], True)
    [beyond] = look(PreviewTraining(studio.world.checkpoint, tune, first=99), previews)
    assert beyond.first == 2
    whole = tune.model_copy(update={"train_on": "everything"})
    assert look(PreviewTraining(studio.world.checkpoint, whole), previews)[-1].learnt == 10 + 2 + 19
    data.write_text('{"text": "other"}', "utf-8")
    assert look(PreviewTraining(studio.world.checkpoint, whole), previews)[-1].rows == 1


def test_packed_examples_are_shown_together(studio: Studio, data: Path) -> None:
    tune = FullFineTune(data=str(data), max_length=20, packing=True)
    [preview] = look(PreviewTraining(studio.world.checkpoint, tune))
    assert [[example.line for example in row] for row in preview.shown] == [[1, 2], [4]]
    assert basis(preview).startswith("They share 2 rows of 20 tokens, filled to 85 %.")


def test_a_run_uses_the_good_rows_and_says_which_it_left_out(studio: Studio, data: Path) -> None:
    tune = small.tune(data, steps=2, max_length=20)
    run = studio.run(studio.plan(tune))
    assert run.stages[1].changes
    note = "One row of 'rows.jsonl' couldn't be trained on. Line 3 has an empty 'text'."
    assert note in [event.sentence for event in studio.events if isinstance(event, Noted)]
    studio.run(studio.plan(tune))
    assert note in [event.sentence for event in studio.events if isinstance(event, Noted)]  # a reused stage says so too


def test_what_is_trained_on_decides_the_stage(studio: Studio, data: Path) -> None:
    settings = ({}, {"train_on": "everything"}, {"packing": True})
    keys = {
        studio.run(studio.plan(small.tune(data, steps=1, max_length=20, **one))).stages[1].info.key for one in settings
    }
    assert len(keys) == 3
