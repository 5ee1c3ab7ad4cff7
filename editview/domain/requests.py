"""What the window, or anyone, can ask of the jobs. Each is answered by events."""

from __future__ import annotations

from dataclasses import dataclass

from editview.domain.difference import Difference
from editview.domain.disk import Kind
from editview.domain.export import Form
from editview.domain.facts import Fact, FactSheet
from editview.domain.history import Findings, Recalled
from editview.domain.inspection import Inspection
from editview.domain.operations import FineTune
from editview.domain.plan import Checkpoint, Plan
from editview.domain.session import Run


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Carry the plan out on this sheet; `RunStarted` … `RunFinished`, `RunStopped` or `RunFailed` follow."""

    plan: Plan
    sheet: FactSheet
    fresh: bool = False  # what is kept of this plan is computed anew


@dataclass(frozen=True, slots=True)
class ForecastPlan:
    plan: Plan
    sheet: FactSheet


@dataclass(frozen=True, slots=True)
class DescribeCheckpoint:
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class DownloadCheckpoint:
    """Bring a checkpoint from the hub into the local cache, with progress."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class OpenFacts:
    source: str
    columns: tuple[tuple[str, str], ...] = ()  # as `Plan.columns`


@dataclass(frozen=True, slots=True)
class PreviewFacts:
    """Show the first rows of a sheet, so that a person can say what is what there; `FactsPreviewed` follows."""

    source: str
    in_doubt: bool = False  # it couldn't be opened, and perhaps that is why: if not, there is nothing new to tell


@dataclass(frozen=True, slots=True)
class OpenPlan:
    path: str


@dataclass(frozen=True, slots=True)
class SavePlan:
    """Write the plan to a file; `PlanSaved` follows."""

    plan: Plan
    path: str


@dataclass(frozen=True, slots=True)
class SaveReport:
    """Write what a run that has ended found to a file; `ReportSaved` follows. `other`: compared with that order."""

    run: Run
    path: str
    other: Run | None = None


@dataclass(frozen=True, slots=True)
class SaveSideBySide:
    """Write any two runs that have ended, compared, to a file; `ReportSaved` follows."""

    first: Recalled
    second: Recalled
    path: str


@dataclass(frozen=True, slots=True)
class AskModel:
    """Ask the model at some stages, named by their store keys, a prompt of the user's own."""

    plan: Plan
    prompt: str
    stage_keys: tuple[str, ...]
    max_new_tokens: int = 24


@dataclass(frozen=True, slots=True)
class ScaleEdit:
    """Ask the facts at another strength of an edit that was computed, changing nothing; `Scaled` follows."""

    plan: Plan
    sheet: FactSheet
    operation_id: str
    strength: float  # per cent


@dataclass(frozen=True, slots=True)
class MeasureFineTune:
    """Train a few real steps, changing nothing, to know time and memory; `FineTuneMeasured` follows."""

    plan: Plan
    sheet: FactSheet
    operation_id: str  # of a fine-tune that is switched on


@dataclass(frozen=True, slots=True)
class ExportStage:
    """Write the model as it is at a stage to a folder of its own; `Exported` follows."""

    plan: Plan
    sheet: FactSheet
    stage: int
    folder: str
    form: Form = Form.STORED
    overwrite: bool = False  # an earlier export may be replaced


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """Look where a checkpoint looks facts up, on those of them that it knows; `Traced` follows."""

    checkpoint: Checkpoint
    facts: tuple[Fact, ...]
    seed: int = 0


@dataclass(frozen=True, slots=True)
class KeySpectrum:
    """Look how strongly a text uses each direction of some layers' keys; `KeySpectra` follows."""

    checkpoint: Checkpoint
    layers: tuple[int, ...]
    text: str  # as an edit's 'text for statistics' names it
    tokens: int  # of it that are read


@dataclass(frozen=True, slots=True)
class PreviewTraining:
    """Look at some rows of a fine-tune's data as the model reads them; `TrainingPreviewed` follows."""

    checkpoint: Checkpoint
    operation: FineTune
    first: int = 0  # row, from 0
    most: int = 10  # rows


