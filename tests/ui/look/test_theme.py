"""The table of roles: readable in both modes, told apart without colour, switched live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editview.domain.look import DARK, LIGHT, NOT_ASKED, RECOVERED, VERDICT_MARKS, Roles, mark_of
from editview.domain.verdicts import Verdict
from editview.ui.look.labels import Sentence, Words, rich
from editview.ui.look.theme import Mode, state_of, theme

GROUNDS = ("background", "raised", "sunken")


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio from relative luminance."""

    def luminance(colour: str) -> float:
        shares = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
        return 0.2126 * shares[0] + 0.7152 * shares[1] + 0.0722 * shares[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(autouse=True)
def usual_look(qapp: QApplication) -> Iterator[None]:
    yield
    theme().set_mode(Mode.SYSTEM)
    theme().set_scale(1.0)


@pytest.mark.parametrize("roles", [LIGHT, DARK], ids=["light", "dark"])
def test_words_are_readable_on_every_ground(roles: Roles) -> None:
    for ground in GROUNDS:
        for role in ("text", "muted", "accent"):
            assert contrast(getattr(roles, role), getattr(roles, ground)) >= 4.5, (role, ground)
        for role in ("holds", "weak", "fails", "neutral"):
            state = getattr(roles, role)
            assert contrast(state.ink, getattr(roles, ground)) >= 4.5, (role, ground)
            assert contrast(state.ink, state.tint) >= 4.5, role
            assert contrast(state.mark, roles.raised) >= 3, role
    assert contrast(roles.on_accent, roles.accent_fill) >= 4.5
    assert contrast(roles.text, roles.accent_tint) >= 4.5


@pytest.mark.parametrize("roles", [LIGHT, DARK], ids=["light", "dark"])
def test_plot_lines_are_seen_and_differ_from_the_states(roles: Roles) -> None:
    states = {roles.holds.mark, roles.weak.mark, roles.fails.mark}
    assert len(set(roles.operations)) == len(roles.operations)
    assert not states & set(roles.operations)
    for colour in roles.operations:
        assert contrast(colour, roles.raised) >= 3


def test_states_are_told_apart_without_colour() -> None:
    marks = [*VERDICT_MARKS.values(), RECOVERED, NOT_ASKED]
    assert set(VERDICT_MARKS) == set(Verdict)
    assert len({mark.glyph for mark in marks}) == len({mark.word for mark in marks}) == len(marks)
    assert mark_of(None) is NOT_ASKED


def test_the_look_is_switched_live(qtbot: QtBot, qapp: QApplication) -> None:
    with qtbot.waitSignal(theme().changed):
        theme().set_mode(Mode.DARK)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.background)
    assert state_of(mark_of(Verdict.HOLDS)) == DARK.holds
    theme().set_mode(Mode.LIGHT)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.background)
    with qtbot.assertNotEmitted(theme().changed):
        theme().set_mode(Mode.LIGHT)


def test_one_setting_scales_type_and_space(qtbot: QtBot) -> None:
    words = Words("Facts")
    qtbot.addWidget(words)
    size, gap = words.font().pixelSize(), theme().px(8)
    theme().set_scale(2.0)
    assert words.font().pixelSize() == 2 * size
    assert theme().px(8) == 2 * gap
    theme().bigger()
    assert theme().scale == 2.0
    theme().smaller()
    assert theme().scale < 2.0


def test_titles_in_a_sentence_are_emphasised_and_nothing_else_is_markup(qtbot: QtBot) -> None:
    assert rich("9 lost during *Fine-tune <x>*; a < b") == "9 lost during <b>Fine-tune &lt;x&gt;</b>; a &lt; b"
    sentence = Sentence("Lost in *Edit*.")
    qtbot.addWidget(sentence)
    assert sentence.accessibleName() == "Lost in Edit."
