"""One fact's wordings and what the model answers to each at every stage, with both probabilities: a small table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from editview.domain.answers_of_both import mark, said
from editview.domain.facts import Fact, Group
from editview.domain.look import NOT_ASKED, NOT_EDITED, VERDICT_MARKS, Mark
from editview.domain.survival import percent
from editview.domain.verdicts import Answer, Verdict
from editview.ui.facts.grid import FactsGrid
from editview.ui.facts.words import headings
from editview.ui.look.lines import in_lines
from editview.ui.look.rows_out import Lines, offer_rows
from editview.ui.look.stage_header import OPERATION, StageHeader
from editview.ui.look.theme import BODY, SMALL, state_of, theme

Index = QModelIndex | QPersistentModelIndex
_ROW, _TALL = 40, 58  # an answer in one line or two, and a small line
_WIDEST = 240  # pixels at scale 1 that a stage takes to have an answer written out
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


class AnswersModel(QAbstractTableModel):
    """A row a wording, the prompt first; the wording, then a column a stage."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fact: Fact | None = None
        self._wordings: tuple[str, ...] = ()
        self._headings: tuple[str, ...] = ()
        self._operations: list[str | None] = []  # by stage
        self._answers: list[tuple[Answer, ...] | None] = []  # by stage
        self._edited_at = 0
        self._of_two = False  # checkpoints

    def show(self, grid: FactsGrid, row: int) -> None:
        self.beginResetModel()
        fact = self._fact = grid.sheet.facts[row]
        self._headings, self._operations = headings(grid), [grid.operation_id(i) for i in range(len(grid.titles))]
        self._of_two = grid.of_two
        self._edited_at = int(grid.edited_at[row]) if fact.group is Group.EDITED else 0
        checks = [stage.checks.get(fact.id) for stage in grid.run.stages] if grid.run else [None] * len(grid.titles)
        self._answers = [check.answers if check else None for check in checks]
        asked = next((answers for answers in self._answers if answers), None)
        self._wordings = tuple(answer.prompt for answer in asked) if asked else fact.wordings
        self.endResetModel()

    def answer(self, row: int, column: int) -> Answer | None:
        answers = self._answers[column - 1] if column else None
        return answers[row] if answers and row < len(answers) else None

    def mark(self, row: int, column: int) -> Mark:
        answer = self.answer(row, column)
        if answer is None:
            return NOT_ASKED
        if self._of_two:
            assert self._fact is not None
            mine, other = (said(self._fact, [each] if each else []) for each in (answer, self.answer(row, 3 - column)))
            return mark(self._fact.group, mine, other, after=column == 2)
        if column - 1 < self._edited_at:
            return NOT_EDITED
        return VERDICT_MARKS[Verdict.HOLDS if answer.gives else Verdict.FAILS]

    def said(self, row: int, column: int) -> str:
        """'✓ Rome': the answer under its glyph."""
        answer = self.answer(row, column)
        return f"{self.mark(row, column).glyph} {' '.join(answer.said.split()) if answer else ''}"

    def chances(self, row: int, column: int) -> str:
        """'91 % · 3 %': how likely the wanted answer is, and the other where there is one."""
        answer = self.answer(row, column)
        if answer is None:
            return ""
        shares = [answer.p_wanted] if answer.p_other is None else [answer.p_wanted, answer.p_other]
        return " · ".join(percent(share) for share in shares)

    def _chances_told(self, row: int, column: int) -> str:
        assert self._fact is not None
        answers = [self._fact.wanted, self._fact.other]
        shares = self.chances(row, column).split(" · ")
        return ", ".join(f"“{answer}” is {share} likely" for answer, share in zip(answers, shares, strict=False))

    def lines(self, rows: Sequence[int]) -> Lines:
        """Rows as they are kept: of each stage what is said, how it is judged, and both probabilities, from 0 to 1."""
        what = ("says", "verdict", "probability of the wanted answer", "probability of the other answer")
        lines: Lines = [["asked", *(f"{stage}: {each}" for stage in self._headings for each in what)]]
        for row in rows:
            lines.append([self._wordings[row]])
            for column in range(1, self.columnCount()):
                answer, judged = self.answer(row, column), self.mark(row, column).word
                given = (answer.said, judged, answer.p_wanted, answer.p_other) if answer else (None, judged, None, None)
                lines[-1] += given
        return lines

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._wordings)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1 + len(self._answers)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return self._headings[section - 1] if section else "Asked"
        if role == OPERATION and section:
            return self._operations[section - 1]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            if column == 0:
                return self._wordings[row]
            answer = self.answer(row, column)
            return " ".join(answer.said.split()) if answer else ""
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            text = self.data(index)
            if column == 0 or not text:
                return text or NOT_ASKED.word
            return f"Says “{text}” ({self.mark(row, column).word}); {self._chances_told(row, column)}."
        return None