@dataclass(frozen=True, slots=True)
class MeasureInterference:
    """Look what a fine-tune did where edits had written; `InterferenceMeasured` follows.

    Stages are named by their store keys. The facts name their subjects.
    """

    checkpoint: Checkpoint
    before: str  # the stage that was fine-tuned
    after: str  # what became of it
    edits: tuple[tuple[str, str], ...]  # the stages before and after each edit that stands
    kept: tuple[Fact, ...]  # edited, stood before, and still do
    lost: tuple[Fact, ...]  # edited, stood before, and don't any more
    controls: tuple[Fact, ...]
    stood: int  # edits that kept and lost facts were drawn from
    seed: int = 0  # of the random directions


@dataclass(frozen=True, slots=True)
class CompareCheckpoints:
    """Compare the weights of two checkpoints; `Comparing` and `CheckpointsCompared` follow."""

    first: Checkpoint
    second: Checkpoint


@dataclass(frozen=True, slots=True)
class AskBoth:
    """Ask a fact sheet of two checkpoints: a run of two stages, whose events come as `BothAsked`."""

    first: Checkpoint
    second: Checkpoint
    sheet: FactSheet
    source: str = "demo"  # what the sheet was read from, and how: as `Plan.facts` and `Plan.columns`
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SaveComparison:
    """Write what was found of two checkpoints to a file, with their files' hashes; `ReportSaved` follows.

    `found` is None where only one was at hand and inspected.
    """

    found: Difference | None
    path: str
    asked: Run | None = None  # the fact sheet asked of both
    inspection: Inspection | None = None  # which facts the change touched
    then: Findings | None = None  # what of it was found at another time
    whole: bool = True  # the spectra were looked at too, so that the kind of update can be told


@dataclass(frozen=True, slots=True)
class InspectCheckpoint:
    """Find which facts a checkpoint's change touched, without being told; `Inspected` follows.

    Candidates come from a list and from facts; where neither is given, from the packaged list.
    """

    edited: Checkpoint
    original: Checkpoint | None = None  # without one, the edited weights alone are looked at
    subjects: str = ""  # a file with a subject or a prompt a line, or 'packaged'
    facts: tuple[Fact, ...] = ()
    sheet: str = ""  # what the facts were read from, and how: as `Plan.facts` and `Plan.columns`
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ChooseDevice:
    device_id: str


@dataclass(frozen=True, slots=True)
class ListRuns:
    """`RunsListed` follows, as it does after each change of the list below."""


@dataclass(frozen=True, slots=True)
class RecallRuns:
    """Bring one run back as it was, or two to compare; `RunsRecalled` follows."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecallFindings:
    """Bring a comparison or an inspection back as it was; `FindingsRecalled` follows."""

    entry: str


@dataclass(frozen=True, slots=True)
class RecallOrders:
    """Bring back what is kept of other orders of a run's steps; `OrdersRecalled` follows, unless nothing is kept."""

    run: str


@dataclass(frozen=True, slots=True)
class NoteRun:
    run: str
    note: str


@dataclass(frozen=True, slots=True)
class DeleteRuns:
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RestoreRuns:
    """Bring back what was deleted last."""


@dataclass(frozen=True, slots=True)
class MeasureDisk:
    """Count what EditView keeps on the disk; `DiskUsed` follows."""


@dataclass(frozen=True, slots=True)
class ClearDisk:
    """Remove one kind of what is kept, unless a run needs it; `DiskUsed` follows."""

    kind: Kind


HistoryRequest = ListRuns | RecallRuns | RecallOrders | RecallFindings | NoteRun | DeleteRuns | RestoreRuns
DiskRequest = MeasureDisk | ClearDisk
Request = (
    RunPlan | ForecastPlan | DescribeCheckpoint | DownloadCheckpoint
    | OpenFacts | PreviewFacts | OpenPlan | SavePlan | SaveReport | SaveSideBySide | AskModel
    | ScaleEdit | ExportStage | TraceFacts | KeySpectrum | MeasureFineTune | PreviewTraining | MeasureInterference
    | CompareCheckpoints | AskBoth | SaveComparison | InspectCheckpoint | ChooseDevice | HistoryRequest | DiskRequest
)  # fmt: skip
