"""Whether the window is there soon and stays fluid: its start, a real run, and a table of 10,000 facts.

    python -m benchmarks.responsiveness [--plan PATH] [--json]

Opens the window on whatever platform Qt is set to (`QT_QPA_PLATFORM=offscreen`, or a display): first in processes of
its own, for the CPU time from the command to the window shown. Then presses Run on the demo from an empty store with a
fact opened, times the first verdict and the end, and lets a timer beat every 5 ms in the same event loop: a stall is
what a beat comes late. Also filters, sorts and scrolls 10,000 facts x 6 stages, each timed until it is painted. Exits 1
when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from editview import app
from editview.domain.events import FactsOpened
from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.operations import FullFineTune, Memit
from editview.domain.plan import Plan
from editview.domain.run_events import Checked, LiveChecked, RunEvent, RunStarted, StageInfo
from editview.domain.session import RunState
from editview.domain.verdicts import Answer, Check, LiveCheck
from editview.formats.plans import demo_plan, read_plan
from editview.ui.facts.panel import FactsPanel
from editview.ui.facts.query import Filter, categories
from editview.ui.hub import Hub
from editview.ui.look.theme import theme

BEAT_MS = 5
BARS = {
    "shown_cpu_s": 1.0, "first_verdict_s": 15.0, "demo_s": 120.0, "p99_ms": 16.0, "max_ms": 100.0,
    "filter_ms": 50.0, "sort_ms": 50.0, "scroll_ms": 50.0,
}  # fmt: skip
FACTS, STAGES, REPEATS = 10_000, 6, 7
STARTS = 3
PATIENCE_S = 1200


# ---- the start ----------------------------------------------------------------------------------------------------

SHOWN = """
import os, time
from editview import __main__, app
def shown(desk):
    print(time.process_time(), flush=True)
    os._exit(0)
app.Desk.start = shown  # begins the work behind the window, once that is drawn
__main__.main([])
"""


def start_cost() -> float:
    """CPU seconds of a new process from the command to the window shown, its imports included; the fastest counts."""
    command = [sys.executable, "-c", SHOWN]
    starts = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(STARTS)]
    return min(map(float, starts))


# ---- a real run ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stall:
    at: float  # seconds after Run
    ms: float
    doing: str


class Heart(QObject):
    """Beats in the event loop and notes how late each beat is, and what the run was doing."""

    def __init__(self, doing: Callable[[], str]) -> None:
        super().__init__()
        self.stalls: list[Stall] = []
        self._doing = doing
        self._timer = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._began = self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        late = max(0.0, 1000 * (now - self._last) - BEAT_MS)
        self.stalls.append(Stall(now - self._began, late, self._doing()))
        self._last = now


def wait_until(done: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Run the event loop until something is so; a sentence and the end when it never is."""
    loop, until = QEventLoop(), time.perf_counter() + seconds
    timer = QTimer(interval=50)
    timer.timeout.connect(lambda: loop.quit() if done() or time.perf_counter() > until else None)
    timer.start()
    loop.exec()
    timer.stop()
    if not done():
        sys.exit(f"Waited {seconds:.0f} s for {what}, which never came.")


def run_for_real(plan: Plan) -> tuple[list[Stall], dict[str, float]]:
    """Carry a plan out in the real window, as a person would with one fact opened."""
    desk = app.Desk(plan)
    hub, problems = desk.hub, list[str]()
    hub.problem.connect(lambda problem: problems.append(f"{problem.sentence}\n{problem.details}"))
    desk.window.show()
    QTimer.singleShot(0, desk.start)
    wait_until(lambda: bool(problems) or (hub.engine is not None and hub.sheet is not None), "the engine", 120)
    facts = desk.window.findChild(FactsPanel)
    facts.table.activated.emit(facts.model.index(0, 0))

    def doing() -> str:
        running = next((stage for stage in hub.run.stages if stage.progress), None) if hub.run else None
        return f"{running.info.title}: {running.progress.what}" if running and running.progress else "between stages"

    heart = Heart(doing)
    heart.start()
    began, times = time.perf_counter(), dict[str, float]()
    hub.checks_changed.connect(lambda _: times.setdefault("first_verdict_s", time.perf_counter() - began))
    hub.start_run()
    wait_until(lambda: bool(problems) or (hub.run is not None and hub.run.state is not RunState.RUNNING), "the run")
    times["demo_s"] = time.perf_counter() - began
    wait_until(lambda: heart.stalls[-1].at > 1, "a last look", 5)
    heart.stop()
    if problems or hub.run is None or hub.run.state is not RunState.FINISHED:
        sys.exit("The run failed, so nothing was measured.\n" + "\n".join(problems))
    desk.window.close()
    desk.close()
    return heart.stalls, times


# ---- a big table --------------------------------------------------------------------------------------------------


