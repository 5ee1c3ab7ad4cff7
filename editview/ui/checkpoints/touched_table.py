"""The subjects that a change acts on, in a table: both models' answers to each, those that differ first."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from editview.domain.inspection import Inspection, Touched, touched_sentence
from editview.ui.checkpoints.tensor_table import row_height
from editview.ui.look.pictures import write
from editview.ui.look.rows_model import Index, RowsModel
from editview.ui.look.rows_out import Lines
from editview.ui.look.table import Table, paint_focus, paint_ground
from editview.ui.look.theme import BODY, SMALL, theme

_FIGURE = 88  # width of a column of figures
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Column(IntEnum):
    SUBJECT = 0
    BEFORE = 1
    AFTER = 2
    TIMES = 3
    LAYER = 4


_TITLES = {
    Column.SUBJECT: "Subject",
    Column.BEFORE: "Says before",
    Column.AFTER: "Says after",
    Column.TIMES: "Acts on it",
    Column.LAYER: "Most in layer",
}
_GUESSED = "Says without what stands out"
_HELP = {
    Column.SUBJECT: "What may have been edited, and what was asked about it",
    Column.TIMES: "How strongly the change answers the subject, in multiples of the usual subject",
    Column.LAYER: "The layer whose change answers it most strongly",
}


class TouchedModel(RowsModel[Touched]):
    """Without a choice, in the order in which they were found."""

    columns, figures = len(Column), Column.TIMES

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._found: tuple[Touched, ...] = ()
        self._alone = False  # there is no original: what stands out is left out instead

    def show(self, found: Inspection | None) -> None:
        self._found = found.touched if found else ()
        self._alone = found is not None and found.original is None
        self.arrange()

    def wanted(self) -> Sequence[Touched]:
        return self._found

    def title(self, column: int) -> str:
        return _GUESSED if self._alone and column == Column.BEFORE else _TITLES[Column(column)]

    def title_help(self, column: int) -> str:
        return _HELP.get(Column(column), "")

    def told(self, row: Touched) -> str:
        return touched_sentence(row).replace("*", "")

    def key(self, row: Touched, column: int) -> float | str:
        return {Column.TIMES: row.times, Column.LAYER: row.layer}.get(Column(column), super().key(row, column))

    def words(self, row: Touched, column: int) -> str:
        said = row.telling.after if row.differs else "the same"
        return (row.subject, row.telling.before, said, f"{row.times:,.1f} ×", str(row.layer + 1))[column]

    def lines(self, rows: Sequence[int]) -> Lines:
        """Rows with both answers whole, headings first."""
        found = [self.shown[at] for at in rows]
        lines: Lines = [["subject", "prompt", "says before", "says after", "times the usual subject", "layer"]]
        for one in found:
            told = one.telling
            lines.append([one.subject, told.prompt, told.before, told.after, one.times, one.layer + 1])
        return lines


class TouchedDelegate(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, TouchedModel)
        px, roles, one, column = theme().px, theme().roles, model.shown[index.row()], Column(index.column())
        paint_ground(painter, option)
        inner = QRectF(option.rect).adjusted(px(8), px(3), -px(8), -px(3))
        muted = column >= Column.TIMES or (column is Column.AFTER and not one.differs)
        painter.setFont(theme().font(BODY, bold=column is Column.AFTER and one.differs))
        if column is Column.SUBJECT:
            line = QFontMetrics(painter.font()).height()
            write(painter, QRectF(inner.left(), inner.top(), inner.width(), line), one.subject, roles.text)
            painter.setFont(theme().font(SMALL))
            below = QRectF(inner.left(), inner.top() + line, inner.width(), inner.height() - line)
            write(painter, below, f"{one.telling.prompt.strip()} …", roles.muted)
        else:
            said = " ".join(model.words(one, column).split())
            align = _RIGHT if column >= Column.TIMES else Qt.AlignmentFlag.AlignLeft
            write(painter, inner, said, roles.muted if muted else roles.text, align)
        paint_focus(painter, option)


class TouchedTable(Table):
    went_to = Signal(object)  # Touched, or None

    def __init__(self, model: TouchedModel, parent: QWidget | None = None) -> None:
        super().__init__(model, "Subjects that the change acts on", parent=parent)
        self._model = model
        self.setItemDelegate(TouchedDelegate(self))
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        model.modelReset.connect(lambda: self.selectRow(0))
        theme().follow(self.dress)

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.went_to.emit(self._model.shown[current.row()] if current.isValid() else None)

    def row_height(self) -> int:
        return row_height()

    def dress(self) -> None:
        super().dress()
        self.setMinimumHeight(self.head.height() + 3 * row_height())

    def share_out(self) -> None:
        room = max(self.viewport().width() - 2 * theme().px(_FIGURE), theme().px(320))
        for column, share in ((Column.SUBJECT, 0.4), (Column.BEFORE, 0.3), (Column.AFTER, 0.3)):
            self.setColumnWidth(column, int(room * share))
        for column in (Column.TIMES, Column.LAYER):
            self.setColumnWidth(column, theme().px(_FIGURE))
        self.head.fit()
