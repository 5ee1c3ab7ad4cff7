"""Draws the table's cells straight from the grid: chips told apart by glyph and word, facts subject first."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from editview.domain.answers_of_both import Said, mark
from editview.domain.facts import Group
from editview.domain.look import RECOVERED
from editview.domain.operations import FineTune
from editview.ui.facts.grid import MARKS, Chip, FactsGrid
from editview.ui.facts.model import FactsModel, Kind
from editview.ui.facts.motion import Turning
from editview.ui.facts.words import chip_mark
from editview.ui.look.theme import BODY, SMALL, state_of, theme

_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_SHORT = {Chip.NOT_EDITED: "not yet", Chip.NOT_ASKED: ""}
_CHIPS = (Chip.HOLDS, Chip.WEAK, Chip.FAILS, Chip.NOT_EDITED)  # in any column


class FactsDelegate(QStyledItemDelegate):
    def __init__(self, turning: Turning, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._turning = turning
        theme().follow(self._dress)

    def _dress(self) -> None:
        look, roles = theme(), theme().roles
        self._text, self._muted, self._line = QColor(roles.text), QColor(roles.muted), QColor(roles.line)
        self._selected, self._focus = QColor(roles.accent_tint), QPen(QColor(roles.accent), 1)
        self._bad = QColor(roles.fails.ink)
        self._body, self._small = look.font(BODY), look.font(SMALL)
        self._body_measure, self._small_measure = QFontMetrics(self._body), QFontMetrics(self._small)
        self._gap, self._pad, self._round = look.px(8), look.px(4), look.px(6)
        self._inks = {chip: QColor(state_of(mark).ink) for chip, mark in MARKS.items()}
        self._tints = {chip: QColor(state_of(mark).tint) for chip, mark in MARKS.items()}

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(theme().px(88), row_height())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        model = index.model()
        assert isinstance(model, FactsModel)
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._selected)
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, self._line)
        column, at = model.columns[index.column()], model.row_at(index.row())
        inner = rect.adjusted(self._gap, 0, 0, 0)  # the next column begins with a gap of its own
        if column.kind is Kind.STAGE:
            self._paint_chip(painter, rect.adjusted(self._pad, 0, -self._pad, 0), model, at, column.stage)
        elif column.kind is Kind.FACT:
            self._paint_fact(painter, inner, model, at)
        else:
            text = model.text(index.row(), index.column())
            self._write(painter, inner, text, self._body, self._body_measure, self._ink(model, at, column.kind))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(self._focus)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0, 0, -1, -2))

    def _ink(self, model: FactsModel, at: int, kind: Kind) -> QColor:
        if kind is Kind.SAYS:
            return self._muted if model.grid.stale_now[at] else self._text
        if kind is Kind.BECAME:
            return self._bad if model.grid.bad_now[at] else self._text
        return self._text if kind is Kind.WANTED else self._muted

    def _write(
        self, painter: QPainter, rect: QRect, text: str, font: QFont, measure: QFontMetrics, colour: QColor
    ) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(rect, _LEFT, measure.elidedText(text, Qt.TextElideMode.ElideRight, rect.width()))

    def _paint_fact(self, painter: QPainter, rect: QRect, model: FactsModel, at: int) -> None:
        """The subject, which tells facts apart, then the question about it."""
        fact = model.grid.sheet.facts[at]
        self._write(painter, rect, fact.subject, self._body, self._body_measure, self._text)
        rest = QRect(rect)
        if fact.subject:
            rest.setLeft(rect.left() + self._body_measure.horizontalAdvance(fact.subject) + self._gap)
        if not fact.subject or rest.width() > 12 * self._gap:
            question = fact.template.replace("{}", "…")
            self._write(painter, rest, question, self._small, self._small_measure, self._muted)

    def _paint_chip(self, painter: QPainter, rect: QRect, model: FactsModel, at: int, stage: int) -> None:
        grid = model.grid
        chip = Chip(grid.chips[at, stage])
        seen, measure = chip_mark(grid, at, stage), self._small_measure
        words = [seen.word, _SHORT.get(chip, seen.word)]
        if chip is Chip.FAILS and grid.lost_step[at, stage]:
            words = _lost(int(grid.held_step[at, stage]), int(grid.lost_step[at, stage]))
        elif grid.provisional[at, stage] and chip not in (Chip.NOT_EDITED, Chip.FAILS):
            words = [f"{seen.word} at {grid.live_step[stage]:,}", seen.word]
        room = rect.width() - 2 * self._round
        texts = [f"{seen.glyph} {word}".rstrip() for word in words]
        text = next((text for text in texts if measure.horizontalAdvance(text) <= room), texts[-1])
        height, width = measure.height() + self._pad, measure.horizontalAdvance(text) + 2 * self._round
        box = QRectF(rect.left(), rect.center().y() - height / 2, min(width, rect.width()), height)
        painter.save()
        painter.setFont(self._small)
        if chip is not Chip.NOT_ASKED:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._turning.colour(self._tints, at, stage, chip))
            painter.drawRoundedRect(box, height / 2, height / 2)
        painter.setPen(self._turning.colour(self._inks, at, stage, chip))
        painter.drawText(box.adjusted(self._round, 0, 0, 0), _LEFT, text)
        painter.restore()


def stage_width(grid: FactsGrid, stage: int) -> int:
    """What a stage's column needs for every chip it can hold, and for each word of its title."""
    look, operation = theme(), grid.plan.active[stage - 1] if stage else None
    words = [f"{MARKS[chip].glyph} {_SHORT.get(chip, MARKS[chip].word)}" for chip in _CHIPS]
    if grid.of_two:
        marks = [mark(Group.EDITED, each, Said.NOT_ASKED, after=False) for each in Said]
        words = [f"{each.glyph} {each.word}" for each in marks]
    if stage > 1:
        words.append(f"{RECOVERED.glyph} {RECOVERED.word}")
    if isinstance(operation, FineTune):
        words.append(f"{MARKS[Chip.FAILS].glyph} {_lost(0, operation.steps)[-1]}")
    measure = QFontMetrics(look.font(SMALL))
    chip, word = (max(map(measure.horizontalAdvance, texts)) for texts in (words, grid.titles[stage].split()))
    return max(chip + look.px(20), min(word + look.px(16), look.px(112))) + 1


def _lost(held: int, lost: int) -> list[str]:
    """When a fact was lost, in ever fewer words: last seen holding at one step, first seen lost at another."""
    return (
        [f"lost at {lost:,}"]
        if lost - held == 1
        else [f"lost {held:,}–{lost:,}", f"lost by {lost:,}", f"lost ≤{lost:,}"]
    )


def row_height() -> int:
    return theme().px(32)
