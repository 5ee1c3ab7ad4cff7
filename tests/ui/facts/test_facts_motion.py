"""Chips pass from their old colours to their new ones, and only where something changed."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QAbstractAnimation
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from editview.ui.facts.grid import Chip
from editview.ui.facts.motion import Turning
from editview.ui.look.theme import Theme

COLOURS = {chip: QColor(0, 40 * chip, 0) for chip in Chip}
BEFORE = np.array([[Chip.NOT_ASKED], [Chip.HOLDS], [Chip.NOT_ASKED]])
AFTER = np.array([[Chip.FAILS], [Chip.HOLDS], [Chip.FAILS]])


@pytest.fixture
def turning(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Turning:
    monkeypatch.setattr(Theme, "motion", lambda self: 120)
    view = QWidget()
    qtbot.addWidget(view)
    return Turning(view)


def test_it_passes_through_what_lies_between_and_ends_at_the_new_colour(turning: Turning, qtbot: QtBot) -> None:
    seen = []
    turning.valueChanged.connect(lambda _: seen.append(turning.colour(COLOURS, 0, 0, Chip.FAILS).green()))
    with qtbot.waitSignal(turning.finished):
        turning.turn(BEFORE, AFTER, [0, 1])
        assert turning.colour(COLOURS, 0, 0, Chip.FAILS) == COLOURS[Chip.NOT_ASKED]
        assert turning.colour(COLOURS, 2, 0, Chip.FAILS) == COLOURS[Chip.FAILS]  # out of sight
    assert seen == sorted(seen)
    assert turning.colour(COLOURS, 0, 0, Chip.FAILS) == COLOURS[Chip.FAILS]


def test_nothing_moves_where_nothing_changed_or_no_motion_is_wanted(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    turning.turn(BEFORE, AFTER, [1])
    assert turning.state() is QAbstractAnimation.State.Stopped
    monkeypatch.setattr(Theme, "motion", lambda self: 0)
    turning.turn(BEFORE, AFTER, [0])
    assert turning.state() is QAbstractAnimation.State.Stopped
