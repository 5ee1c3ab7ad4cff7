"""The jobs: takes requests from the window, does them in threads of its own, answers with events.

Six lanes, so that nothing waits for something long that it doesn't need: *files* reads and writes sheets, plans,
reports and the list of runs without torch; *models* loads the model libraries, then runs and asks; *headers* describes
and forecasts without touching weights; *data* looks through training data; *comparisons* reads two checkpoints' files;
*downloads* brings checkpoints.
Importing this module is cheap: torch is imported by the models lane, once `Jobs` is made.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from editview.domain.errors import Cancelled
from editview.domain.events import Event, Failed
from editview.domain.requests import (
    CompareCheckpoints,
    DescribeCheckpoint,
    DiskRequest,
    DownloadCheckpoint,
    ForecastPlan,
    HistoryRequest,
    OpenFacts,
    OpenPlan,
    PreviewFacts,
    PreviewTraining,
    Request,
    SaveComparison,
    SavePlan,
    SaveReport,
    SaveSideBySide,
)
from editview.jobs.lane import Lane
from editview.runs.words import in_words

if TYPE_CHECKING:
    from editview.jobs.engine import Engine

_MEMORY_EVERY = 2.0  # seconds
_PATIENCE = 10.0  # seconds that closing waits for a lane
_SWITCH = 0.001  # seconds after which Python's lock is handed on; the usual 5 ms would show in the window


class Jobs:
    """Starts at once. `emit` is called from several threads and must be quick, as a queue's `put` is."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        sys.setswitchinterval(_SWITCH)
        self._emit = emit
        self._numbers = itertools.count(1)
        self._closing = threading.Event()
        self._loaded = threading.Event()
        self._engine: Engine | None = None
        self._files = Lane("files", partial(self._answer, self._with_files))
        self._models = Lane("models", partial(self._answer, self._with_models), self._load)
        self._headers = Lane(
            "headers",
            partial(self._answer, self._without_weights),
            self._wait_for_the_engine,
            latest_only=(ForecastPlan,),
        )
        self._data = Lane(
            "data", partial(self._answer, self._without_weights), self._give_way, latest_only=(PreviewTraining,)
        )
        self._comparisons = Lane("comparisons", partial(self._answer, self._without_weights), self._give_way)
        self._downloads = Lane("downloads", partial(self._answer, self._without_weights), self._wait_for_the_engine)
        threading.Thread(target=self._tell_memory, name="editview-memory", daemon=True).start()

    def send(self, request: Request) -> int:
        """Queue a request. Its number is the one that a `Failed` names, and that `stop` takes."""
        number = next(self._numbers)
        match request:
            case OpenFacts() | PreviewFacts() | OpenPlan() | SavePlan() | SaveReport() | SaveSideBySide():
                self._files.put(number, request)
            case _ if isinstance(request, HistoryRequest | DiskRequest):
                self._files.put(number, request)
            case ForecastPlan() | DescribeCheckpoint():
                self._headers.put(number, request)
            case PreviewTraining():
                self._data.put(number, request)
            case CompareCheckpoints() | SaveComparison():
                self._comparisons.put(number, request)
            case DownloadCheckpoint():
                self._downloads.put(number, request)
            case _:
                self._models.put(number, request)
        return number

    def stop(self, number: int) -> None:
        """Stop one run, answer, preview, comparison or download, or forget it while it waits."""
        for lane in (self._models, self._data, self._comparisons, self._downloads):
            lane.stop(number)

    def close(self) -> None:
        """Stop what runs, write what is still to be saved, and end the threads."""
        self._closing.set()
        lanes = (self._models, self._headers, self._data, self._comparisons, self._downloads)
        for lane in lanes:
            lane.stop()
        for lane in (self._files, *lanes):
            lane.close(_PATIENCE)

    # ---- in the lanes' threads -------------------------------------------------------------------------------

    def _answer(
        self, answer: Callable[[Request, threading.Event], None], request: Request, number: int, stop: threading.Event
    ) -> None:
        try:
            answer(request, stop)
        except Cancelled:
            pass
        except Exception as error:
            self._emit(Failed(number, *in_words(error)))

    def _with_files(self, request: Request, stop: threading.Event) -> None:
        from editview.jobs import files

        assert isinstance(request, files.FileRequest)
        files.do(request, self._emit)

    def _with_models(self, request: Request, stop: threading.Event) -> None:
        if self._engine is None:  # loading failed: try again, and say again what is wrong
            self._engine = self._fresh_engine()
        self._engine.do(request, stop)

    def _without_weights(self, request: Request, stop: threading.Event) -> None:
        if self._engine is not None:
            self._engine.tell(request, stop)

    def _load(self) -> None:
        try:
            self._engine = self._fresh_engine()
        except Exception as error:
            self._emit(Failed(0, *in_words(error)))
        finally:
            self._loaded.set()

    def _fresh_engine(self) -> Engine:
        from editview.jobs.engine import load

        return load(self._emit)

    def _wait_for_the_engine(self) -> None:
        self._loaded.wait()

    def _give_way(self) -> None:
        from editview.jobs.engine import give_way

        self._wait_for_the_engine()
        give_way()

    def _tell_memory(self) -> None:
        self._loaded.wait()
        while self._engine is not None and not self._closing.wait(_MEMORY_EVERY):
            self._emit(self._engine.memory())
