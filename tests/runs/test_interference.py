"""What a fine-tune did where edits had written: against the weights as they are kept, and on stages made for it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import torch

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import EngineLoading, Event
from editview.domain.facts import Group
from editview.domain.interference import Interference, Measure
from editview.domain.operations import UndoEdit
from editview.domain.progress import silent
from editview.domain.requests import MeasureInterference
from editview.domain.session import Run
from editview.lm.interference import read
from editview.lm.opening import open_model
from editview.runs.store import Record, StageLost
from tests import small
from tests.runs.studio import CPU, Studio

MATRIX = "transformer.h.{}.mlp.c_proj.weight"  # [inputs, outputs]


def asked(studio: Studio, run: Run, before: int, after: str, *edits: tuple[int, int]) -> MeasureInterference:
    """The first edit of the small sheet was kept, the others lost: what a random model answers is nonsense."""
    keys = [stage.info.key for stage in run.stages]
    edited, controls = studio.world.sheet.group(Group.EDITED), studio.world.sheet.group(Group.CONTROL)
    return MeasureInterference(
        run.plan.checkpoint, keys[before], after, tuple((keys[a], keys[b]) for a, b in edits),
        edited[:1], edited[1:], controls, 3,
    )  # fmt: skip


def measured(studio: Studio, request: MeasureInterference) -> Interference:
    return studio.runner.interference(request, lambda event: None, threading.Event())


def keys_of(studio: Studio, stage: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """The keys of the sheet's edits in a model of its own, by layer."""
    lm = open_model(studio.world.checkpoint, CPU, silent)
    lm.model.load_state_dict(stage, strict=False)
    return read(lm, studio.world.sheet.group(Group.EDITED), silent, "").keys


def made(studio: Studio, name: str, edited: dict[str, torch.Tensor], *changes: torch.Tensor) -> str:
    """A stage of our own: that of the edit with these changes [outputs, inputs] of its matrices."""
    run = studio.run(studio.plan())
    key = run.stages[0].info.key[:20] + name * 20
    changed = {MATRIX.format(layer): edited[MATRIX.format(layer)] + change.T for layer, change in enumerate(changes)}
    studio.store.keep(key, Record(), edited | changed)
    return key


def test_every_figure_is_that_of_the_kept_weights(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text), small.tune(studio.world.data)))
    edited, tuned = studio.weights(run)
    found = measured(studio, asked(studio, run, 1, run.stages[2].info.key, (0, 1)))
    base = {name: value.detach() for name, value in open_model(studio.world.checkpoint, CPU, silent).weights().items()}
    keys = keys_of(studio, edited)
    assert found.edited_layers == (0, 1)
    assert (found.kept, found.lost, found.controls) == (1, 2, 2)
    for layer, one in enumerate(found.layers):
        name = MATRIX.format(layer)
        ours = (keys[layer] @ (tuned[name] - edited[name])).double()
        theirs = (keys[layer] @ (edited[name] - base[name])).double()
        assert one.of_edit == pytest.approx(float(ours.norm() / theirs.norm()), rel=1e-4)
        memory = found.moved(layer, Measure.MEMORY)
        assert memory is not None
        each = (ours.norm(dim=1) / theirs.norm(dim=1)).tolist()
        assert (*memory.kept, *memory.lost) == pytest.approx(each, rel=1e-4)
        state = found.moved(layer, Measure.SUBJECT)
        assert state is not None
        assert (len(state.kept), len(state.lost), len(state.controls)) == (1, 2, 2)
        assert min(*state.kept, *state.lost, *state.controls) > 0
        assert one.reach is not None
        assert one.reach.chance[0] <= 1 <= one.reach.chance[1]


def test_it_is_the_same_each_time_and_after_a_new_start(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text), small.tune(studio.world.data)))
    request = asked(studio, run, 1, run.stages[2].info.key, (0, 1))
    first = measured(studio, request)
    assert studio.another_runner().interference(request, lambda event: None, threading.Event()) == first


def test_a_change_that_spares_the_keys_reaches_nothing_and_a_random_one_what_chance_does(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text)))
    [edited] = studio.weights(run)
    keys = keys_of(studio, edited)
    source = torch.Generator().manual_seed(77)
    free = [0.01 * torch.randn(32, 128, generator=source) for _ in range(2)]
    spans = [torch.linalg.qr(key.double().T).Q for key in keys]
    spared = [(change - change.double() @ span @ span.T).float() for change, span in zip(free, spans, strict=True)]
    random = measured(studio, asked(studio, run, 1, made(studio, "a", edited, *free), (0, 1)))
    for one in random.layers:
        assert one.reach is not None
        assert one.reach.edited == pytest.approx(1, abs=0.25)  # three keys alone
    nothing = measured(studio, asked(studio, run, 1, made(studio, "b", edited, *spared), (0, 1)))
    for one in nothing.layers:
        assert one.reach is not None
        assert one.reach.edited < 1e-4
        assert one.of_edit is not None
        assert one.of_edit < 1e-4


def test_layers_that_nobody_touched_have_no_figures(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text, layers=(1,))))
    [edited] = studio.weights(run)
    name = MATRIX.format(0)
    base = open_model(studio.world.checkpoint, CPU, silent).weights()[name].detach()
    key = run.stages[0].info.key[:20] + "c" * 20
    studio.store.keep(key, Record(), edited | {name: base + 0.01})
    found = measured(studio, asked(studio, run, 1, key, (0, 1)))
    tuned, written = found.layers
    assert (tuned.edited, tuned.of_edit, tuned.moved[2]) == (False, None, None)
    assert tuned.reach is not None
    assert (written.edited, written.reach, written.of_edit, written.moved[2]) == (True, None, 0.0, None)


def test_several_edits_count_together_and_one_taken_back_doesnt(studio: Studio) -> None:
    first = small.edit(studio.world.text, id="first", only=("e0",))
    second = small.edit(studio.world.text, id="second", only=("e1", "e2"))
    operations = (first, second, UndoEdit(id="back", edit="first"), small.tune(studio.world.data))
    run = studio.run(studio.plan(*operations))
    both = measured(studio, asked(studio, run, 2, run.stages[4].info.key, (0, 1), (1, 2)))
    whole = measured(studio, asked(studio, run, 2, run.stages[4].info.key, (0, 2)))
    for one, other in zip(both.layers, whole.layers, strict=True):
        assert one.of_edit == pytest.approx(other.of_edit, rel=1e-4)


def test_progress_is_told_stop_acts_and_a_lost_stage_is_said(studio: Studio) -> None:
    run = studio.run(studio.plan(small.edit(studio.world.text), small.tune(studio.world.data)))
    request = asked(studio, run, 1, run.stages[2].info.key, (0, 1))
    events: list[Event] = []
    studio.runner.interference(request, events.append, threading.Event())
    shares = [event.share for event in events if isinstance(event, EngineLoading) and "Holding" in event.what]
    assert shares == sorted(shares, key=lambda share: share or 0.0)
    assert len(shares) > 4
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        studio.runner.interference(request, events.append, stop)
    with pytest.raises(EditViewError, match="changed no weights"):
        measured(studio, replace(request, edits=()))
    with pytest.raises(StageLost):
        measured(studio, replace(request, after=request.after[:20] + "f" * 20))
    assert studio.run(run.plan).state.value == "finished"  # the runner is as usable as before