def big_run() -> tuple[Plan, FactSheet, Iterator[RunEvent]]:
    """10,000 facts asked at 6 stages, with random verdicts, the last stage watched while it trains."""
    chance = np.random.default_rng(0)
    groups = [Group.EDITED] * (FACTS // 2) + [Group.NEIGHBOURS] * (FACTS // 4) + [Group.CONTROL] * (FACTS // 4)
    facts = tuple(
        Fact(
            f"f{place}",
            group,
            f"Subject {chance.integers(10**6)}",
            "The capital of {} is",
            f"Place {chance.integers(10**6)}",
            f"Other place {chance.integers(10**6)}",
            ("{} has its capital in",),
        )
        for place, group in enumerate(groups)
    )
    sheet = FactSheet("big", facts)
    kinds = [FullFineTune(id=f"step {i}") if i % 2 else Memit(id=f"step {i}") for i in range(STAGES - 1)]
    plan = Plan(operations=(*kinds[:-1], FullFineTune(id="last")))

    def events() -> Iterator[RunEvent]:
        stages = tuple(StageInfo(i, None, f"Stage number {i} of many", str(i)) for i in range(STAGES))
        yield RunStarted("big", plan, sheet, stages, ())
        ids = tuple(fact.id for fact in sheet)
        nlls = (0.5,) * FACTS
        for stage in range(STAGES):
            gives = chance.random((2, FACTS)) < 0.8
            if stage == STAGES - 1:
                for step in range(0, 60, 10):
                    live = tuple((chance.random(FACTS) < 0.8).tolist())
                    yield LiveChecked("big", stage, LiveCheck(step, ids, live, nlls, nlls))
            checks = [
                Check(
                    fact.id,
                    tuple(
                        Answer(prompt, fact.wanted if given else "something else", bool(given), 0.5, 2.0)
                        for prompt, given in zip(fact.wordings, gives[:, place], strict=True)
                    ),
                )
                for place, fact in enumerate(sheet)
            ]
            yield Checked("big", stage, tuple(checks))

    return plan, sheet, events()


def cost(actions: list[Callable[[], object]]) -> float:
    """Milliseconds until the slowest of some actions is painted: each done several times, its median counted."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(REPEATS):
        for place, act in enumerate(actions):
            begin = time.perf_counter()
            act()
            QCoreApplication.processEvents()
            times[place].append(1000 * (time.perf_counter() - begin))
    return max(statistics.median(mine) for mine in times)


def table_costs() -> dict[str, float]:
    plan, sheet, events = big_run()
    hub = Hub(plan, lambda request: None)
    panel = FactsPanel(hub)
    panel.resize(1280, 800)
    panel.show()
    hub.take([FactsOpened(plan.facts, sheet)])
    hub.take(events)
    QCoreApplication.processEvents()
    bar, search, columns = panel.table.verticalScrollBar(), panel.filters.search, range(panel.model.columnCount())
    fate = categories(panel.model.grid, None)[0][0]
    filtered = cost(
        [
            lambda: search.setText("place 1"),
            lambda: search.setText("something else"),
            lambda: search.setText(""),
            lambda: panel.model.set_filter(Filter(group=Group.NEIGHBOURS)),
            lambda: panel.model.set_filter(Filter(category=fate)),
            lambda: panel.model.set_filter(Filter()),
        ]
    )
    orders = (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder)
    sorted_ = cost(
        [lambda c=column, o=order: panel.table.sortByColumn(c, o) for column in columns for order in orders]  # type: ignore[misc]
    )
    places = [*np.linspace(0, bar.maximum(), 12).astype(int).tolist(), 1, 2, 3]
    scrolled = cost([lambda to=place: bar.setValue(to) for place in places])  # type: ignore[misc]
    panel.close()
    panel.deleteLater()
    return {"filter_ms": filtered, "sort_ms": sorted_, "scroll_ms": scrolled}


# ---- all of it -----------------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--plan", type=Path, help="a plan to run instead of the demo")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    choice = parser.parse_args()
    application = QApplication(sys.argv[:1])
    application.setStyle("Fusion")
    theme().apply()
    figures = {"shown_cpu_s": start_cost(), **table_costs()}
    stalls, times = run_for_real(read_plan(choice.plan) if choice.plan else demo_plan())
    late = [stall.ms for stall in stalls]
    figures |= {"p99_ms": float(np.percentile(late, 99)), "max_ms": max(late), **times}
    print(f"{len(stalls):,} beats in {stalls[-1].at:.1f} s; the latest:")
    for stall in sorted(stalls, key=lambda stall: -stall.ms)[:8]:
        print(f"  {stall.ms:6.1f} ms at {stall.at:6.2f} s  {stall.doing}")
    for name, bar in BARS.items():
        print(f"{name:15} {figures[name]:7.2f}  bar {bar:5.0f}  {'holds' if figures[name] < bar else 'missed'}")
    if choice.json:
        print(json.dumps({name: round(value, 2) for name, value in figures.items()}))
    return 0 if all(figures[name] < bar for name, bar in BARS.items()) else 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDITVIEW_HOME"] = home
        sys.exit(main())
