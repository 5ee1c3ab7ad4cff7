"""Ask: a prompt of the user's own, answered by any two stages side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from editview.domain.differing import differing
from editview.domain.events import Replied
from editview.domain.facts import Group
from editview.domain.requests import AskModel
from editview.domain.sentences import stage_titles, stage_verbs
from editview.domain.session import Run, RunState, StageState
from editview.ui.ask.answer_card import AnswerCard
from editview.ui.hub import Hub
from editview.ui.look.labels import Words
from editview.ui.look.panel import Panel
from editview.ui.look.rows_out import Lines, offer_rows
from editview.ui.look.theme import BODY, SMALL, theme

NO_RUN = "Nothing has run yet. {}"
NEXT = "Press *Run*; then any two stages answer what you type here, side by side."
READY = "Type the beginning of a sentence: two stages of the model go on with it, side by side."
EXAMPLES, REMEMBERED = 3, 20


@dataclass(frozen=True, slots=True)
class Exchange:
    """A prompt, the stages asked and, once they are there, their answers."""

    prompt: str
    keys: tuple[str, str]
    titles: tuple[str, str]
    paths: tuple[str, str]  # what was done to each, in order: 'Edit → Fine-tune'
    answers: tuple[str, str] | None = None


class _Offer(NamedTuple):
    """A stage that can be asked."""

    short: str
    title: str
    path: str
    key: str


class AskPanel(Panel):
    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__("Ask", parent)
        self._hub = hub
        self._waiting: list[Exchange] = []
        self._answered: list[Exchange] = []  # the latest first
        self._shown: Exchange | None = None
        self._offered: list[_Offer] = []  # the stages in the choosers
        self._suggested: list[str] = []
        self._missed = ""  # why there was no answer
        self.prompt = QLineEdit(placeholderText="The capital of France is")
        self.prompt.setAccessibleName("Prompt")
        self.button = QPushButton("Ask")
        self.stages = self._chooser("First stage"), self._chooser("Second stage")
        self.cards = AnswerCard(), AnswerCard()
        self.from_sheet = Words("From the fact sheet", SMALL, "muted")
        self.examples = QVBoxLayout()
        self.examples.addWidget(self.from_sheet)
        self._buttons: list[QPushButton] = []
        self.earlier = Words("Asked before", SMALL, "muted")
        self.history = QListWidget()
        self.history.setAccessibleName("Asked before")
        self.history.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        offer_rows(self.history, self._lines, hub.noted.emit)  # a problem ends what is being asked
        self.history.setFrameShape(QListWidget.Shape.NoFrame)
        self.history.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusProxy(self.prompt)
        self._lay_out()
        self.prompt.returnPressed.connect(self.ask)
        self.button.clicked.connect(self.ask)
        self.history.currentRowChanged.connect(self._look_back)
        for signal in (hub.run_started, hub.run_changed, hub.runs_changed, hub.plan_changed, hub.sheet_changed):
            signal.connect(self.draw_soon)
        hub.replies.replied.connect(self._replied)
        hub.problem.connect(self._failed)
        hub.runs_changed.connect(self._run_ended)
        theme().follow(self._dress_fields)

    def _chooser(self, name: str) -> QComboBox:
        chooser = QComboBox()
        chooser.setAccessibleName(name)
        chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        chooser.setMinimumContentsLength(8)
        return chooser

    def _lay_out(self) -> None:
        line, grid = QHBoxLayout(), QGridLayout()
        line.addWidget(self.prompt, 1)
        line.addWidget(self.button)
        for column, (chooser, card) in enumerate(zip(self.stages, self.cards, strict=True)):
            grid.addWidget(chooser, 0, column)
            grid.addWidget(card, 1, column)
            grid.setColumnStretch(column, 1)
        for layout in (line, grid, self.examples):
            self.body.addLayout(layout)
        self.body.addWidget(self.earlier)
        self.body.addWidget(self.history, 20)
        self.body.addStretch(1)

    def _dress_fields(self) -> None:
        for field in (self.prompt, self.button, *self.stages):
            field.setFont(theme().font(BODY))
        self.history.setFont(theme().font(SMALL))
        self.history.setSpacing(theme().px(2))
        self.history.setMinimumHeight(theme().px(96))

    # ---- asking ----------------------------------------------------------------------------------------------

    def ask(self) -> None:
        run, prompt = self._hub.run, self.prompt.text().strip()
        first, second = (chooser.currentIndex() for chooser in self.stages)
        if run is None or not prompt or min(first, second) < 0:
            return
        one, two = self._offered[first], self._offered[second]
        keys = one.key, two.key
        asked = Exchange(prompt, keys, (one.title, two.title), (one.path, two.path))
        self._waiting.append(asked)
        self._shown, self._missed = asked, ""
        self.prompt.selectAll()
        self._hub.send(AskModel(run.plan, prompt, keys))
        self.draw()

    def _ask_example(self, prompt: str) -> None:
        self.prompt.setText(prompt)
        self.ask()

    def _replied(self, event: Replied) -> None:
        found = next((e for e in self._waiting if (e.prompt, e.keys) == (event.prompt, event.stage_keys)), None)
        if found is None or len(event.answers) != 2:
            return
        self._waiting.remove(found)
        answered = replace(found, answers=(event.answers[0], event.answers[1]))
        self._answered = [answered, *(e for e in self._answered if e != answered)][:REMEMBERED]
        self._shown = answered
        self._list_history()
        self.draw_soon()

    def _failed(self, _: object) -> None:
        self._give_up("There was no answer. What went wrong is said above; then ask again.")

    def _run_ended(self) -> None:
        latest = self._hub.session.latest
        if latest is not None and latest.state is RunState.STOPPED:
            self._give_up("Stop ended this question too. Ask again.")

    def _give_up(self, why: str) -> None:
        """Failing and stopping take what waits with them."""
        if self._waiting:
            self._waiting.clear()
            self._shown, self._missed = None, why
            self.draw_soon()

    # ---- looking back ----------------------------------------------------------------------------------------

    def _list_history(self) -> None:
        self.history.blockSignals(True)
        self.history.clear()
        for exchange in self._answered:
            answers = [answer.strip() for answer in exchange.answers or ("", "")]
            lines = [f"{path}: {answer}" for path, answer in zip(exchange.paths, answers, strict=True)]
            item = QListWidgetItem("\n".join([exchange.prompt, *lines]))
            item.setToolTip("\n".join(f"{t}: {a}" for t, a in zip(exchange.titles, answers, strict=True)))
            self.history.addItem(item)
        self.history.setCurrentRow(0)
        self.history.blockSignals(False)

    def _lines(self, rows: Sequence[int]) -> Lines:
        lines: Lines = [["prompt", "first stage", "first answer", "second stage", "second answer"]]
        for exchange in (self._answered[row] for row in rows):
            (first, second), answers = exchange.paths, exchange.answers or ("", "")
            lines.append([exchange.prompt, first, answers[0], second, answers[1]])
        return lines

    def _look_back(self, row: int) -> None:
        if 0 <= row < len(self._answered):
            self._shown = self._answered[row]
            self.draw()

    # ---- showing ---------------------------------------------------------------------------------------------

    def draw(self) -> None:
        run = self._hub.run
        self._offer(run)
        for widget in (self.prompt, self.button, *self.stages):
            widget.setEnabled(run is not None)
        self._say(run)
        shown = self._shown
        if shown is not None and shown.answers is not None:
            said = zip(self.cards, shown.titles, shown.paths, differing(*shown.answers), strict=True)
            for card, title, path, words in said:
                card.show_answer(title, "" if path == title else path, shown.prompt, words)
        else:
            for card in self.cards:
                card.show_hint("" if shown is None else f"{shown.prompt} …")
        for card in self.cards:
            card.setVisible(shown is not None)
        self._suggest(run)
        for part in (self.earlier, self.history):
            part.setVisible(bool(self._answered))

    def _offer(self, run: Run | None) -> None:
        """List the stages that can be asked; a choice stays, the first and the last are preset."""
        offered = []
        if run is not None:
            asked = [s for s in run.stages if run.state is RunState.RUNNING or s.state in _KEPT]
            shorts, titles = stage_verbs(run), stage_titles(run)
            offered = [
                _Offer(shorts[at], titles[at], " → ".join(shorts[1 : at + 1]) or shorts[0], stage.info.key)
                for at, stage in ((stage.info.index, stage) for stage in asked)
            ]
        if offered == self._offered:
            return
        self._offered = offered
        keys = [offer.key for offer in offered]
        for chooser, preset in zip(self.stages, (0, len(offered) - 1), strict=True):
            before = chooser.currentData()
            chooser.clear()
            for offer in offered:
                chooser.addItem(offer.short, offer.key)
                chooser.setItemData(chooser.count() - 1, offer.title, Qt.ItemDataRole.ToolTipRole)
            chooser.setCurrentIndex(keys.index(before) if before in keys else preset)

    def _say(self, run: Run | None) -> None:
        shown, running = self._shown, run is not None and run.state is RunState.RUNNING
        if run is None:
            self.say(NO_RUN.format(self._hub.to_do or NEXT))
        elif shown is None:
            self.say(self._missed or READY, "A run is going on; answers come after it." if running else "")
        elif shown.answers is None:
            self.say("The answer comes after the run." if running else "Both stages are being asked.")
        else:
            first, second = (f"*{title}*" for title in shown.titles)
            alike = shown.answers[0].split() == shown.answers[1].split()
            how = "say the same" if alike else "say different things; what differs is underlined"
            self.say(f"{first} and {second} {how}.")

    def _suggest(self, run: Run | None) -> None:
        """Prompts from the fact sheet, as long as nothing was asked."""
        sheet = self._hub.sheet or (run.sheet if run else None)
        wanted = run is not None and sheet is not None and self._shown is None and not self._answered
        prompts = [fact.prompt for fact in sheet.group(Group.EDITED)[:EXAMPLES]] if wanted and sheet else []
        self.from_sheet.setVisible(bool(prompts))
        if prompts == self._suggested:
            return
        self._suggested = prompts
        for button in self._buttons:
            button.deleteLater()
        self._buttons = [self._example(prompt) for prompt in prompts]
        for button in self._buttons:
            self.examples.addWidget(button, alignment=Qt.AlignmentFlag.AlignLeft)

    def _example(self, prompt: str) -> QPushButton:
        button = QPushButton()
        button.setProperty("role", "quiet")
        button.setText(button.fontMetrics().elidedText(prompt, Qt.TextElideMode.ElideRight, theme().px(240)))
        button.setToolTip(prompt)
        button.setAccessibleName(f"Ask: {prompt}")
        button.clicked.connect(lambda: self._ask_example(prompt))
        return button


_KEPT = (StageState.DONE, StageState.REUSED)
