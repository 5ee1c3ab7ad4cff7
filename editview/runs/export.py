"""A stage as a folder that others can open: written beside its place, read back, asked again, and only then put there.

An export whose answers differ from the stage's is removed, not kept under another name: somebody would use it one day,
and what differed is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from psutil import pid_exists

from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.export import Export, Form
from editview.domain.export_words import disagreement, export_obstacle, place
from editview.domain.files import clear_folders, replacing_folder
from editview.domain.progress import Progress
from editview.domain.requests import ExportStage
from editview.domain.run_events import StageInfo
from editview.domain.sentences import operation_title
from editview.domain.session import Run, RunState, Stage
from editview.domain.verdicts import Check
from editview.lm.answers import check
from editview.lm.opening import open_model
from editview.lm.sources import local_folder
from editview.runs.export_forms import Distance, Written, write_adapter, write_checkpoint
from editview.runs.fingerprints import described
from editview.runs.keys import stage_keys
from editview.runs.model_card import write_card
from editview.runs.operations import prepare
from editview.runs.store import StageLost, StageStore
from editview.runs.workbench import Workbench


def export(bench: Workbench, store: StageStore, device: Device, asked: ExportStage, progress: Progress) -> Export:
    """Write a stage of a plan. Afterwards no model is open on the bench.

    Raises EditViewError, having written nothing: where the place won't do, the stage isn't kept, an adapter wouldn't be
    exact, or what is read back isn't the stage.
    """
    plan, sheet, folder = asked.plan, asked.sheet, _place(asked)
    prepared = prepare(plan, sheet, lambda: described(plan.checkpoint, device), asked.stage)
    lm = bench.open(plan.checkpoint, device, progress)
    keys = stage_keys(lm.fingerprint, device.id, plan.seed, prepared)
    try:
        bench.move_to(keys[-1])
    except StageLost as error:
        raise EditViewError(
            "The weights of this stage aren't kept on this machine. Run the plan, then export again.", error.details
        ) from error
    run = _kept(asked, keys, store)
    stage = run.stages[-1]
    stage.checks = stage.checks or {one.fact_id: one for batch in check(lm, sheet.facts, progress) for one in batch}
    computed_in = str(lm.dtype).removeprefix("torch.")
    write = write_adapter if asked.form is Form.ADAPTER else write_checkpoint
    clear_folders(folder, pid_exists)
    with replacing_folder(folder) as part:
        written = write(lm, plan.checkpoint, asked.form, part, progress)
        del lm
        bench.close()  # there may be no room for two
        off, largest = _read_back(asked, part, device, written, tuple(stage.checks.values()), progress)
        size = sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
        done = Export(str(folder), asked.form, stage.info.title, size, len(sheet), written.dtype, off, largest)
        write_card(part, done, run, computed_in)
    return done


def _place(asked: ExportStage) -> Path:
    """The folder to write to. Raises EditViewError where that may not be."""
    folder = place(asked)
    if obstacle := export_obstacle(asked):
        raise EditViewError(obstacle)
    for source in filter(None, (asked.plan.checkpoint.source, asked.plan.checkpoint.adapter)):
        origin = local_folder(source)
        if origin is not None and folder in (origin.resolve(), *origin.resolve().parents):
            raise EditViewError(f"The plan starts from what lies in '{folder}', so it stays. Choose another folder.")
    return folder


def _kept(asked: ExportStage, keys: Sequence[str], store: StageStore) -> Run:
    """What is kept of the plan's stages up to the one that is asked for, as a run."""
    plan, sheet = asked.plan, asked.sheet
    stages = [Stage(StageInfo(0, None, "Checkpoint", keys[0]))]
    for at, operation in enumerate(plan.active[: asked.stage], start=1):
        stages.append(Stage(StageInfo(at, operation.id, operation_title(operation, sheet), keys[at])))
    for stage in stages:
        if kept := store.asked(stage.info.key, sheet.content_hash):
            stage.checks = {one.fact_id: one for one in kept.checks}
    return Run("export", plan, sheet, stages, (), RunState.FINISHED)


def _read_back(
    asked: ExportStage, folder: Path, device: Device, written: Written, before: Sequence[Check], progress: Progress
) -> Distance:
    """Open what was written as anybody's checkpoint, hold it against the stage and ask it the facts again."""
    checkpoint = asked.plan.checkpoint
    if asked.form is Form.ADAPTER:
        checkpoint = checkpoint.model_copy(update={"adapter": str(folder)})
    else:
        checkpoint = checkpoint.model_copy(update={"source": str(folder), "adapter": None, "allow_pickle": False})
    try:
        lm = open_model(checkpoint, device, progress)
    except EditViewError as error:
        raise _failed("it can't be opened again", str(error), error.details) from error
    distance = written.compare(lm, progress)
    if distance is None:
        raise _failed("the weights read back aren't those that were written", "The disk may be failing: try another.")
    after = [one for batch in check(lm, asked.sheet.facts, progress) for one in batch]
    if difference := disagreement(before, after):
        raise _failed(difference, written.remedy)
    return distance


def _failed(what: str, advice: str, details: str = "") -> EditViewError:
    return EditViewError(f"The export failed and was removed: {what}. {advice}".strip(), details)
