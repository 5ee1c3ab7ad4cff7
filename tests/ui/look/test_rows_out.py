"""Rows of a table out of the window: what is copied, what is saved, and what is said when it can't be."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFileDialog, QListWidget, QTableView
from pytestqt.qtbot import QtBot

from editview.ui.look.rows_out import Lines, offer_rows

TITLES = ["fact", "share"]
ROWS: Lines = [['say "hello",\nplease', 0.125], ["Käse", None], ["tab\there", 1.0]]


class Offered:
    def __init__(self, qtbot: QtBot) -> None:
        model = QStandardItemModel()
        for fact, share in ROWS:
            model.appendRow([QStandardItem(str(fact)), QStandardItem(str(share))])
        self.table, self.failed = QTableView(), list[str]()
        self.table.setModel(model)
        self.table.setAccessibleName("My facts")
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        model.setParent(self.table)
        qtbot.addWidget(self.table)
        offer_rows(self.table, self.lines, self.failed.append)

    @staticmethod
    def lines(rows: Sequence[int]) -> Lines:
        return [list(TITLES), *(ROWS[row] for row in rows)]

    def do(self, words: str) -> None:
        next(action for action in self.table.actions() if action.text() == words).trigger()


@pytest.fixture
def at(qtbot: QtBot) -> Offered:
    return Offered(qtbot)


def test_all_rows_are_copied_or_those_that_are_selected(at: Offered) -> None:
    at.do("Copy rows")
    assert QGuiApplication.clipboard().text() == 'fact\tshare\nsay "hello", please\t0.125\nKäse\t\ntab here\t1.0\n'
    at.table.selectRow(1)
    at.do("Copy rows")
    assert QGuiApplication.clipboard().text() == "fact\tshare\nKäse\t\n"


@pytest.mark.parametrize(
    ("chosen", "kind", "written"),
    [
        ("rows.csv", "Table (*.csv)", "rows.csv"), ("rows", "Table (*.csv)", "rows.csv"),
        ("rows", "JSON (*.json)", "rows.json"), ("rows.json", "Table (*.csv)", "rows.json"),
    ],
)  # fmt: skip
def test_a_file_says_by_its_name_what_it_becomes(
    at: Offered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, kind: str, written: str
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / chosen), kind))
    at.do("Save rows…")
    text = (tmp_path / written).read_text("utf-8")
    if written.endswith(".json"):
        assert json.loads(text) == [dict(zip(TITLES, row, strict=True)) for row in ROWS]
    else:
        found = list(csv.reader(text.splitlines(keepends=True)))
        assert found == [TITLES, ['say "hello",\nplease', "0.125"], ["Käse", ""], ["tab\there", "1.0"]]
    assert at.failed == []


def test_what_cant_be_written_is_said(at: Offered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.csv").mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "rows.csv"), ""))
    at.do("Save rows…")
    assert len(at.failed) == 1
    assert "rows.csv" in at.failed[0]


def test_a_list_offers_the_same(qtbot: QtBot) -> None:
    names = QListWidget()
    qtbot.addWidget(names)
    names.addItems(["one", "two"])
    offer_rows(names, lambda rows: [["name"], *([names.item(row).text()] for row in rows)], lambda sentence: None)
    assert [action.text() for action in names.actions()] == ["Copy rows", "Save rows…"]
    names.setCurrentRow(1)
    names.actions()[0].trigger()
    assert QGuiApplication.clipboard().text() == "name\ntwo\n"
