"""Why were facts lost: what is asked, what is shown, what the pictures and keys tell."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editview.domain.events import InterferenceMeasured
from editview.domain.interference import Interference, LayerInterference, Measure, Moved, Reach
from editview.domain.operations import FullFineTune, Memit
from editview.domain.plan import Plan
from editview.domain.requests import MeasureInterference, Request
from editview.ui.hub import Hub
from editview.ui.look.theme import Mode, theme
from editview.ui.plan.interference_dialog import InterferenceDialog
from editview.ui.plan.panel import PlanPanel
from editview.ui.survival.panel import SurvivalPanel
from tests import sample

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)  # tooltips without a display


def found(layers: int = 6) -> Interference:
    kept, lost = tuple(0.01 * i for i in range(1, 13)), tuple(0.012 * i for i in range(2, 14))
    moved = Moved(kept, lost, kept)
    rows = tuple(
        LayerInterference(
            layer,
            layer < 2,
            None if layer == 4 else Reach(3.0, 2.5, (0.9, 1.1)),
            0.3 if layer < 2 else None,
            (moved, moved, Moved(kept, lost) if layer < 2 else None),
        )
        for layer in range(layers)
    )
    return Interference(rows, 12, 12, 12, 24)


class Desk:
    """A hub with a run of a plan, that remembers what was sent and stopped."""

    def __init__(self, plan: Plan | None = None, run: bool = True) -> None:
        self.sent: list[Request] = []
        self.stopped: list[int] = []
        self.hub = Hub(plan or sample.plan(), self._send, stop=self.stopped.append)
        if run:
            self.hub.take(list(sample.events(self.hub.plan, sample.sheet())))
        self.sent.clear()

    def _send(self, request: Request) -> int:
        self.sent.append(request)
        return len(self.sent)

    @property
    def asked(self) -> MeasureInterference:
        last = self.sent[-1]
        assert isinstance(last, MeasureInterference)
        return last

    def answer(self, result: Interference | None = None) -> None:
        self.hub.take([InterferenceMeasured(self.asked, result or found())])


def opened(desk: Desk, qtbot: QtBot, stage: int | None = None) -> InterferenceDialog:
    dialog = InterferenceDialog(desk.hub, stage)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_it_asks_at_once_about_the_runs_fine_tune_and_leads_with_what_was_found(qtbot: QtBot) -> None:
    desk = Desk()
    dialog = opened(desk, qtbot)
    assert (desk.asked.before, desk.asked.after) == ("run-1-1", "run-1-2")
    assert dialog.bar.isVisible()
    assert not dialog.details.isVisible()
    desk.answer()
    assert dialog.headline.accessibleName().startswith("Lost facts moved further than kept ones in")
    assert "3 times what random directions would get" in dialog.note.accessibleName()
    assert "about one in twenty would by chance" in dialog.basis.accessibleName()
    assert not dialog.stage.isVisible()  # there is no other fine-tune


def test_without_a_run_it_says_what_to_do(qtbot: QtBot) -> None:
    desk = Desk(run=False)
    dialog = opened(desk, qtbot)
    assert desk.sent == []
    assert "Press Run" in dialog.note.accessibleName()
    assert dialog.picture.isVisible()
    assert not dialog.again.isVisible()
    assert not dialog.measure.isVisible()


def test_of_several_fine_tunes_one_is_chosen(qtbot: QtBot) -> None:
    plan = Plan(operations=(Memit(id="e", layers=(0,)), FullFineTune(id="a", steps=60), FullFineTune(id="b", steps=60)))
    desk = Desk(plan)
    dialog = opened(desk, qtbot, 2)
    assert dialog.stage.isVisible()
    assert desk.asked.after == "run-1-2"
    dialog.stage.setCurrentIndex(1)
    assert desk.stopped == [1]  # what was asked before is no longer wanted
    assert desk.asked.after == "run-1-3"
    desk.answer()
    assert dialog.details.isVisible()


def test_the_picture_tells_each_strip_and_layer_by_mouse_and_keys(qtbot: QtBot) -> None:
    desk = Desk()
    dialog = opened(desk, qtbot)
    desk.answer()
    picture = dialog.picture
    told = []
    for strip in picture._frame().strips:
        qtbot.mouseMove(picture, QPoint(round(picture._frame().x(4)), round(strip.center().y())))
        told.append(picture.accessibleDescription())
    assert all(sentence.startswith("Layer 5 (index 4)") for sentence in told)
    assert "left its memory as it was" in told[0]
    assert "(median): kept" in told[1]
    assert "% of pairs" in told[2]
    picture.show_interference(found(), Measure.SUBJECT)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Left):
        qtbot.keyClick(picture, key)
    assert picture.accessibleDescription().startswith("Layer 1 (index 0)")
    assert "(median)" in picture.accessibleDescription()


def test_other_measures_and_the_figures_are_one_click_away(qtbot: QtBot) -> None:
    desk = Desk()
    dialog = opened(desk, qtbot)
    desk.answer()
    before = dialog.picture.image()
    dialog.measure.setCurrentIndex(2)
    assert dialog.picture.image() != before
    dialog.details.click()
    assert dialog.table.isVisible()
    assert not dialog.picture.isVisible()
    assert dialog.table.rowCount() == 6
    cell = dialog.table.item(0, 1)
    assert cell is not None
    assert cell.text() == "30.0 %"
    dialog.details.click()
    assert dialog.picture.isVisible()


@pytest.mark.parametrize("layers", [2, 80])
def test_it_is_drawn_light_and_dark_and_for_deep_models(qtbot: QtBot, layers: int) -> None:
    desk = Desk()
    dialog = opened(desk, qtbot)
    desk.answer(found(layers))
    try:
        looks = []
        for mode in (Mode.LIGHT, Mode.DARK):
            theme().set_mode(mode)
            looks.append(dialog.picture.image())
        assert looks[0] != looks[1]
    finally:
        theme().set_mode(Mode.SYSTEM)


def test_the_plan_opens_it_for_the_chosen_card(qtbot: QtBot) -> None:
    desk = Desk()
    panel = PlanPanel(desk.hub)
    qtbot.addWidget(panel)
    seen = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, InterferenceDialog)
        seen.append(desk.asked.after)
        dialog.reject()

    QTimer.singleShot(0, look)
    panel.explain_losses()
    assert seen == ["run-1-2"]
    assert desk.stopped == [1]


def test_the_survival_panel_offers_it_when_a_run_has_ended(qtbot: QtBot) -> None:
    desk = Desk(run=False)
    panel = SurvivalPanel(desk.hub)
    qtbot.addWidget(panel)
    panel.show()
    assert not panel.why.isVisible()
    desk.hub.take(list(sample.events(desk.hub.plan, sample.sheet())))
    qtbot.waitUntil(panel.why.isVisible)
    with qtbot.waitSignal(panel.asked_why):
        panel.why.click()


def test_figures_are_copied_as_they_are(qtbot: QtBot) -> None:
    desk = Desk()
    dialog = opened(desk, qtbot)
    desk.answer()
    next(action for action in dialog.table.actions() if action.text() == "Copy rows").trigger()
    head, *rows = (line.split("\t") for line in QGuiApplication.clipboard().text().splitlines())
    assert len(rows) == 6
    one = next(layer for layer in found().layers if layer.reach is not None and layer.of_edit is not None)
    assert one.reach is not None
    told = dict(zip(head, rows[one.layer], strict=True))
    assert told["layer"] == str(one.layer + 1)
    assert float(told["change over that of the edits"]) == one.of_edit
    assert float(told["change over chance"]) == one.reach.edited
    assert told["edited"] == "yes"
