"""What a picture shows can be pointed at by mouse and by keys, and both say the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout
from pytestqt.qtbot import QtBot

from editview.ui.look.pictures import write
from editview.ui.look.pointing import PointedPicture
from editview.ui.look.word_help import word_help
from tests.ui.pointer import rest_on


@pytest.fixture(autouse=True)
def no_bubble_stays() -> Iterator[None]:
    yield
    word_help().hide()


class Squares(PointedPicture[int]):
    """Five squares in a row under a title; the odd ones can be chosen."""

    def __init__(self, count: int = 5) -> None:
        super().__init__("Squares", lambda sentence: None)
        self.count, self.chosen = count, list[int]()

    def spot_at(self, where: QPointF) -> int | None:
        at = int(where.x() // 20)
        return at if where.y() > 40 and at < self.count else None

    def first_spot(self) -> int | None:
        return 0 if self.count else None

    def next_spot(self, at: int, across: int, down: int) -> int:
        return min(max(at + across, 0), self.count - 1)

    def spot_words(self, at: int) -> str:
        return f"Square {at}."

    def spot_place(self, at: int) -> QPointF:
        return QPointF(20 * at, 60)

    def can_choose(self, at: int) -> bool:
        return at % 2 == 1

    def choose_spot(self, at: int) -> None:
        self.chosen.append(at)

    def paint(self, painter: QPainter) -> None:
        write(painter, QRectF(0, 0, 200, 16), "A checkpoint has layers", "black", Qt.AlignmentFlag.AlignRight)


@pytest.fixture
def picture(qtbot: QtBot) -> Squares:
    made = Squares()
    qtbot.addWidget(made)
    made.resize(200, 80)
    made.show()
    return made


def test_mouse_and_keys_tell_the_same(picture: Squares) -> None:
    QTest.mouseMove(picture, QPoint(25, 50))
    told = picture.accessibleDescription()
    picture.at = None
    for _ in range(2):  # the first key only begins
        QTest.keyClick(picture, Qt.Key.Key_Right)
    assert picture.accessibleDescription() == told == "Square 1."
    QTest.keyClick(picture, Qt.Key.Key_End)
    assert picture.accessibleDescription() == "Square 4."
    QTest.keyClick(picture, Qt.Key.Key_Home)
    assert picture.accessibleDescription() == "Square 0."
    QTest.mouseMove(picture, QPoint(25, 20))
    assert picture.accessibleDescription() == ""
    assert picture.at is None


def test_a_click_and_enter_choose_what_can_be_chosen(picture: Squares) -> None:
    for x in (25, 45):
        QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=QPoint(x, 50))
    assert picture.chosen == [1]
    assert picture.at == 1
    QTest.keyClick(picture, Qt.Key.Key_Return)
    assert picture.chosen == [1, 1]
    QTest.mouseMove(picture, QPoint(30, 50))
    assert picture.cursor().shape() is Qt.CursorShape.PointingHandCursor


def test_a_key_that_leads_nowhere_goes_to_the_dialog(qtbot: QtBot) -> None:
    dialog, picture = QDialog(), Squares(count=1)
    button = QPushButton("Use", dialog)
    button.setDefault(True)
    pressed: list[str] = []
    button.clicked.connect(lambda: pressed.append("Use"))
    layout = QVBoxLayout(dialog)
    layout.addWidget(picture)
    layout.addWidget(button)
    qtbot.addWidget(dialog)
    dialog.show()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
        QTest.keyClick(picture, key)
    assert picture.at == 0
    assert pressed == ["Use"]


def test_where_there_is_nothing_keys_point_at_nothing(qtbot: QtBot) -> None:
    picture = Squares(count=0)
    qtbot.addWidget(picture)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_Space):
        QTest.keyClick(picture, key)
    assert picture.at is None


def test_a_painted_word_is_explained_where_it_stands(picture: Squares) -> None:
    assert rest_on(picture, QPoint(196, 8)) == "layer"
    assert rest_on(picture, QPoint(196, 50)) == ""
    assert rest_on(picture, QPoint(4, 8)) == ""  # right-aligned: nothing is written here


def test_f1_reads_on_about_the_painted_word_in_any_window(picture: Squares, qtbot: QtBot) -> None:
    rest_on(picture, QPoint(196, 8))
    with qtbot.waitSignal(word_help().wanted) as wanted:
        QTest.keyClick(picture, Qt.Key.Key_F1)
    assert wanted.args == ["layer"]


def test_what_the_picture_told_stands_above_what_the_word_means(picture: Squares) -> None:
    QTest.keyClick(picture, Qt.Key.Key_Right)
    rest_on(picture, QPoint(196, 8))
    bubble = word_help().bubble
    assert bubble is not None
    assert bubble.words.text().startswith("<p>Square 0.</p>")
