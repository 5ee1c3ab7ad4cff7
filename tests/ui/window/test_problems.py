"""Errors from everywhere come to one place: a sentence in the window's thread, everything in the log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import qWarning
from pytestqt.qtbot import QtBot

from editview.domain.errors import EditViewError
from editview.ui.window import problems as module
from editview.ui.window.problems import Problems, as_problem


@pytest.fixture
def problems(home: Path) -> Iterator[Problems]:
    module.log.handlers.clear()
    made = Problems()
    made.install()
    yield made
    made.uninstall()
    for handler in module.log.handlers:
        handler.close()
    module.log.handlers.clear()


def log_text(home: Path) -> str:
    return (home / "logs" / "editview.log").read_text(encoding="utf-8")


def test_an_error_in_a_thread_is_told_and_logged(problems: Problems, qtbot: QtBot, home: Path) -> None:
    def work() -> None:
        raise EditViewError("The file is cut short.", "at byte 7")

    with qtbot.waitSignal(problems.raised) as told:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert (told.args[0].sentence, told.args[0].details) == ("The file is cut short.", "at byte 7")
    assert "The file is cut short." in log_text(home)


def test_an_unknown_error_keeps_its_trace_for_the_specialist() -> None:
    try:
        raise ValueError("odd")
    except ValueError as error:
        problem = as_problem(error)
    assert "ValueError: odd" in problem.details
    assert "Traceback" not in problem.sentence


@pytest.mark.no_qt_log
def test_what_qt_complains_about_is_logged_and_not_shown(problems: Problems, qtbot: QtBot, home: Path) -> None:
    with qtbot.assertNotEmitted(problems.raised):
        qWarning("something odd")
    assert "something odd" in log_text(home)
