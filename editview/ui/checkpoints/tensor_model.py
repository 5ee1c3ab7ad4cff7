"""The tensors of two checkpoints as a table's model: searched by words, sorted by figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum

from PySide6.QtCore import QObject

from editview.domain.difference import Difference
from editview.domain.two_checkpoints import TensorRow, tensor_rows, told_of
from editview.ui.look.rows_model import RowsModel
from editview.ui.look.rows_out import Lines


class Column(IntEnum):
    WHERE = 0
    CHANGE = 1
    SHARE = 2
    RANK = 3


TITLES = {
    Column.WHERE: "Where",
    Column.CHANGE: "Changed by",
    Column.SHARE: "Share of the change",
    Column.RANK: "Effective rank",
}
_HELP = {
    Column.WHERE: "What the weights do in the model (memory: the feed-forward part); their name in its files is below",
    Column.CHANGE: "How large the change is beside the weights that were there",
    Column.SHARE: "How much of everything that changed lies here",
    Column.RANK: "In how many directions it changed: a knowledge edit changes few, a fine-tune of all weights many",
}
_KEYS: dict[Column, Callable[[TensorRow], float]] = {
    Column.WHERE: lambda row: row.place,
    Column.CHANGE: lambda row: -1.0 if row.relative is None else row.relative,
    Column.SHARE: lambda row: -1.0 if row.share is None else row.share,
    Column.RANK: lambda row: -1.0 if row.rank is None else row.rank,
}


class TensorModel(RowsModel[TensorRow]):
    """Without a choice, most of the change stands first."""

    columns, figures = len(Column), Column.CHANGE

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[TensorRow] = []
        self._haystack: dict[str, str] = {}  # by tensor's name
        self._search, self._only_changed = "", False

    def show(self, found: Difference | None) -> None:
        self._all = tensor_rows(found) if found else []
        self._haystack = {row.name: f"{row.where} {row.name} {row.became}".casefold() for row in self._all}
        self.arrange()

    def search(self, words: str) -> None:
        """Keep the rows in which every word begins one; empty: all."""
        self._search = words
        self.arrange()

    def set_only_changed(self, only: bool) -> None:
        self._only_changed = only
        self.arrange()

    @property
    def count(self) -> int:
        """All rows, shown or not."""
        return len(self._all)

    def row_of(self, name: str) -> int | None:
        """Where a tensor is shown."""
        return next((at for at, row in enumerate(self.shown) if row.name == name), None)

    def wanted(self) -> Iterator[TensorRow]:
        typed = [re.compile(rf"(?<![a-z0-9]){re.escape(word)}") for word in self._search.casefold().split()]
        for row in self._all:
            if (row.changed or not self._only_changed) and all(word.search(self._haystack[row.name]) for word in typed):
                yield row

    def title(self, column: int) -> str:
        return TITLES[Column(column)]

    def title_help(self, column: int) -> str:
        return _HELP[Column(column)]

    def told(self, row: TensorRow) -> str:
        return told_of(row).replace("*", "")

    def key(self, row: TensorRow, column: int) -> float:
        return _KEYS[Column(column)](row)

    def words(self, row: TensorRow, column: int) -> str:
        return (row.where, row.by_how_much, row.share_words, row.rank_words)[column]

    def lines(self, rows: Sequence[int]) -> Lines:
        """Rows with exact figures, headings first."""
        lines: Lines = [["where", "tensor", "relative change", "share of the change", "effective rank"]]
        return lines + [
            [row.where, row.name, row.relative, row.share, row.rank] for row in (self.shown[at] for at in rows)
        ]
