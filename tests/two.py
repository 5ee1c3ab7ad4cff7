"""Two made-up checkpoints for tests of what stands above the engine: their difference, and a sheet asked of both."""

from __future__ import annotations

from collections.abc import Iterator

from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.difference import Difference, TensorDifference
from editview.domain.facts import Fact, FactSheet
from editview.domain.inspection import BothSaid, Inspection, Touched
from editview.domain.plan import Checkpoint
from editview.domain.run_events import (
    Checked,
    RunEvent,
    RunFinished,
    RunStarted,
    StageFinished,
    StageInfo,
    StageStarted,
)
from editview.domain.session import Run, Session
from editview.domain.two_checkpoints import TITLES, plan_of_two
from editview.domain.verdicts import Answer, Check
from editview.domain.weights import MatrixKind

BEFORE, AFTER = Checkpoint(source="/models/before"), Checkpoint(source="/models/after")
OUT, READ, NORM = "h.1.mlp.c_proj.weight", "h.0.mlp.c_fc.weight", "h.0.ln_1.weight"


def tensor(name: str, layer: int | None, kind: MatrixKind, change: float, **settings: object) -> TensorDifference:
    fields = {"shape": (64, 16), "formats": ("F32", "F32"), "same": not change, "rounding": False, "norm_before": 10.0}
    return TensorDifference(name=name, layer=layer, kind=kind, norm_change=change, **{**fields, **settings})  # type: ignore


def difference(spectra: bool = True) -> Difference:
    """A large change of one matrix, a small one of another, the rest as it was; one tensor is the second's alone."""
    values = tuple(3.0 / 2**at for at in range(16))
    norm = sum(value**2 for value in values) ** 0.5
    spectrum = ChangeSpectrum(values, 16, norm, 0.01) if spectra else None
    tensors = (
        tensor("wte.weight", None, MatrixKind.EMBEDDING, 0.0, shape=(100, 16), rows=(90, 100)),
        tensor(NORM, 0, MatrixKind.NORM, 0.0, shape=(16,)),
        tensor(READ, 0, MatrixKind.MLP_IN, 0.3),
        tensor(OUT, 1, MatrixKind.MLP_OUT, norm, spectrum=spectrum),
    )
    return Difference(BEFORE, AFTER, tensors, only_second=("extra.scale",))


def events(sheet: FactSheet, before: set[str], after: set[str], run: str = "both") -> Iterator[RunEvent]:
    """Both asked a sheet; the facts named here are given by the one and by the other."""
    stages = tuple(StageInfo(at, "update" if at else None, title, f"key-{at}") for at, title in enumerate(TITLES))
    yield RunStarted(run, plan_of_two(BEFORE), sheet, stages, ())
    for at, given in enumerate((before, after)):
        yield StageStarted(run, at, reused=False)
        yield Checked(run, at, tuple(check(fact, fact.id in given) for fact in sheet))
        yield StageFinished(run, at, (), 1.0)
    yield RunFinished(run, 2.0)


def check(fact: Fact, given: bool) -> Check:
    said = fact.wanted if given else fact.other or "something else"
    return Check(fact.id, tuple(Answer(wording, said, given, 0.1, None) for wording in fact.wordings))


def asked(sheet: FactSheet, before: set[str], after: set[str]) -> Run:
    session = Session()
    for event in events(sheet, before, after):
        run = session.apply(event)
    return run


def inspection() -> Inspection:
    touched = (
        Touched("Peru", 7.5, 1, (BothSaid("The sea of Peru is", "red", "blue"), BothSaid("Peru:", "a land", "a land"))),
        Touched("Chad", 9.0, 0, (BothSaid("The sea of Chad is", "red", "red"),)),
    )
    return Inspection(AFTER, BEFORE, (0, 1), 200, touched, changes=(0.02, 0.35, 0.0))
