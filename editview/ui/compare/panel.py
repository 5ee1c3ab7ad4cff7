"""Compare: orders of the same operations, fact by fact, with what the difference is worth."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from editview.domain.facts import Group
from editview.domain.history import Recalled
from editview.domain.orders import comparable, compared, edits_kept, kept, order_key, order_name, orders, pair_up, told
from editview.domain.plan import Plan
from editview.domain.requests import RunPlan
from editview.domain.session import Run, RunState
from editview.domain.side_by_side import SideBySide, side_by_side
from editview.ui.compare.quadrants import Quadrants
from editview.ui.compare.table import CompareModel, CompareTable
from editview.ui.hub import Hub
from editview.ui.look.panel import Panel
from editview.ui.look.rows_out import offer_rows
from editview.ui.look.theme import theme
from editview.ui.problem import Problem

ONE_STEP = "A comparison needs a plan with two different steps switched on. Add another step to the plan."
NOT_RUN = "The order of steps can decide what survives. *Compare orders* runs the same steps in another order."
ONE_ORDER = "*{}* has run. *Compare orders* runs the same steps in another order and lays both side by side."

ON_THE_WAY = "The comparison comes when both orders have run."


class ComparePanel(Panel):
    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__("Compare", parent)
        self._hub = hub
        self._runs: list[Run] = []
        self._queued: dict[str, str] = {}  # order key: name, of what was asked for and hasn't begun
        self._comparing = False  # orders were asked for that haven't all ended
        self.button = QPushButton("Compare orders")
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.first, self.second = self._chooser("First order"), self._chooser("Second order")
        self.picture = Quadrants(lambda sentence: hub.problem.emit(Problem(sentence, "")))
        self.only = QPushButton("Only differences")
        self.only.setCheckable(True)
        self.only.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._scores: dict[str, str] = {}  # by run: counted once, a finished run stays as it is
        self._laid: tuple[str, ...] = ()  # the runs that the table shows, and what is said of them
        self._sentence, self._others = "", list[str]()
        self.report = QPushButton("Save report…")
        self.report.setToolTip("Save this comparison as one file that opens in any browser")
        self.report.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.report.clicked.connect(self._save_report)
        self._any_two: SideBySide | None = None  # two runs that were chosen from all so far, instead of orders
        self._chosen: tuple[Recalled, ...] = ()  # which two those are
        self.back = QPushButton("Back to orders")
        self.back.setToolTip("Show the orders of the plan's own steps again")
        self.back.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.back.clicked.connect(self._show_orders)
        self.tools = QWidget()
        row = QHBoxLayout(self.tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.only)
        row.addWidget(self.report)
        row.addStretch(1)
        self.model = CompareModel(self)
        self.table = CompareTable(self.model)
        offer_rows(self.table, self.model.lines, lambda sentence: hub.problem.emit(Problem(sentence, "")))
        for widget in (self.first, self.second, self.picture, self.tools, self.table, self.button, self.back):
            self.body.addWidget(widget, widget is self.table)
        self.body.addStretch(0)
        self.setFocusProxy(self.button)
        self.button.clicked.connect(self._asked)
        self.only.toggled.connect(self.model.set_only_differences)
        for signal in (hub.runs_changed, hub.run_started, hub.plan_changed, hub.sheet_changed):
            signal.connect(self.draw_soon)
        hub.comparison_wanted.connect(lambda wanted: self._run(self._missing(wanted)))
        hub.pair_wanted.connect(self._show_any_two)
        hub.run_started.connect(self._began)
        hub.runs_changed.connect(self._ended)
        hub.problem.connect(self._forget)

    def _chooser(self, name: str) -> QComboBox:
        chooser = QComboBox()
        chooser.setAccessibleName(name)
        chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        chooser.setMinimumContentsLength(12)
        chooser.activated.connect(self._lay_side_by_side)
        return chooser

    # ---- asking for another order ----------------------------------------------------------------------------

    def _comparable(self, plan: Plan) -> list[Run]:
        sheet = self._hub.sheet or (self._hub.run.sheet if self._hub.run else None)
        return comparable(self._hub.session.runs.values(), plan, sheet) if sheet else []

    def _missing(self, wanted: Sequence[Plan] | None = None) -> list[Plan]:
        """Of these orders, or all of the plan on the table, those that were neither run nor asked for."""
        runs = self._hub.session.runs.values()
        have = {order_key(run.plan) for run in runs if run.state is RunState.RUNNING} | set(self._queued)
        have |= {order_key(run.plan) for run in self._comparable(self._hub.plan)}
        wanted = orders(self._hub.plan) if wanted is None else wanted
        return [plan for plan in wanted if order_key(plan) not in have]

    def _asked(self) -> None:
        if len(orders(self._hub.plan)) == 2:
            self._run(self._missing())
        else:
            self.menu().popup(self.button.mapToGlobal(self.button.rect().bottomLeft()))

    def menu(self) -> QMenu:
        """Every order that could be run; those that were run or asked for are ticked off."""
        menu, missing = QMenu(self), self._missing()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        own = [plan for plan in missing if plan is self._hub.plan]
        for plan in orders(self._hub.plan):
            action = menu.addAction(order_name(plan) if plan in missing else f"{order_name(plan)}  ✓")
            action.setEnabled(plan in missing)
            wanted = own if plan is self._hub.plan else [*own, plan]
            action.triggered.connect(lambda _=False, wanted=wanted: self._run(wanted))
        return menu

    def _run(self, plans: list[Plan]) -> None:
        sheet = self._hub.sheet
        if sheet is None:
            return
        self._comparing, self._any_two = bool(plans), None
        for plan in plans:
            self._queued[order_key(plan)] = order_name(plan)
            self._hub.send(RunPlan(plan, sheet))
        self.draw()

    def _began(self) -> None:
        if self._hub.run is not None:
            self._queued.pop(order_key(self._hub.run.plan), None)

    def _ended(self) -> None:
        latest = self._hub.session.latest
        if latest is not None and latest.state is RunState.STOPPED:
            self._forget()
        if self._comparing and not self._queued and latest is not None and latest.state is not RunState.RUNNING:
            self._comparing = False
            self._show_own_order()

    def _show_own_order(self) -> None:
        """Once the other orders have run, the window is about the plan again."""
        own = order_key(self._hub.plan)
        run = next((run for run in self._comparable(self._hub.plan) if order_key(run.plan) == own), None)
        if run is not None and run is not self._hub.run:
            self._hub.show_run(run)

    def _forget(self, _: object = None) -> None:
        self._queued.clear()
        self.draw_soon()

    # ---- showing ---------------------------------------------------------------------------------------------

    def _base(self) -> Plan:
        """The plan whose orders are shown: the one on the table, or the shown run's while that one never ran."""
        run = self._hub.run
        return self._hub.plan if run is None or self._comparable(self._hub.plan) else run.plan

    def _show_any_two(self, chosen: tuple[Recalled, Recalled]) -> None:
        """Two runs from the list of all so far, whatever their plans."""
        self._chosen = chosen
        self._any_two = found = side_by_side(*chosen, time.time())
        self._laid = ()
        self.picture.show_kept(found.edits, found.names)
        self.model.show_pairs(list(found.pairs), found.names)
        self.draw()

    def _show_orders(self) -> None:
        self._any_two = None
        self.draw()

    def _draw_any_two(self, found: SideBySide) -> None:
        some = bool(found.pairs)
        shown: dict[QWidget, bool] = {
            self.first: False, self.second: False, self.button: False, self.back: True,
            self.picture: found.edits is not None, self.tools: some, self.table: some,
        }  # fmt: skip
        for widget, visible in shown.items():
            widget.setVisible(visible)
        self.report.setEnabled(all(one.run.state is not RunState.RUNNING for one in self._chosen))
        self.say(found.sentence, "\n".join([*map(told, found.others), *found.remarks]))

    def _save_report(self) -> None:
        """Of what is shown."""
        if self._any_two is not None:
            self._hub.pair_report_wanted.emit(self._chosen)
        else:
            self._hub.report_wanted.emit(self._pair())

    def draw(self) -> None:
        if self._any_two is not None:
            self._draw_any_two(self._any_two)
            return
        self.back.hide()
        self._runs = self._comparable(self._base())
        self._fill(self.first, 0)
        self._fill(self.second, len(self._runs) - 1)
        several = len(orders(self._hub.plan)) > 1
        self.button.setVisible(several and bool(self._missing()))
        self.button.setEnabled(self._hub.sheet is not None)
        both = len(self._runs) > 1
        for widget in (self.picture, self.tools, self.table):
            widget.setVisible(both)
        for chooser in (self.first, self.second):
            chooser.setVisible(len(self._runs) > 2)
        if both:
            self._lay_side_by_side()
        elif not several:
            self.say(ONE_STEP, self._under_way())
        elif not self._missing():
            self.say(ON_THE_WAY, self._under_way())
        else:
            said = ONE_ORDER.format(order_name(self._runs[0].plan)) if self._runs else NOT_RUN
            self.say(said, self._under_way() or self._hub.to_do)

    def _fill(self, chooser: QComboBox, preset: int) -> None:
        """List the orders; keep the choice where it is still there."""
        keys = [order_key(run.plan) for run in self._runs]
        chosen = keys.index(chooser.currentData()) if chooser.currentData() in keys and len(keys) > 2 else preset
        chooser.clear()
        for run, key in zip(self._runs, keys, strict=True):
            words = f"{self._score(run)}{order_name(run.plan)}"
            short = chooser.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, theme().px(280))
            chooser.addItem(short, key)
            chooser.setItemData(chooser.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
        chooser.setCurrentIndex(chosen)

    def _score(self, run: Run) -> str:
        if run.id not in self._scores:
            stand, made = edits_kept(run)
            self._scores[run.id] = f"{stand:,} of {made:,}: " if made else ""
        return self._scores[run.id]

    def _pair(self) -> tuple[Run, Run]:
        return self._runs[self.first.currentIndex()], self._runs[self.second.currentIndex()]

    def _lay_side_by_side(self) -> None:
        first, second = self._pair()
        self.report.setEnabled(first is not second)
        if self._laid != (first.id, second.id):
            self._laid = (first.id, second.id)
            names = order_name(first.plan), order_name(second.plan)
            pairs = pair_up(first, second)
            edits, *others = (kept(first, pairs, group) for group in (Group.EDITED, Group.NEIGHBOURS, Group.CONTROL))
            self._sentence = compared(names, edits)
            if first is second:
                self._sentence = "Choose two different orders to compare."
            self._others = [told(other) for other in others if other]
            self.picture.show_kept(edits, names)
            self.model.show_pairs(pairs, names)
        self.say(self._sentence, "\n".join(filter(None, [*self._others, self._under_way()])))

    def _under_way(self) -> str:
        latest = self._hub.session.latest
        parts = []
        if latest is not None and latest.state is RunState.RUNNING:
            parts.append(f"*{order_name(latest.plan)}* is running.")
        parts += [f"*{name}* runs next." for name in self._queued.values()]
        return " ".join(parts)
