"""What a job tells the world while it works: frozen, in order, enough to draw everything from."""

from __future__ import annotations

from dataclasses import dataclass

from editview.domain.checkpoint import CheckpointInfo, Device
from editview.domain.difference import Difference
from editview.domain.disk import Kind, Use
from editview.domain.export import Export
from editview.domain.facts import FactSheet
from editview.domain.history import Findings, Recalled, RunEntry
from editview.domain.inspection import Inspection
from editview.domain.interference import Interference
from editview.domain.left_out import LeftOut
from editview.domain.memory import Fit
from editview.domain.plan import Plan
from editview.domain.requests import (
    AskBoth,
    CompareCheckpoints,
    ExportStage,
    InspectCheckpoint,
    KeySpectrum,
    MeasureInterference,
    PreviewTraining,
    SaveComparison,
    TraceFacts,
)
from editview.domain.run_events import RunEvent
from editview.domain.spectrum import Spectrum
from editview.domain.tracing import Tracing
from editview.domain.training_preview import TrainingPreview
from editview.domain.verdicts import LiveCheck

# ---- the engine ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The model libraries are loaded; what was found on this machine."""

    devices: tuple[Device, ...]
    device: Device
    recovered: str = ""  # what the start found of a run that was killed, as a sentence


@dataclass(frozen=True, slots=True)
class EngineLoading:
    """What the engine is busy with, apart from a run; '': nothing any more."""

    what: str
    share: float | None = None  # of it that is done, where that is known
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class MemoryUsed:
    device: str
    used: int  # bytes
    total: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A job ended with an error: a sentence for everyone, details for the specialist."""

    job: int
    sentence: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth saying that is no error."""

    sentence: str


# ---- what was opened ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckpointDescribed:
    info: CheckpointInfo


@dataclass(frozen=True, slots=True)
class FactsOpened:
    source: str  # as Plan.facts names it
    sheet: FactSheet
    problems: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class FactsPreviewed:
    """The first rows of a sheet of which a person has to say what is what.

    `columns` are the file's own headings or fields, `rows` cells in their order, `suggested` pairs of our column name
    and theirs as far as they can be told. Without columns there is nothing to say.
    """

    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    suggested: tuple[tuple[str, str], ...]
    new_answers: tuple[str, ...] = ()  # columns of which one holds the new answer, and that alone is to be said


@dataclass(frozen=True, slots=True)
class PlanOpened:
    path: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class PlanSaved:
    path: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class ReportUnderWay:
    """How far the report of a run is."""

    path: str
    what: str
    share: float  # of what is done now
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class ReportSaved:
    path: str


@dataclass(frozen=True, slots=True)
class Trains:
    """What a fine-tune would train."""

    tensors: tuple[str, ...]  # or those that its adapter's matrices are added to
    parameters: int  # numbers that are trained
    of: int  # the model's


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run of this plan would cost. One entry an active operation, then the sum."""

    plan: Plan
    reused: tuple[bool, ...]
    seconds: tuple[float | None, ...]  # None: not known on this machine yet, and nothing to guess it by
    total_seconds: float | None
    memory_needed: int  # bytes
    memory_available: int
    advice: str = ""  # what to change when it won't fit
    to_read: int = 0  # tokens of text for statistics, at most; 0: none, or they are kept
    layout: str = ""  # in words, where the layers go of a model that is larger than its device
    trained: tuple[Trains | None, ...] = ()  # one entry an active operation; None: it is no fine-tune
    guessed: bool = False  # some of it was never done on this machine: the times are another machine's
    fits: tuple[Fit | None, ...] = ()  # of each fine-tune: how it gets by with the memory there is, and what it needs
    goes_on: tuple[int, ...] = ()  # of each operation: the step after which an interrupted fine-tune goes on, or 0


# ---- a model asked --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replied:
    """What the user's own prompt was answered by the model at some stages, in the order asked."""

    prompt: str
    stage_keys: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scaled:
    """What the prompts are answered right after an edit at some strength; None: the edit isn't computed yet."""

    operation_id: str
    strength: float
    check: LiveCheck | None


@dataclass(frozen=True, slots=True)
class Exported:
    asked: ExportStage
    export: Export


@dataclass(frozen=True, slots=True)
class Traced:
    asked: TraceFacts
    tracing: Tracing


@dataclass(frozen=True, slots=True)
class FineTuneMeasured:
    """What a fine-tune takes on this machine, from a few real steps of it."""

    plan: Plan
    operation_id: str
    seconds_a_step: float
    fit: Fit


@dataclass(frozen=True, slots=True)
class KeySpectra:
    asked: KeySpectrum
    spectra: tuple[Spectrum, ...]  # one a layer, ascending


@dataclass(frozen=True, slots=True)
class TrainingPreviewed:
    asked: PreviewTraining
    preview: TrainingPreview


@dataclass(frozen=True, slots=True)
class InterferenceMeasured:
    asked: MeasureInterference
    interference: Interference


@dataclass(frozen=True, slots=True)
class Comparing:
    """How far the work on two checkpoints is."""

    asked: CompareCheckpoints | SaveComparison
    what: str
    share: float  # of what is done now
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class CheckpointsCompared:
    """What lies between two checkpoints. It comes twice: as soon as it is known, then with the spectra."""

    asked: CompareCheckpoints
    found: Difference
    whole: bool


@dataclass(frozen=True, slots=True)
class Inspected:
    asked: InspectCheckpoint
    inspection: Inspection


# ---- what is kept -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunsListed:
    """The runs so far and what was found of checkpoints, the latest first."""

    runs: tuple[RunEntry, ...]
    deleted: int = 0  # that can be brought back
    remark: str = ""  # what happened to the file of the list


@dataclass(frozen=True, slots=True)
class RunsRecalled:
    """One run to be shown as it was, or two to be compared."""

    runs: tuple[Recalled, ...]


@dataclass(frozen=True, slots=True)
class OrdersRecalled:
    """Other orders of a run's steps, of an earlier time."""

    runs: tuple[Recalled, ...]


@dataclass(frozen=True, slots=True)
class FindingsRecalled:
    findings: Findings


@dataclass(frozen=True, slots=True)
class DiskUsed:
    uses: tuple[Use, ...]
    cleared: Kind | None = None  # what was cleared just before it was counted


@dataclass(frozen=True, slots=True)
class BothAsked:
    """What happens in the run that asks two checkpoints a fact sheet. It is no run of the plan's."""

    asked: AskBoth
    event: RunEvent


Event = (
    RunEvent | EngineReady | EngineLoading | MemoryUsed | Failed | Noted
    | CheckpointDescribed | FactsOpened | FactsPreviewed | PlanOpened | PlanSaved | ReportUnderWay | ReportSaved
    | Forecast | Replied | Scaled | Exported | Traced | KeySpectra | FineTuneMeasured | TrainingPreviewed
    | InterferenceMeasured | Comparing | CheckpointsCompared | BothAsked
    | Inspected
    | RunsListed | RunsRecalled | OrdersRecalled | FindingsRecalled | DiskUsed
)  # fmt: skip
