"""Two orders fact by fact: a virtual table, the facts that only one of them keeps first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from editview.domain.facts import Group
from editview.domain.look import mark_of
from editview.domain.orders import FactPair
from editview.ui.look.pictures import write
from editview.ui.look.rows_model import Index, RowsModel
from editview.ui.look.rows_out import Lines
from editview.ui.look.theme import BODY, SMALL, state_of, theme
from editview.ui.look.word_help import Shown, explain

GROUPS = {Group.EDITED: "edit", Group.NEIGHBOURS: "neighbour", Group.CONTROL: "control"}
COLUMNS = ("Fact", "First", "Second")


class CompareModel(RowsModel[FactPair]):
    """Pairs as rows. `show_pairs` replaces them; `set_only_differences` hides those that end alike."""

    columns = figures = len(COLUMNS)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pairs: list[FactPair] = []
        self._names = ("First", "Second")
        self._only_differences = False

    def show_pairs(self, pairs: list[FactPair], names: tuple[str, str]) -> None:
        self._pairs, self._names = pairs, names
        self.arrange()

    def set_only_differences(self, only: bool) -> None:
        self._only_differences = only
        self.arrange()

    def wanted(self) -> list[FactPair]:
        return [pair for pair in self._pairs if pair.differs or not self._only_differences]

    def title(self, column: int) -> str:
        return COLUMNS[column]

    def title_help(self, column: int) -> str:
        return self._names[column - 1] if column else ""

    def words(self, row: FactPair, column: int) -> str:
        return (row.fact.subject or row.fact.prompt, mark_of(row.first).word, mark_of(row.second).word)[column]

    def told(self, row: FactPair) -> str:
        ends = zip(self._names, (row.first, row.second), (row.said_first, row.said_second), strict=True)
        told = [f"{name}: {mark_of(verdict).word}, says '{said.strip()}'" for name, verdict, said in ends]
        return "\n".join([f"{row.fact.prompt} … ({GROUPS[row.fact.group]}, wanted: {row.fact.wanted})", *told])

    def lines(self, rows: Sequence[int]) -> Lines:
        """Rows with what was said in either order, headings first."""
        first, second = self._names
        lines: Lines = [["prompt", "group", "wanted", first, f"{first} says", second, f"{second} says"]]
        for pair in (self.shown[at] for at in rows):
            ends = ((pair.first, pair.said_first), (pair.second, pair.said_second))
            told = [word for verdict, said in ends for word in (mark_of(verdict).word, said.strip())]
            lines.append([pair.fact.prompt, GROUPS[pair.fact.group], pair.fact.wanted, *told])
        return lines


class CompareDelegate(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, CompareModel)
        px, roles, pair = theme().px, theme().roles, model.shown[index.row()]
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(roles.accent_tint))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, QColor(roles.line))
        inner = QRectF(rect).adjusted(px(4), 0, -px(4), 0)
        if index.column() == 0:
            self._paint_fact(painter, inner, pair)
        else:
            self._paint_chip(painter, inner, pair, index.column())
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(roles.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0, 0, -1, -2))

    def _paint_fact(self, painter: QPainter, rect: QRectF, pair: FactPair) -> None:
        painter.setFont(theme().font(BODY))
        subject = pair.fact.subject or pair.fact.prompt
        write(painter, rect, subject, theme().roles.text)
        used = QFontMetricsF(painter.font()).horizontalAdvance(subject) + theme().px(8)
        rest = rect.adjusted(used, 0, 0, 0)
        painter.setFont(theme().font(SMALL))
        if rest.width() >= QFontMetricsF(painter.font()).horizontalAdvance(GROUPS[pair.fact.group]):
            write(painter, rest, GROUPS[pair.fact.group], theme().roles.muted)

    def _paint_chip(self, painter: QPainter, rect: QRectF, pair: FactPair, column: int) -> None:
        mark, px = mark_of((pair.first, pair.second)[column - 1]), theme().px
        painter.setFont(theme().font(SMALL))
        metrics = QFontMetricsF(painter.font())
        words = f"{mark.glyph} {mark.word}"
        height = metrics.height() + px(4)
        width = min(metrics.horizontalAdvance(words) + px(16), rect.width())
        chip = QRectF(rect.left(), rect.center().y() - height / 2, width, height)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(state_of(mark).tint))
        painter.drawRoundedRect(chip, height / 2, height / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        write(painter, chip.adjusted(px(8), 0, 0, 0), words, state_of(mark).ink)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme().px(80), theme().px(32))


class CompareHeader(QHeaderView):
    """Column titles in muted words over a hairline."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(False)
        explain(self.viewport())

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        painter.save()
        painter.fillRect(rect, QColor(theme().roles.raised))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, QColor(theme().roles.line))
        painter.setFont(theme().font(SMALL))
        words = self.model().headerData(section, Qt.Orientation.Horizontal)
        write(painter, QRectF(rect).adjusted(theme().px(4), 0, 0, 0), words, theme().roles.muted)
        painter.restore()


class CompareTable(QTableView):
    def __init__(self, model: CompareModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Both orders fact by fact")
        self.setModel(model)
        self.setItemDelegate(CompareDelegate(self))
        self.setShowGrid(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = CompareHeader(self)
        self.setHorizontalHeader(header)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        explain(self.viewport(), self._chip_at)
        theme().follow(self._dress)

    def _chip_at(self, viewport: QWidget, at: QPoint) -> Shown:
        index = self.indexAt(at)
        return (str(index.data()) if index.column() > 0 else ""), None

    def sizeHint(self) -> QSize:
        return QSize(theme().px(280), theme().px(136))

    def _dress(self) -> None:
        px = theme().px
        self.setFont(theme().font(SMALL))
        self.verticalHeader().setDefaultSectionSize(px(32))
        for column in (1, 2):
            self.setColumnWidth(column, px(88))
        self.setMinimumHeight(px(136))
        self.viewport().update()
