"""A made-up run as events, for tests of what stands above the engine: 'edit, then fine-tune' on a small sheet."""

from __future__ import annotations

import random
from collections.abc import Iterator

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.history import Recalled, RunEntry
from editview.domain.operations import FineTune, FullFineTune, Memit
from editview.domain.plan import Plan
from editview.domain.run_events import (
    Checked,
    LiveChecked,
    Progressed,
    RunEvent,
    RunFinished,
    RunStarted,
    RunStopped,
    StageFinished,
    StageInfo,
    StageStarted,
    Trained,
    Validated,
)
from editview.domain.sentences import operation_title
from editview.domain.session import Session
from editview.domain.verdicts import Answer, Check, LiveCheck
from editview.domain.weights import MatrixKind, TensorChange, TensorInfo


def sheet(edits: int = 10, neighbours: int = 10, controls: int = 20) -> FactSheet:
    facts = [
        Fact(
            f"e{i}",
            Group.EDITED,
            f"Land {i}",
            "The capital of {} is",
            f"Old {i}",
            f"New {i}",
            ("{} has its capital in",),
        )
        for i in range(edits)
    ]
    facts += [
        Fact(
            f"n{i}",
            Group.NEIGHBOURS,
            f"Near {i}",
            "The capital of {} is",
            "Paris",
            None,
            (),
            f"e{i % max(edits, 1)}",
        )
        for i in range(neighbours)
    ]
    facts += [Fact(f"c{i}", Group.CONTROL, f"Thing {i}", "{} is made of", "wood") for i in range(controls)]
    return FactSheet("sample", tuple(facts))


def plan(edit_first: bool = True) -> Plan:
    operations = (Memit(id="edit", layers=(0, 1)), FullFineTune(id="tune", steps=60))
    return Plan(name="Sample", operations=operations if edit_first else operations[::-1])


def tensors(layers: int = 4) -> tuple[TensorInfo, ...]:
    kinds = (MatrixKind.ATTENTION_IN, MatrixKind.ATTENTION_OUT, MatrixKind.MLP_IN, MatrixKind.MLP_OUT)
    blocks = [TensorInfo(f"h.{i}.{kind.name.lower()}", i, kind, (64, 64)) for i in range(layers) for kind in kinds]
    return (TensorInfo("wte", None, MatrixKind.EMBEDDING, (512, 64)), *blocks)


def events(plan: Plan, sheet: FactSheet, run: str = "run-1", seed: int = 0) -> Iterator[RunEvent]:
    """A whole run: edits take with 95 %, a fine-tune loses half of what stands, neighbours and controls mostly stay."""
    chance = random.Random(seed)
    standing = {fact.id: fact.group is not Group.EDITED for fact in sheet}
    titles = ["Checkpoint", *(operation_title(operation, sheet) for operation in plan.active)]
    ids = [None, *(operation.id for operation in plan.active)]
    every = 10 if plan.check_every == "auto" else plan.check_every
    stages = tuple(StageInfo(i, ids[i], title, f"{run}-{i}") for i, title in enumerate(titles))
    yield RunStarted(run, plan, sheet, stages, tensors())
    for stage in stages:
        yield StageStarted(run, stage.index, reused=stage.index == 0)
        operation = plan.active[stage.index - 1] if stage.index else None
        if isinstance(operation, Memit):
            for done in range(11):
                yield Progressed(run, stage.index, done, 10, "Finding target vectors", 1.0 * (10 - done))
            for fact in sheet.group(Group.EDITED):
                standing[fact.id] = chance.random() < 0.95
        elif isinstance(operation, FineTune):
            lost_at = {
                fact.id: chance.randrange(10, operation.steps)
                for fact in sheet
                if standing[fact.id] and chance.random() < (0.5 if fact.group is Group.EDITED else 0.03)
            }
            yield Validated(run, stage.index, 0, 2.31, 0.1, 40)
            for step in range(1, operation.steps + 1):
                yield Trained(run, stage.index, step, 4.0 / step**0.3, operation.learning_rate)
                yield Progressed(run, stage.index, step, operation.steps, "Training", 0.3 * (operation.steps - step))
                if every and step % every == 0:
                    gives = tuple(standing[f.id] and step < lost_at.get(f.id, 10**9) for f in sheet)
                    nll = tuple(0.1 + step * 0.01 if given else 3.0 for given in gives)
                    other = tuple(4.0 if given else 0.2 for given in gives)
                    ids_ = tuple(fact.id for fact in sheet)
                    yield LiveChecked(run, stage.index, LiveCheck(step, ids_, gives, nll, other))
                if step % 20 == 0:
                    yield Validated(run, stage.index, step, 3.0 / step**0.25, None, 0)
            yield Validated(run, stage.index, operation.steps, 3.0 / operation.steps**0.25, 0.775, 40)
            for fact_id in lost_at:
                standing[fact_id] = False
        checks = []
        for fact in sheet:
            answers = []
            for prompt in fact.wordings:
                given = standing[fact.id]
                other = (fact.other or "something") if not given else fact.wanted
                nll = chance.uniform(0.01, 0.4) if given else chance.uniform(2, 5)
                answers.append(Answer(prompt, other, given, nll, None if fact.other is None else 5 - nll))
            if standing[fact.id] and len(answers) > 1 and chance.random() < 0.2:
                answers[-1] = Answer(answers[-1].prompt, "something else", False, 3.0, 1.0)
            checks.append(Check(fact.id, tuple(answers)))
        for at in range(0, len(checks), 16):
            yield Checked(run, stage.index, tuple(checks[at : at + 16]))
        changes: tuple[TensorChange, ...] = ()
        if isinstance(operation, Memit):
            changes = tuple(
                TensorChange(t.name, t.layer, t.kind, t.shape, 10.0, chance.uniform(0.1, 1.0))
                for t in tensors()
                if t.kind is MatrixKind.MLP_OUT and t.layer in operation.layers
            )
        elif operation is not None:
            changes = tuple(
                TensorChange(t.name, t.layer, t.kind, t.shape, 10.0, chance.uniform(0.05, 0.6)) for t in tensors()
            )
        yield StageFinished(run, stage.index, changes, 12.5 if operation else 0.4)
    yield RunFinished(run, 30.0)


def session(edit_first: bool = True) -> Session:
    """A session that holds one finished sample run."""
    grown = Session()
    for event in events(plan(edit_first), sheet()):
        grown.apply(event)
    return grown


def past(run_id: str = "past", edit_first: bool = True, edits: int = 12, stopped: bool = False) -> Recalled:
    """A run of an earlier day, on facts that its sheet's file doesn't hold any more."""
    old = plan(edit_first).model_copy(update={"name": "Old plan"})
    told = list(events(old, sheet(edits), run=run_id))
    grown = Session()
    for event in [*told[: len(told) * 3 // 4], RunStopped(run_id)] if stopped else told:
        grown.apply(event)
    run = grown.runs[run_id]
    steps = "Edit → Fine-tune" if edit_first else "Fine-tune → Edit"
    entry = RunEntry(run_id, 1e9, 1e9, run.state, "Old plan", "demo", steps, run.stages[2].info.title, "Words.")
    return Recalled(entry, run, ("The fact sheet 'demo' has changed since.",))
