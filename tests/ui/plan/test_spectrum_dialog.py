"""The spectrum with its threshold: what is said while the line moves, and what is given back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from editview.domain.events import KeySpectra
from editview.domain.requests import KeySpectrum, Request
from editview.domain.spectrum import Spectrum
from editview.ui.hub import Hub
from editview.ui.plan.spectrum_dialog import SpectrumDialog
from tests import sample

VALUES = tuple(10.0 ** (-6 + 8 * i / 1023) for i in range(1024))  # from 1e-6 to 100, evenly on a log scale


@pytest.fixture
def sent() -> list[Request]:
    return []


@pytest.fixture
def dialog(sent: list[Request], qtbot: QtBot) -> SpectrumDialog:
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    made = SpectrumDialog(hub, (2, 3), "packaged", 5000, 0.02)
    qtbot.addWidget(made)
    made.show()
    return made


def answer(dialog: SpectrumDialog, sent: list[Request]) -> None:
    [asked] = sent
    assert isinstance(asked, KeySpectrum)
    higher = tuple(10 * value for value in VALUES)
    dialog.hub.take([KeySpectra(asked, (Spectrum(2, VALUES), Spectrum(3, higher)))])


def test_it_asks_about_the_cards_layers_and_says_what_the_threshold_keeps(
    dialog: SpectrumDialog, sent: list[Request]
) -> None:
    assert sent == [KeySpectrum(dialog.hub.plan.checkpoint, (2, 3), "packaged", 5000)]
    assert dialog.bar.isVisible()
    assert not dialog.use.isVisible()
    answer(dialog, sent)
    assert dialog.headline.accessibleName() == (
        "The null space keeps 423 to 550 of 1,024 directions at layers 3 and 4."
    )
    assert not dialog.bar.isVisible()
    assert not dialog.warning.isVisible()
    dialog.use.click()
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.threshold == 0.02


def test_the_line_is_moved_by_keys(dialog: SpectrumDialog, sent: list[Request], qtbot: QtBot) -> None:
    qtbot.keyClick(dialog.picture, Qt.Key.Key_Up)
    assert dialog.threshold == 0.02  # nothing to move yet
    answer(dialog, sent)
    qtbot.keyClick(dialog.picture, Qt.Key.Key_Up)
    assert dialog.threshold == 0.022
    before = dialog.headline.accessibleName()
    qtbot.keyClick(dialog.picture, Qt.Key.Key_PageDown)
    assert dialog.threshold == 0.007
    assert dialog.headline.accessibleName() != before
    for _ in range(20):
        qtbot.keyClick(dialog.picture, Qt.Key.Key_PageDown)
    assert dialog.warning.accessibleName().startswith("✗ It is empty at layer")
    for _ in range(40):
        qtbot.keyClick(dialog.picture, Qt.Key.Key_PageUp)
    assert dialog.warning.accessibleName().startswith("✗ It is full at layer")
    assert dialog.warning.isVisible()


def test_the_line_is_dragged(dialog: SpectrumDialog, sent: list[Request], qtbot: QtBot) -> None:
    answer(dialog, sent)
    picture = dialog.picture
    start = QPoint(picture.width() // 2, round(picture._y(picture.threshold)))
    away = QPoint(start.x(), start.y() - 40)
    qtbot.mousePress(picture, Qt.MouseButton.LeftButton, pos=away)
    qtbot.mouseMove(picture, away - QPoint(0, 20))
    assert dialog.threshold == 0.02  # not taken by its line
    qtbot.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=away)
    qtbot.mousePress(picture, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(picture, start + QPoint(0, 30))
    qtbot.mouseMove(picture, away)
    assert dialog.threshold > 0.1
    assert round(picture._y(dialog.threshold)) == pytest.approx(away.y(), abs=2)
    qtbot.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=away)


def test_without_layers_it_says_what_to_do(qtbot: QtBot) -> None:
    sent: list[Request] = []
    dialog = SpectrumDialog(Hub(sample.plan(), lambda request: sent.append(request)), (), "packaged", 0, 0.02)
    qtbot.addWidget(dialog)
    dialog.show()
    assert sent == []
    assert "names no layers" in dialog.note.accessibleName()
    assert not dialog.use.isVisible()
    assert not dialog.again.isVisible()
