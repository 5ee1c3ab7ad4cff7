"""One place takes every error: what a job reports, what no one caught, and what Qt complains about.

Each goes to a log file; what a person should know is shown as one sentence.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
import traceback
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from editview.domain import places
from editview.domain.errors import Cancelled, EditViewError
from editview.ui.problem import Problem

log = logging.getLogger("editview")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def as_problem(error: BaseException) -> Problem:
    """An error as one sentence for everyone and details for the specialist."""
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, EditViewError):
        return Problem(str(error), error.details or trace)
    return Problem(
        "Something inside EditView went wrong. The plan is saved; if the window behaves oddly, start it again.",
        trace,
    )


class Problems(QObject):
    """`raised` comes in the thread of the window, whichever thread the error came from."""

    raised = Signal(object)  # Problem

    def install(self) -> None:
        """Take over the hooks of Python and Qt, and write to the log from now on."""
        start_log()
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        qInstallMessageHandler(self._from_qt)

    def uninstall(self) -> None:
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)

    def report(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt | SystemExit | Cancelled):
            return
        problem = as_problem(error)
        log.error("%s\n%s", problem.sentence, problem.details)
        self.raised.emit(problem)

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        self.report(error)

    def _uncaught_in_thread(self, found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None:
            self.report(found.exc_value)

    def _from_qt(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        level = _LEVELS.get(kind, logging.WARNING)
        if level >= logging.WARNING:
            log.log(level, "Qt: %s", message)


def start_log() -> None:
    """Write to a rotating file in the log folder; when that can't be written, to the terminal alone."""
    if log.handlers:
        return
    handler: logging.Handler = logging.StreamHandler()
    try:
        places.logs().mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            places.logs() / "editview.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8"
        )
    except OSError:
        pass
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
