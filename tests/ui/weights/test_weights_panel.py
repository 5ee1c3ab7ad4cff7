"""The weights panel: sentence, picture, and the tensors behind a place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import CheckpointDescribed
from editview.domain.run_events import StageFinished
from editview.domain.weight_map import Place
from editview.domain.weights import MatrixKind, TensorChange
from editview.ui.hub import Hub
from editview.ui.look import layer_axis
from editview.ui.look.theme import theme
from editview.ui.weights import picture
from editview.ui.weights.panel import WeightsPanel
from tests import sample

pytestmark = pytest.mark.qt_log_ignore("does not support raise", extend=True)  # tooltips without a display

SHEET = sample.sheet()
EVENTS = list(sample.events(sample.plan(), SHEET))


def shown(qtbot: QtBot) -> tuple[Hub, WeightsPanel]:
    hub = Hub(sample.plan(), lambda request: None)
    panel = WeightsPanel(hub)
    qtbot.addWidget(panel)
    panel.resize(400, 700)
    panel.show()
    qtbot.waitExposed(panel)
    return hub, panel


def finished(qtbot: QtBot) -> tuple[Hub, WeightsPanel]:
    hub, panel = shown(qtbot)
    hub.take(EVENTS)
    qtbot.waitUntil(lambda: "changed all 4 layers" in panel.headline.accessibleName())
    return hub, panel


def test_the_empty_panel_says_what_to_do(qtbot: QtBot) -> None:
    _, panel = shown(qtbot)
    assert "Press Run" in panel.headline.accessibleName()
    assert not panel.tensors.isVisible()


def test_a_step_that_goes_on_is_announced_not_drawn_as_unchanged(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    hub.take(EVENTS[: 1 + next(i for i, e in enumerate(EVENTS) if isinstance(e, StageFinished) and e.stage == 1)])
    qtbot.waitUntil(lambda: "changed 2 of 4 layers" in panel.headline.accessibleName())
    assert panel.note.accessibleName() == "Fine-tune on support tickets is shown when it has finished."


def test_where_no_step_changed_a_weight_it_says_what_to_do(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    hub.take([replace(event, changes=()) if isinstance(event, StageFinished) else event for event in EVENTS])
    qtbot.waitUntil(lambda: "changed nothing" in panel.headline.accessibleName())
    assert panel.chosen.accessibleName().startswith("There is nothing to see: no weight was changed.")
    assert not panel.picture.isVisible()


def test_choosing_a_place_names_its_tensors_to_be_copied(qtbot: QtBot) -> None:
    _, panel = finished(qtbot)
    with qtbot.waitSignal(panel.picture.chosen) as click:
        QTest.keyClick(panel.picture, Qt.Key.Key_Down)
        QTest.keyClick(panel.picture, Qt.Key.Key_Return)
    assert click.args == [Place(1, 0, None)]
    assert [panel.tensors.item(row).text().split("\n")[0] for row in range(panel.tensors.count())] == ["h.0.mlp_out"]
    assert panel.tensors.isVisible()
    next(action for action in panel.tensors.actions() if action.text() == "Copy rows").trigger()
    header, row = QGuiApplication.clipboard().text().splitlines()
    change = next(c for e in EVENTS if isinstance(e, StageFinished) and e.stage == 1 for c in e.changes)
    assert header.split("\t")[0] == "tensor"
    assert row.split("\t") == ["h.0.mlp_out", "64x64", "10.0", repr(change.norm_change), repr(change.relative)]


def test_a_click_on_a_bar_chooses_the_whole_layer_of_that_step(qtbot: QtBot) -> None:
    _, panel = finished(qtbot)
    frame = panel.picture._frame()
    x = frame.column_left(2) + frame.column * 0.75
    with qtbot.waitSignal(panel.picture.chosen) as click:
        QTest.mouseClick(panel.picture, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(frame.bars.bottom() - 4)))
    assert click.args == [Place(2, 2, None)]
    assert panel.tensors.count() == 4


def test_arrow_keys_reach_every_cell_and_say_it_in_words(qtbot: QtBot) -> None:
    _, panel = finished(qtbot)
    said = set()
    for _ in range(20):
        QTest.keyClick(panel.picture, Qt.Key.Key_Down)
        said.add(panel.picture.accessibleDescription())
    kinds = 1 + len(MatrixKind.__members__) - 3  # the whole, and all kinds but norms, head and other
    assert len(said) == kinds * 2 - 1  # two steps each; both say the same where there is no such matrix
    assert any(words.endswith("(layer index 0)") and "how layer 1 writes its memory" in words for words in said)


@pytest.mark.parametrize("scale", [1.0, 1.15, 2.0])
def test_no_word_is_cut_off_at_the_smallest_width(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, scale: float) -> None:
    """With six layers, something outside them, and changes from a thousandth to ten times what was there."""
    kinds = (MatrixKind.ATTENTION_IN, MatrixKind.MLP_OUT)
    tensors = [TensorChange(f"{i}.{kind}", i, kind, (8, 8), 1.0, 9.1) for i in range(6) for kind in kinds]
    changed = (*tensors, TensorChange("wte", None, MatrixKind.EMBEDDING, (8, 8), 1.0, 0.0012))
    written: list[str] = []
    cut: list[str] = []

    def write(painter: QPainter, box: QRectF, words: str, *_: object) -> None:
        written.append(words)
        if QFontMetricsF(painter.font()).horizontalAdvance(words) > box.width() + 0.5:
            cut.append(words)

    for module in (picture, layer_axis):
        monkeypatch.setattr(module, "write", write)
    theme().set_scale(scale)
    try:
        hub, panel = shown(qtbot)
        hub.take([replace(e, changes=changed) if isinstance(e, StageFinished) and e.stage else e for e in EVENTS])
        panel.draw()
        panel.picture.setFixedSize(panel.picture.minimumSizeHint())
        panel.picture.grab()
    finally:
        theme().set_scale(1.0)
    assert not cut
    assert {"1,000 %", "0.1 %", "1", "2", "3", "4", "5", "6", "rest"} <= set(written)
    assert "darker is more: 0.12 to 910 %, log scale" in written


def test_before_a_run_no_axis_stands_over_nothing(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    empty = panel.picture.sizeHint().height()
    hub.take(EVENTS)
    panel.draw()
    assert panel.picture.sizeHint().height() > empty + theme().px(104)


def test_before_a_run_the_plan_is_drawn_empty_on_the_checkpoint(qtbot: QtBot) -> None:
    hub, panel = shown(qtbot)
    info = CheckpointInfo(hub.plan.checkpoint, "demo", "GPT-2", 1, 4, "float32", 4, sample.tensors(), "CPU", True, None)
    hub.take([CheckpointDescribed(info)])
    qtbot.waitUntil(lambda: panel.picture._map is not None)
    assert "Press Run" in panel.headline.accessibleName()
    QTest.keyClick(panel.picture, Qt.Key.Key_Down)
    said = panel.picture.accessibleDescription()
    assert said == "What Edit the facts does to layer 1 as a whole isn't known yet. (layer index 0)"


def test_a_picture_uses_the_height_it_is_given(qtbot: QtBot) -> None:
    _, panel = finished(qtbot)
    picture = panel.picture
    picture.resize(400, picture.sizeHint().height())
    least = picture._frame()
    picture.resize(400, picture.sizeHint().height() + 300)
    grown = picture._frame()
    assert (grown.left, grown.column) == (least.left, least.column)
    assert grown.bars.height() > least.bars.height()
    assert grown.row > least.row
    kinds = picture._bands()
    assert round(grown.band_top(kinds) - least.band_top(kinds)) == 300
