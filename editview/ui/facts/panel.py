"""The centre of the window: the sentence that sums up, the live table of facts, and the fact that is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from editview.domain.facts import FactSheet
from editview.domain.plan import Plan
from editview.ui.facts.detail import FactDetail
from editview.ui.facts.filter_bar import FilterBar
from editview.ui.facts.grid import FactsGrid
from editview.ui.facts.headline import Headline, Sayings, sayings
from editview.ui.facts.model import FactsModel
from editview.ui.facts.nothing_found import NothingFound
from editview.ui.facts.query import Filter, SortKey
from editview.ui.facts.table import FactsTable
from editview.ui.hub import Hub
from editview.ui.look.rows_out import offer_rows
from editview.ui.look.theme import theme
from editview.ui.problem import Problem


class FactsPanel(QWidget):
    """`say` sums a grid up beside the plan in the cards; `order` is that of the rows until a column is chosen."""

    def __init__(
        self,
        hub: Hub,
        parent: QWidget | None = None,
        *,
        say: Callable[[FactsGrid, Plan], Sayings] = sayings,
        order: SortKey | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Facts")
        self._hub, self._sayings = hub, say
        self.headline, self.filters = Headline(), FilterBar()
        self.model = FactsModel(self, order)
        self.table, self.detail = FactsTable(self.model), FactDetail(self._failed)
        offer_rows(self.table, self.model.lines, self._failed)
        self._nothing = NothingFound(self.table)
        self.detail.hide()
        self._lay_out()
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        px = theme().px
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.addWidget(self.table)
        self._split.addWidget(self.detail)
        self._split.setStretchFactor(0, 1)
        self._split.setChildrenCollapsible(False)
        self._split.setHandleWidth(px(8))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(16), px(8), px(16), px(8))
        layout.setSpacing(px(12))
        layout.addWidget(self.headline)
        layout.addWidget(self.filters)
        layout.addWidget(self._split, 1)

    def _connect(self) -> None:
        hub = self._hub
        hub.sheet_changed.connect(self._show)
        hub.plan_changed.connect(self._plan_changed)
        hub.run_started.connect(self._run_started)
        hub.run_changed.connect(self._read)
        self.filters.changed.connect(self._filter)
        self._nothing.clear.connect(self.filters.clear)
        self.table.opened.connect(self._open)
        self.table.went_to.connect(self._went_to)
        self.detail.closed.connect(self._close)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self).activated.connect(self.search)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._escape)

    # ---- what is shown ---------------------------------------------------------------------------------------

    def _source(self) -> tuple[FactSheet, Plan]:
        """The shown run's sheet and plan; before the first run, or on another sheet, those of the plan."""
        hub = self._hub
        if hub.run is not None and (hub.sheet is None or hub.run.sheet.facts == hub.sheet.facts):
            return hub.run.sheet, hub.run.plan
        return hub.sheet or FactSheet("", ()), hub.plan

    def _show(self) -> None:
        sheet, plan = self._source()
        run = self._hub.run if self._hub.run is not None and self._hub.run.sheet is sheet else None
        self.table.show_facts(sheet, plan, run, self.filters.filter)
        self._say()

    def _plan_changed(self) -> None:
        if self.model.grid.run is None:
            self._show()
        else:
            self._say_headline()

    def _run_started(self) -> None:
        self.filters.forget_category()
        self._show()

    def _read(self) -> None:
        if self.model.grid.run is self._hub.run:
            self.table.read()
            self._say()

    def _say(self) -> None:
        self._say_headline()
        self._count()
        if self.detail.isVisible():
            self._draw_detail()

    def _say_headline(self) -> None:
        told = self._sayings(self.model.grid, self._hub.plan)
        if not len(self.model.grid) and self._hub.sheet is None:
            missing = self._hub.sheet_missing
            told = replace(told, rest=f"{missing} {told.rest}") if missing else Sayings("", "Reading the facts")
        self.headline.say(told)

    def _filter(self, shown: Filter) -> None:
        self.model.set_filter(shown)
        self._count()

    def _count(self) -> None:
        rows = self.model.rowCount()
        self.filters.count(self.model.grid, rows)
        self._nothing.say(self.filters.filter, rows, self.model.grid)

    def _failed(self, sentence: str) -> None:
        self._hub.problem.emit(Problem(sentence, ""))

    def search(self) -> None:
        """Put the cursor into the search field."""
        if self.filters.isHidden():
            self._close()
        self.filters.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filters.search.selectAll()

    # ---- one fact --------------------------------------------------------------------------------------------

    def _went_to(self, fact_id: str) -> None:
        self._hub.selected_fact = fact_id
        if self.detail.isVisible():
            self._draw_detail()

    def _open(self, fact_id: str) -> None:
        self._hub.selected_fact = fact_id
        if not self.detail.isVisible():
            self.detail.show()
            self._draw_detail()
            for _ in range(2):  # what it needs is known once it has its width
                wished = self.detail.wished_height()
                self._split.setSizes([max(self._split.height() - wished, self.table.minimumHeight()), wished])
                self.detail.settle()
        self._draw_detail()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Where it is low, an opened fact stands in the place of filters and table."""
        over = self.headline.heightForWidth(self.headline.width()) + self.filters.sizeHint().height()
        room = self.height() - over - theme().px(48)
        low = not self.detail.isHidden() and room < self.table.minimumHeight() + self.detail.least_height()
        if low and self.table.hasFocus():
            self.detail.answers.setFocus()
        self.filters.setHidden(low)
        self.table.setHidden(low)

    def _draw_detail(self) -> None:
        row = self.model.grid.sheet.position.get(self._hub.selected_fact or "")
        if row is None:
            self._close()
        else:
            self.detail.show_fact(self.model.grid, row)
            self._make_room()

    def _escape(self) -> None:
        """Step back: out of the search first when the cursor is there, else close the fact."""
        if self.filters.search.hasFocus() and self.filters.search.text():
            self.filters.search.clear()
        elif self.detail.isVisible():
            self._close()

    def _close(self) -> None:
        self.detail.hide()
        self._make_room()
        self.table.setFocus()
