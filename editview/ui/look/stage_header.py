"""A table's header with whole titles: wrapped, flat, and under each stage the colour of its operation."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from editview.ui.look.colours import operation_colour
from editview.ui.look.theme import SMALL, theme
from editview.ui.look.word_help import explain

OPERATION = Qt.ItemDataRole.UserRole
"""Header role: the id of the operation whose stage a column shows; None for other columns and the checkpoint."""

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_WRAPPED = int(_LEFT) | int(Qt.TextFlag.TextWordWrap)
_LINES = 3
_ARROWS = {Qt.SortOrder.AscendingOrder: "↑", Qt.SortOrder.DescendingOrder: "↓"}  # up: from the least to the most


class StageHeader(QHeaderView):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setMinimumSectionSize(48)
        self.setHighlightSections(False)
        self.setStretchLastSection(True)
        explain(self.viewport())
        theme().follow(self.fit)

    def fit(self) -> None:
        """As high as the longest title needs in its column, three lines at most."""
        measure, gap = QFontMetrics(theme().font(SMALL)), theme().px(8)
        lines = 1
        for section in range(self.count()):
            room = QRect(0, 0, max(self.sectionSize(section) - 2 * gap, 1), 10_000)
            lines = max(lines, measure.boundingRect(room, _WRAPPED, self._title(section)).height() // measure.height())
        self.setFixedHeight(min(lines, _LINES) * measure.lineSpacing() + 2 * gap)
        self.viewport().update()

    def _title(self, section: int) -> str:
        title = str(self.model().headerData(section, Qt.Orientation.Horizontal))
        if self.isSortIndicatorShown() and self.sortIndicatorSection() == section:
            title += f" {_ARROWS[self.sortIndicatorOrder()]}"
        return title

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        look, roles = theme(), theme().roles
        painter.fillRect(rect, QColor(roles.raised))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, QColor(roles.line))
        operation = self.model().headerData(logical, Qt.Orientation.Horizontal, OPERATION)
        gap = look.px(8)
        if operation:
            bar = look.px(3)
            strip = QRect(rect.left() + gap, rect.bottom() - bar + 1, rect.width() - 2 * gap, bar)
            painter.fillRect(strip, operation_colour(operation))
        sorted_by = self.isSortIndicatorShown() and self.sortIndicatorSection() == logical
        painter.setFont(look.font(SMALL, bold=sorted_by))
        painter.setPen(QColor(roles.text if sorted_by else roles.muted))
        side = self.model().headerData(logical, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole) or _LEFT
        flags = int(side) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(rect.adjusted(gap, 0, -gap, 0), flags, self._title(logical))
