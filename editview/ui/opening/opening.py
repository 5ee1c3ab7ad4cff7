"""Opening and saving: by menu, by dropping files on the window, by paths on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from editview.domain import places
from editview.domain.checkpoint import fitted
from editview.domain.events import FactsPreviewed
from editview.domain.files import file_name
from editview.domain.left_out import CONTRADICTIONS, Keep
from editview.domain.operations import FineTune, Lora
from editview.domain.plan import PLAN_ENDING, Checkpoint
from editview.domain.requests import OpenPlan, PreviewFacts, SavePlan
from editview.ui.hub import Hub
from editview.ui.opening.checkpoint_dialog import CheckpointDialog
from editview.ui.opening.csv_dialog import OURS, CsvDialog
from editview.ui.opening.left_out_dialog import LeftOutDialog
from editview.ui.opening.new_answer_dialog import NewAnswerDialog
from editview.ui.opening.recognise import Kind, checkpoints_of, recognise
from editview.ui.problem import Problem


class _For(Enum):
    """What the first rows of a sheet were asked for."""

    OPENING = auto()
    CHOOSING = auto()  # again how it is read
    DOUBT = auto()  # whether that is why it couldn't be read


class Opening(QObject):
    """Belongs to the window whose dialogs it shows."""

    def __init__(self, hub: Hub, window: QWidget) -> None:
        super().__init__(window)
        self._hub, self._window = hub, window
        self._expected: tuple[str, _For] | None = None  # the sheet whose preview was asked for, and why
        hub.replies.previewed.connect(self._previewed)
        hub.sheet_changed.connect(self._doubt)

    def open_path(self, path: Path) -> None:
        if not path.exists():
            self._hub.problem.emit(Problem(f"There is no '{path}'. Check the name, or choose from the File menu.", ""))
            return
        hub, kind = self._hub, recognise(path)
        match kind:
            case Kind.CHECKPOINT:
                self.open_checkpoint(Checkpoint(source=str(path if path.is_dir() else path.parent)))
            case Kind.ADAPTER:
                self.open_checkpoint(hub.plan.checkpoint.model_copy(update={"adapter": str(path)}))
            case Kind.SHEET:
                self._preview(str(path))
            case Kind.PLAN:
                hub.send(OpenPlan(str(path)))
            case Kind.DATA:
                self._train_on(path)
            case Kind.UNKNOWN:
                hub.problem.emit(
                    Problem(
                        f"'{path.name}' is nothing that can be opened here. Checkpoints are folders, fact sheets .json "
                        "or .csv, training data .jsonl or .txt, plans .toml.",
                        "",
                    )
                )

    def open_paths(self, paths: Iterable[Path]) -> None:
        """Two checkpoints, or a base and an adapter on it, are compared; everything else is opened one by one."""
        several = list(paths)
        two = checkpoints_of(several, self._hub.plan.checkpoint) if len(several) == 2 else None
        if two is not None and all(path.exists() for path in several):
            self._hub.checkpoints_wanted.emit(tuple(two))
            return
        for path in several:
            self.open_path(path)

    # ---- from the menu ---------------------------------------------------------------------------------------

    def open_checkpoint(self, start: Checkpoint | None = None) -> None:
        dialog = CheckpointDialog(self._hub, start or self._hub.plan.checkpoint, self._window)
        if dialog.exec() and dialog.info is not None:
            plan, note = fitted(self._hub.plan, dialog.info, self._hub.checkpoint)
            self._hub.change_plan(plan)
            if note:
                self._hub.noted.emit(note)
        dialog.deleteLater()

    def open_facts(self) -> None:
        path = self._chosen("Open a fact sheet", "Fact sheets (*.json *.jsonl *.csv *.tsv)")
        if path:
            self._preview(path)

    def open_plan(self) -> None:
        path = self._chosen("Open a plan", "Plans (*.toml)")
        if path:
            self.open_path(Path(path))

    def open_demo(self) -> None:
        self._hub.send(OpenPlan(str(places.demo_plan())))

    def open_data(self) -> None:
        path = self._chosen("Open training data", "Training data (*.jsonl *.json *.txt)")
        if path:
            self._train_on(Path(path))

    def show_left_out(self) -> None:
        """The records of the sheet that couldn't be used, each with the reason; reads it anew where that is chosen."""
        plan = self._hub.plan
        dialog = LeftOutDialog(
            self._hub.sheet_problems, Keep(plan.columns.get(CONTRADICTIONS, Keep.NONE)), self._window
        )
        if dialog.exec():
            columns = {name: theirs for name, theirs in plan.columns.items() if name != CONTRADICTIONS}
            chosen = {} if dialog.keep is Keep.NONE else {CONTRADICTIONS: dialog.keep.value}
            self._hub.open_facts(plan.facts, tuple((columns | chosen).items()))
        dialog.deleteLater()

    def save_plan(self) -> None:
        if self._hub.history.path is None:
            self.save_plan_as()
        else:
            self._hub.send(SavePlan(self._hub.plan, self._hub.history.path))

    def save_plan_as(self) -> None:
        start = self._hub.history.path or f"{file_name(self._hub.plan.name, 'plan')}{PLAN_ENDING}"
        path, _ = QFileDialog.getSaveFileName(self._window, "Save the plan", start, "Plans (*.toml)")
        if path:
            self._hub.send(SavePlan(self._hub.plan, path if path.endswith(".toml") else path + PLAN_ENDING))

    def _chosen(self, title: str, kinds: str) -> str:
        path, _ = QFileDialog.getOpenFileName(self._window, title, "", f"{kinds};;All files (*)")
        return path

    # ---- what needs another word -----------------------------------------------------------------------------

    def _train_on(self, path: Path) -> None:
        """Let the plan's only fine-tune read this file, or add one that does."""
        plan = self._hub.plan
        tunes = [operation for operation in plan.operations if isinstance(operation, FineTune)]
        if len(tunes) == 1:
            self._hub.change_plan(plan.replaced(tunes[0].model_copy(update={"data": str(path)})))
        else:
            self._hub.change_plan(plan.added(Lora(data=str(path))))

    def choose_reading(self) -> None:
        """Say again what is what in the plan's sheet."""
        self._preview(self._hub.plan.facts, _For.CHOOSING)

    def _preview(self, source: str, purpose: _For = _For.OPENING) -> None:
        self._expected = source, purpose
        self._hub.send(PreviewFacts(source, purpose is _For.DOUBT))

    def _doubt(self) -> None:
        """The plan's sheet couldn't be read: perhaps since it has to be said how, which a person can do."""
        source = self._hub.plan.facts
        if self._hub.sheet_missing and Path(source).is_file():
            self._preview(source, _For.DOUBT)

    def _previewed(self, preview: FactsPreviewed) -> None:
        if self._expected is None or preview.source != self._expected[0]:
            return
        (_, purpose), self._expected = self._expected, None
        plan = self._hub.plan
        chosen = dict(plan.columns) if plan.facts == preview.source else {}
        keep = {CONTRADICTIONS: chosen.pop(CONTRADICTIONS)} if CONTRADICTIONS in chosen else {}
        if not preview.columns:
            if purpose is _For.OPENING:
                self._hub.open_facts(preview.source, tuple(keep.items()))
            elif purpose is _For.CHOOSING:
                self._hub.noted.emit("Each field of this sheet says what it is: there is nothing to choose.")
            return
        dialog: NewAnswerDialog | CsvDialog
        if preview.new_answers:
            new = chosen.get("target_new")
            if purpose is _For.DOUBT and new in preview.new_answers:
                return
            dialog = NewAnswerDialog(preview, new, self._window)
        else:
            named = chosen or dict(preview.suggested)
            known = {ours: theirs for ours, theirs in named.items() if theirs in preview.columns}
            told = known == named and all(ours in known for ours, (_, _, needed) in OURS.items() if needed)
            if purpose is _For.DOUBT and told:
                return
            dialog = CsvDialog(replace(preview, suggested=tuple(known.items())), self._window)
        if dialog.exec():
            self._hub.open_facts(preview.source, (*dialog.columns, *keep.items()))
        dialog.deleteLater()
