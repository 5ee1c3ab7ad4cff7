"""The arrow in a table's header says which way its rows go: up where the least stands on top."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QStringListModel, Qt
from pytestqt.qtbot import QtBot

from editview.ui.look.table import Table


class Words(Table):
    def row_height(self) -> int:
        return 20

    def share_out(self) -> None:
        pass


@pytest.mark.parametrize(
    ("order", "arrow", "first"), [(Qt.SortOrder.AscendingOrder, "↑", "a"), (Qt.SortOrder.DescendingOrder, "↓", "c")]
)
def test_the_arrow_agrees_with_the_order(qtbot: QtBot, order: Qt.SortOrder, arrow: str, first: str) -> None:
    table = Words(QStringListModel(["b", "c", "a"]), "Words")
    qtbot.addWidget(table)
    table.head.setSortIndicator(0, order)
    assert table.model().index(0, 0).data() == first
    assert table.head._title(0).endswith(arrow)