class AnswersDelegate(QStyledItemDelegate):
    """The answer with its glyph, and under it in small type how likely both answers are."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        theme().follow(self._dress)

    def _dress(self) -> None:
        roles = theme().roles
        self._text, self._muted, self._line = QColor(roles.text), QColor(roles.muted), QColor(roles.line)
        self._selected = QColor(roles.accent_tint)
        self._body, self._small = theme().font(BODY), theme().font(SMALL)
        self._gap = theme().px(8)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As wide as an answer and its probabilities are in one line each."""
        model = index.model()
        assert isinstance(model, AnswersModel)
        above = QFontMetrics(self._body).horizontalAdvance(model.said(index.row(), index.column()))
        below = QFontMetrics(self._small).horizontalAdvance(model.chances(index.row(), index.column()))
        return QSize(max(above, below) + 2 * self._gap + 1, theme().px(_ROW))

    def lines(self, said: str, width: int) -> list[str]:
        """An answer in a column of that width."""
        return in_lines(said, QFontMetrics(self._body), width - 2 * self._gap)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, AnswersModel)
        rect: QRect = option.rect
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, self._line)
        inner = rect.adjusted(self._gap, 0, -self._gap, 0)
        text = str(model.data(index))
        if index.column() == 0:
            painter.setFont(self._small)
            painter.setPen(self._text)
            measure = QFontMetrics(self._small)
            most = (inner.height() - self._gap // 2) // measure.height()
            painter.drawText(inner, _LEFT, "\n".join(in_lines(text, measure, inner.width(), most)))
            return
        mark = model.mark(index.row(), index.column())
        small = theme().px(_ROW) // 2 - self._gap // 4
        above = inner.adjusted(0, self._gap // 4, 0, -small - self._gap // 4)
        below = QRect(inner.left(), above.bottom(), inner.width(), small)
        painter.setFont(self._body)
        painter.setPen(QColor(state_of(mark).ink))
        says = self.lines(model.said(index.row(), index.column()), rect.width())
        painter.drawText(above, _LEFT, "\n".join(says))
        painter.setFont(self._small)
        painter.setPen(self._muted)
        chances = model.chances(index.row(), index.column())
        painter.drawText(
            below, _LEFT, QFontMetrics(self._small).elidedText(chances, Qt.TextElideMode.ElideRight, inner.width())
        )


class AnswersTable(QTableView):
    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.answers = AnswersModel(self)
        self.setModel(self.answers)
        self._delegate = AnswersDelegate(self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Every wording and its answers")
        offer_rows(self, self.answers.lines, failed)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setShowGrid(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setSelectionMode(QTableView.SelectionMode.NoSelection)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setCornerWidget(QWidget())
        self._header = StageHeader(self)
        self.setHorizontalHeader(self._header)
        theme().follow(self._dress)

    def _dress(self) -> None:
        self._share_out()
        self.viewport().update()

    def show_fact(self, grid: FactsGrid, row: int) -> None:
        self.answers.show(grid, row)
        self._share_out()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        height = self._header.height() + self.verticalHeader().length()
        if self.horizontalScrollBar().maximum():
            height += self.horizontalScrollBar().sizeHint().height()
        return QSize(theme().px(480), height)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(256), self.sizeHint().height())

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._share_out()
        self.updateGeometry()  # answers that wrap make rows higher

    def _share_out(self) -> None:
        """Each stage gets what its answers need and a share of what is left, the wording most; none is narrower than
        can be read, and no answer takes all."""
        stages = range(1, self.answers.columnCount())
        if not stages:
            return
        px, width = theme().px, self.viewport().width()
        needs = [min(max(px(96), self.sizeHintForColumn(stage)), px(_WIDEST)) for stage in stages]
        wording = max(px(144), min(2 * width // 5, width - sum(needs)))
        spare = (width - wording - sum(needs)) // len(stages)
        self.setColumnWidth(0, wording)
        for stage, need in zip(stages, needs, strict=True):
            self.setColumnWidth(stage, max(px(96), need + spare))
        for row in range(self.answers.rowCount()):
            said = (self._delegate.lines(self.answers.said(row, at), self.columnWidth(at)) for at in stages)
            self.setRowHeight(row, px(_ROW if max(map(len, said)) == 1 else _TALL))
        self._header.fit()
