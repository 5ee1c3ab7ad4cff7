"""What the terminal shows: a bar while it goes on, a table at the end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from editview.domain.events import EngineLoading, Event, Noted
from editview.domain.facts import Group
from editview.domain.run_events import Progressed, StageFinished, StageStarted
from editview.domain.scores import SCORES, score_row
from editview.domain.sentences import duration, summary, time_left
from editview.domain.session import Run
from editview.domain.validation import gained
from editview.domain.verdicts import Verdict

_ENDLESS = 100_000  # columns

_NOUNS = {Group.EDITED: "Edits", Group.NEIGHBOURS: "Neighbours", Group.CONTROL: "Controls"}


@contextmanager
def ctrl_c() -> Iterator[threading.Event]:
    """Inside, the first Ctrl-C sets the event and the work winds up; a second one breaks off at once."""
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def wind_up(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, wind_up)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


class _Console(Console):
    """Breaks lines at words where the terminal ends; what is piped or kept in a file is neither broken nor cut."""

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = _ENDLESS

    def on_broken_pipe(self) -> None:
        """Nobody reads on: the command line knows what to do then."""
        raise  # what rich is handling


class Bar:
    """The bar of the work under way, on the error stream, so that output can be piped."""

    def __init__(self) -> None:
        self._console = _Console(stderr=True)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[left]}"))
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("", total=None, left="")

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, done: int, total: int, what: str, seconds_left: float | None = None) -> None:
        left = f"{time_left(seconds_left)} left" if seconds_left is not None and done < total else ""
        self._bar.update(self._task, description=what, completed=done, total=max(total, 1), left=left)

    def take(self, event: Event, run: Run | None) -> None:
        """Show an event of a run."""
        match event:
            case EngineLoading(what=what) if what:
                self.show(0, 1, what)
            case Noted(sentence=sentence):
                self._console.print(_plain(sentence))
            case Progressed(stage=stage, done=done, total=total, what=what, seconds_left=left) if run:
                self.show(done, total, f"{run.stages[stage].info.title}: {what}", left)
            case StageStarted(stage=stage) if run:
                self.show(0, 1, run.stages[stage].info.title)
            case StageFinished(stage=stage) if run:
                shown = run.stages[stage]
                said = (summary(run, stage), gained(shown.validations.values(), shown.kept_step))
                for sentence in filter(None, said):
                    self._console.print(_plain(f"{shown.info.title}: {sentence}"))


def show(what: Table | str, indent: int = 0) -> None:
    """Print a table, or a sentence."""
    shown = _plain(what) if isinstance(what, str) else what
    _Console().print(Padding(shown, (0, 0, 0, indent), expand=False) if indent else shown)


def grid(title: str, caption: str | None = None) -> Table:
    """An empty table as all of the terminal's look."""
    return Table(
        title=Text(title), caption=caption, box=SIMPLE_HEAD, pad_edge=False, title_justify="left",
        caption_justify="left",
    )  # fmt: skip


def show_widest(*tables: Table) -> None:
    """Print the first that the terminal shows without breaking a cell, else the last."""
    console = _Console()
    endless = console.options.update_width(_ENDLESS)
    fit = (one for one in tables if console.measure(one, options=endless).maximum <= console.width)
    console.print(next(fit, tables[-1]))


def table(run: Run) -> None:
    """Print how many facts of each group hold at each stage that was asked, and the sentence of the last."""
    shown = grid(run.plan.name)
    shown.add_column("Stage")
    for group, noun in _NOUNS.items():
        if run.sheet.group(group):
            shown.add_column(f"{noun} that hold", justify="right")
    shown.add_column("Tensors changed", justify="right")
    shown.add_column("Time", justify="right")
    for index, stage in enumerate(run.stages):
        cells = [stage.info.title]
        for group in _NOUNS:
            if (facts := run.sheet.group(group)) and not stage.checks:
                cells.append("")
            elif facts:
                counts = run.counts(index, group)
                weak = f" + {counts[Verdict.WEAK]:,} weak" if counts[Verdict.WEAK] else ""
                cells.append(f"{counts[Verdict.HOLDS]:,}{weak} of {len(facts):,}")
        cells += [
            f"{len(stage.changes):,}" if index and stage.seconds is not None else "",
            duration(stage.seconds) if stage.seconds else "",
        ]
        shown.add_row(*map(Text, cells))
    console = _Console()
    console.print(shown)
    if run.sheet.group(Group.EDITED):
        console.print(_scores_table(run))
    if run.last_checked is not None:
        console.print(_plain(summary(run, run.last_checked)))


def _scores_table(run: Run) -> Table:
    """The literature's figures at each stage; flipped and kept are counted from the stage before."""
    caption = (
        "Efficacy, paraphrases and neighbourhood in per cent, and their harmonic mean; strict: every token of the "
        "answer is the first choice; flipped: earlier edits that fail since the stage before; kept: controls that don't"
    )
    shown = grid("As the literature counts", caption)
    shown.add_column("Stage")
    for name in SCORES:
        shown.add_column(name, justify="right")
    for index, stage in enumerate(run.stages):
        shown.add_row(Text(stage.info.title), *score_row(run, index))
    return shown


def _plain(sentence: str) -> Text:
    """Sentences mark titles with asterisks; the terminal shows them upright."""
    return Text(sentence.replace("*", ""))
