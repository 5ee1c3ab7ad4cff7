"""Exporting from the window: which stages are offered, what is asked, what is said while and after it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import EngineLoading, Exported, Failed
from editview.domain.export import Export, Form
from editview.domain.export_words import rank_at_most
from editview.domain.operations import Lora, Memit, UndoEdit
from editview.domain.plan import Checkpoint
from editview.domain.requests import ExportStage, Request
from editview.domain.sentences import amount
from editview.ui.hub import Hub
from editview.ui.plan import export_dialog
from editview.ui.plan.export_dialog import ExportDialog
from editview.ui.window.main_window import MainWindow
from tests import sample

INFO = CheckpointInfo(
    Checkpoint(), "demo", "GPT-2", 1_000_000, 2_000_000, "float16", 4, (), "CPU", True, None, computes_in="float32"
)


class Desk:
    """A hub with a finished run, that remembers what was sent and stopped."""

    def __init__(self, ran: bool = True) -> None:
        self.sent: list[Request] = []
        self.stopped: list[int] = []
        self.hub = Hub(sample.plan(), self._send, stop=self.stopped.append)
        self.hub.sheet, self.hub.checkpoint = sample.sheet(), INFO
        if ran:
            self.hub.take(sample.events(sample.plan(), sample.sheet()))
        self.sent.clear()

    def _send(self, request: Request) -> int:
        self.sent.append(request)
        return len(self.sent)

    def opened(self, qtbot: QtBot, operation: str | None = None) -> ExportDialog:
        dialog = ExportDialog(self.hub, operation)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    def asked(self) -> ExportStage:
        [asked] = [request for request in self.sent if isinstance(request, ExportStage)]
        return asked


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture(autouse=True)
def home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(export_dialog.Path, "home", lambda: tmp_path)
    return None


def test_the_stage_that_is_shown_is_asked_for(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = desk.opened(qtbot, "edit")
    assert [dialog.stage.itemText(i) for i in range(3)] == [
        "Checkpoint", "After step 1: Edit 10 facts", "After step 2: Fine-tune on support tickets",
    ]  # fmt: skip
    assert dialog.stage.currentIndex() == 1
    assert dialog.folder.text() == str(tmp_path / "sample-after-step-1-edit-10-facts")
    assert "about 2.0 MB, and" in dialog.room.accessibleName()
    assert not dialog.replace.isVisible()
    assert not dialog.open_folder.isVisible()
    dialog.again.click()
    asked = desk.asked()
    assert (asked.plan, asked.sheet, asked.stage) == (sample.plan(), sample.sheet(), 1)
    assert (asked.folder, asked.form, asked.overwrite) == (dialog.folder.text(), Form.STORED, False)


def test_without_a_choice_it_is_the_last_one(desk: Desk, qtbot: QtBot) -> None:
    dialog = desk.opened(qtbot)
    assert dialog.stage.currentText() == "After step 2: Fine-tune on support tickets"
    dialog.stage.setCurrentIndex(0)
    assert dialog.folder.text().endswith("sample-checkpoint")
    dialog.folder.setText("/somewhere/else")
    dialog.folder.setModified(True)
    dialog.stage.setCurrentIndex(1)
    assert dialog.folder.text() == "/somewhere/else"


@pytest.mark.parametrize("running", [False, True])
def test_what_is_not_computed_cannot_be_chosen(qtbot: QtBot, running: bool) -> None:
    desk = Desk(ran=False)
    if running:
        events = list(sample.events(sample.plan(), sample.sheet()))
        desk.hub.take(events[:4])
    dialog = desk.opened(qtbot)
    assert dialog.note.accessibleName() == export_dialog.NOTHING
    assert not dialog.form.isVisible()
    assert not dialog.again.isVisible()


def test_a_step_that_was_changed_since_says_so(desk: Desk, qtbot: QtBot) -> None:
    plan = desk.hub.plan
    desk.hub.change_plan(plan.replaced(plan.operations[0].model_copy(update={"steps": 7})))
    dialog = desk.opened(qtbot, "edit")
    assert "isn't computed as it stands now" in dialog.note.accessibleName()


def test_it_says_how_far_it_is_and_what_was_found(
    desk: Desk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = desk.opened(qtbot, "edit")
    dialog.again.click()
    assert not dialog.form.isEnabled()
    desk.hub.take([EngineLoading("Writing the weights: 40 %", 0.4, 12.0)])
    assert "Writing the weights: 40 %, about 10 s left" in dialog.note.accessibleName()
    assert dialog.bar.value() == 400
    found = Export(str(tmp_path), Form.STORED, "Edit 10 facts", 2_100_000, 40, "float16", 7, 1e-3)
    desk.hub.take([Exported(desk.asked(), found)])
    assert dialog.headline.accessibleName() == f"Edit 10 facts was written: {amount(2_100_000)}."
    assert "all 40 facts have the verdicts they had. By rounding, 7 weights differ" in dialog.note.accessibleName()
    assert str(tmp_path) in dialog.note.accessibleName()
    assert not dialog.bar.isVisible()
    assert not dialog.again.isVisible()
    shown: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", shown.append)
    dialog.open_folder.click()
    assert [url.toLocalFile() for url in shown] == [str(tmp_path)]


def test_stop_and_closing_stop_it(desk: Desk, qtbot: QtBot) -> None:
    dialog = desk.opened(qtbot)
    dialog.again.click()
    dialog.stop.click()
    assert desk.stopped == [1]
    assert dialog.note.accessibleName() == "Stopped: nothing was written."
    assert dialog.form.isEnabled()
    dialog.again.click()
    dialog.reject()
    assert desk.stopped == [1, 2]


def test_what_went_wrong_is_said_here_and_can_be_tried_again(desk: Desk, qtbot: QtBot) -> None:
    dialog = desk.opened(qtbot)
    dialog.again.click()
    desk.hub.take([Failed(1, "2 of 40 facts have other verdicts.")])
    assert dialog.note.accessibleName() == "2 of 40 facts have other verdicts."
    assert dialog.form.isEnabled()
    assert dialog.again.isVisible()


def test_forms_say_what_they_are(desk: Desk, qtbot: QtBot) -> None:
    dialog = desk.opened(qtbot, "edit")
    assert "rounded to that from float32" in dialog.about.accessibleName()
    dialog.kind.setCurrentIndex(dialog.kind.findData(Form.COMPUTED))
    assert "about 4.0 MB" in dialog.room.accessibleName()
    dialog.kind.setCurrentIndex(dialog.kind.findData(Form.ADAPTER))
    # two matrices of 64 x 64, one rank for each of ten facts, four bytes a number
    assert f"at most {amount(2 * 128 * 10 * 4)}" in dialog.room.accessibleName()
    assert dialog.again.isEnabled()
    dialog.stage.setCurrentIndex(2)
    assert "A fine-tune of all weights" in dialog.room.accessibleName()
    assert not dialog.again.isEnabled()
    desk.hub.checkpoint = replace(INFO, dtype="float32")
    assert desk.opened(qtbot).kind.findData(Form.COMPUTED) < 0


def test_an_earlier_export_is_replaced_only_when_allowed(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "editview.json").write_text("{}")
    dialog = desk.opened(qtbot)
    dialog.folder.setText(str(tmp_path / "before"))
    assert "earlier export" in dialog.room.accessibleName()
    assert not dialog.again.isEnabled()
    dialog.replace.click()
    dialog.again.click()
    assert desk.asked().overwrite


def test_a_place_that_will_not_do_is_said(desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = desk.opened(qtbot)
    dialog.folder.setText(" ")
    assert dialog.room.accessibleName() == "Name a folder to write to."
    monkeypatch.setattr(export_dialog, "free", lambda folder: 1_000_000)
    dialog.folder.setText("/somewhere/else")
    assert "takes about 2.0 MB, and 1.0 MB are free" in dialog.room.accessibleName()
    assert not dialog.again.isEnabled()


def test_a_chosen_folder_with_things_in_it_gets_one_inside(
    desk: Desk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"meow")
    (tmp_path / "empty").mkdir()
    dialog = desk.opened(qtbot)
    for name, place in (("photos", f"photos/{dialog.folder.text().rpartition('/')[2]}"), ("empty", "empty")):
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, name=name: str(tmp_path / name))
        dialog.choose.click()
        assert dialog.folder.text() == str(tmp_path / place)


@pytest.mark.parametrize(("action", "stage"), [("export", 2), ("export-step", 1)])
def test_menu_and_card_lead_there(desk: Desk, qtbot: QtBot, action: str, stage: int) -> None:
    window = MainWindow(desk.hub)
    qtbot.addWidget(window)
    window.show()
    window.plan.view.select(1)
    assert window.actions_table.by_id["export-step"] in window.plan.view.actions()
    seen: list[int] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, ExportDialog)
        seen.append(dialog.stage.currentIndex())
        dialog.reject()

    QTimer.singleShot(0, look)
    window.actions_table.by_id[action].trigger()
    assert seen == [stage]


def test_a_card_that_is_switched_off_has_no_stage(desk: Desk, qtbot: QtBot) -> None:
    window = MainWindow(desk.hub)
    qtbot.addWidget(window)
    window.plan.view.select(1)
    assert window.actions_table.by_id["export-step"].isEnabled()
    window.plan.switch()
    assert not window.actions_table.by_id["export-step"].isEnabled()


def test_ranks_of_steps() -> None:
    steps = (Memit(id="a", only=("e1", "e2")), Lora(rank=8), Memit(id="b"), UndoEdit(edit="a"))
    assert rank_at_most(steps, 40) == [2, 8, 40, 2]
