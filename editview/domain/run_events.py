"""What happens in a run, in order: enough to draw all of it, and to bring it back as it was."""

from __future__ import annotations

from dataclasses import dataclass

from editview.domain.facts import FactSheet
from editview.domain.plan import Plan
from editview.domain.verdicts import Check, LiveCheck
from editview.domain.weights import TensorChange, TensorInfo


@dataclass(frozen=True, slots=True)
class StageInfo:
    """One stage of a run. Stage 0 is the checkpoint and has no operation."""

    index: int
    operation_id: str | None
    title: str
    key: str  # its key in the stage store


@dataclass(frozen=True, slots=True)
class RunStarted:
    run: str
    plan: Plan
    sheet: FactSheet
    stages: tuple[StageInfo, ...]
    tensors: tuple[TensorInfo, ...]


@dataclass(frozen=True, slots=True)
class StageStarted:
    run: str
    stage: int
    reused: bool


@dataclass(frozen=True, slots=True)
class Progressed:
    run: str
    stage: int
    done: int
    total: int
    what: str
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Checked:
    """Facts asked after a stage; comes in batches, so that the table fills while it goes on."""

    run: str
    stage: int
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class LiveChecked:
    run: str
    stage: int
    check: LiveCheck


@dataclass(frozen=True, slots=True)
class Trained:
    """One logged training step."""

    run: str
    stage: int
    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Validated:
    """A look at the examples kept for validation, as `Validation` has it; a later one of the same step replaces it."""

    run: str
    stage: int
    step: int
    loss: float
    exact_match: float | None
    of: int


@dataclass(frozen=True, slots=True)
class BestKept:
    """A fine-tune has gone back to the weights that it had after `step`: what it came to later is gone with them."""

    run: str
    stage: int
    step: int


@dataclass(frozen=True, slots=True)
class StageFinished:
    run: str
    stage: int
    changes: tuple[TensorChange, ...]
    seconds: float  # of computing it; for a reused stage, of when it was computed
    trained: tuple[str, ...] = ()  # names of the tensors that a fine-tune was to change


@dataclass(frozen=True, slots=True)
class RunFinished:
    run: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunStopped:
    """The user stopped it; the stages that were finished stay."""

    run: str


@dataclass(frozen=True, slots=True)
class RunFailed:
    run: str
    sentence: str
    details: str = ""


RunEvent = (
    RunStarted | StageStarted | Progressed | Checked | LiveChecked | Trained | Validated | BestKept | StageFinished
    | RunFinished | RunStopped | RunFailed
)  # fmt: skip
