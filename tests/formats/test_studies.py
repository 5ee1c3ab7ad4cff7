"""A study's files: rows that survive a stop, a table, and a picture that stands alone."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from editview.domain.study import Row, summed
from editview.formats.studies import PICTURE, ROWS, SUMMARY, TABLE, add_row, markdown, read_rows, write_study

PLACE = ("MEMIT", "LoRA", "all", "edit first", "none")
ROWS_MADE = [
    Row("MEMIT", "none", "", "", "", 0, "k0", hold=1.0, took=1.0, neighbours=0.9, controls=1.0),
    Row(*PLACE, 0, "k1", hold=0.5, took=1.0, neighbours=0.9, controls=1.0, flipped=0.5, loss=1.25, steps=40),
    Row(*PLACE, 1, "k2", hold=0.7, took=1.0, neighbours=0.8, controls=0.9, flipped=0.3, loss=1.24, steps=44),
]


def test_rows_are_read_again_and_damage_costs_a_row(tmp_path: Path) -> None:
    assert read_rows(tmp_path) == {}
    for row in ROWS_MADE:
        add_row(tmp_path, row)
    with (tmp_path / ROWS).open("a") as file:
        file.write('{"edit": "MEM')
    assert read_rows(tmp_path) == {row.key: row for row in ROWS_MADE}


def test_the_table_gives_means_and_intervals(tmp_path: Path) -> None:
    write_study(tmp_path, ROWS_MADE, "What was studied.")
    with (tmp_path / TABLE).open(newline="") as file:
        assert [row["key"] for row in csv.DictReader(file)] == ["k0", "k1", "k2"]
    text = (tmp_path / SUMMARY).read_text()
    assert text.startswith("What was studied.\n\n| edit |")
    assert "| MEMIT | LoRA | all | edit first | none | 2 | 60.0 ± 127.1 |" in text
    assert "| MEMIT | none | – | – | – | 1 | 100.0 | 100.0 | – |" in text
    assert markdown(tuple(summed(ROWS_MADE))) in text


def test_the_picture_is_whole_and_names_nobody_else(tmp_path: Path) -> None:
    write_study(tmp_path, ROWS_MADE, "")
    text = (tmp_path / PICTURE).read_text()
    root = ElementTree.fromstring(text)
    said = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"MEMIT", "edit alone", "LoRA, all layers, edit first", "edits that stand, %"} <= said
    assert text.count("http") == 1  # the name of SVG itself
