"""Words in pictures don't touch, and pictures can be taken out of the window."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from editview.ui.look.pictures import Picture, legible, spread

PLACES = st.lists(st.floats(-50, 150), max_size=6)


class Cross(Picture):
    def paint(self, painter: QPainter) -> None:
        painter.drawLine(0, 0, self.width(), self.height())


@given(PLACES)
def test_spread_words_keep_their_distance_and_their_order(places: list[float]) -> None:
    moved = spread(places, 12, 0, 100)
    assert len(moved) == len(places)
    ordered = sorted(moved)
    assert all(later - earlier >= 12 - 1e-9 for earlier, later in pairwise(ordered))
    assert max(moved, default=0) <= 100
    for one, other in ((i, j) for i in range(len(places)) for j in range(len(places)) if places[i] < places[j]):
        assert moved[one] < moved[other]


def test_words_that_have_room_stay() -> None:
    assert spread([10, 50], 12, 0, 100) == [10, 50]


def test_ticks_that_would_touch_are_left_out_but_never_the_ends() -> None:
    ticks = [(0.0, "before"), (20.0, "edited"), (60.0, "20"), (95.0, "40"), (100.0, "60")]
    kept = legible(ticks, lambda words: 8.0 * len(words), 4)
    assert [words for _, words in kept] == ["before", "20", "60"]
    assert legible([], len, 1) == []


def test_a_picture_is_saved_at_twice_its_size_and_as_a_drawing(qtbot: QtBot, tmp_path: Path) -> None:
    picture = Cross("Cross", lambda sentence: None)
    qtbot.addWidget(picture)
    picture.resize(100, 60)
    assert picture.drawing().write(tmp_path / "cross.png")
    assert picture.drawing().write(tmp_path / "cross.svg")
    image = QImage(str(tmp_path / "cross.png"))
    assert (image.width() - 200, image.height() - 120) == (64, 64)  # a margin of 16 on each side
    assert QSvgRenderer(QByteArray((tmp_path / "cross.svg").read_bytes())).isValid()
    picture.menu().actions()[0].trigger()
    assert QGuiApplication.clipboard().image().size() == image.size()
    copied = QGuiApplication.clipboard().mimeData().data("image/svg+xml")
    assert copied.data() == (tmp_path / "cross.svg").read_bytes()


def test_a_folder_that_cannot_be_written_is_told(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    picture = Cross("Cross", told.append)
    qtbot.addWidget(picture)
    target = tmp_path / "missing" / "cross"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), "Drawing (*.svg)"))
    picture.menu().actions()[1].trigger()
    assert told == [f"The picture wasn't saved: {target.parent} can't be written to. Choose another folder."]
    target.parent.mkdir()
    picture.menu().actions()[1].trigger()
    assert len(told) == 1
    assert target.with_suffix(".svg").read_bytes().startswith(b"<?xml")


def test_the_tab_key_shows_where_the_focus_is(qtbot: QtBot) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    field, picture = QLineEdit(), Cross("Cross", lambda sentence: None)
    layout.addWidget(field)
    layout.addWidget(picture)
    picture.setFixedSize(80, 60)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    before = picture.grab().toImage()
    QTest.keyClick(field, Qt.Key.Key_Tab)
    qtbot.waitUntil(picture.hasFocus)
    assert picture.grab().toImage() != before
    picture.clearFocus()
    assert picture.grab().toImage() == before
