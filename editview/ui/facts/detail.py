"""One fact, opened: what became of it in words, every wording at every stage, and its course over training."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editview.ui.facts.answers import AnswersTable
from editview.ui.facts.curve import FactCurve, course, trained_stages
from editview.ui.facts.grid import FactsGrid
from editview.ui.facts.words import fate
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.panel import scrolling
from editview.ui.look.theme import BODY, SMALL, theme

_SIDE_BY_SIDE = 880  # width from which answers and curve stand beside each other
_PICTURE = 152  # height of a curve that can be read
_LEAST = 160  # height of tabs and a wording or two


class FactDetail(QWidget):
    """Answers and curve stand side by side or one above the other where there is room, else behind two tabs.

    What happened and the cross that closes it stay in sight; the rest scrolls where even one of them is too high.
    `failed` is told in a sentence when answers or curve couldn't be saved.
    """

    closed = Signal()

    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "raised")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("The fact")
        self._fact_id: str | None = None
        self._has_course = True  # it may be asked while something is trained
        self.said = Sentence(size=BODY)
        self.said.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._close = QToolButton()
        self._close.setText("✕")
        self._close.setToolTip("Close this fact (Esc)")
        self._close.setAccessibleName("Close this fact")
        self._close.clicked.connect(self.closed)
        self._tabs = QTabBar()
        self._tabs.addTab("Answers")
        self._tabs.addTab("Over training")
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._tabs.setAccessibleName("What to show of the fact")
        self._tabs.currentChanged.connect(lambda _: self._arrange())
        self.answers, self._legend = AnswersTable(failed), Words(size=SMALL, role="muted")
        self._legend.setWordWrap(True)
        self.curve, self._stages = FactCurve(failed), QComboBox()
        self._stages.setAccessibleName("Fine-tune to show")
        self._stages.activated.connect(lambda _: self._draw_course())
        self._no_course = Words(size=SMALL, role="muted")
        self._no_course.setWordWrap(True)
        self._no_course.setText(
            "How likely both answers are, step by step, is drawn here once a fine-tune asks this fact while it trains."
        )
        self._lay_out()

    def _lay_out(self) -> None:
        px = theme().px
        top = QHBoxLayout()
        top.addWidget(self.said, 1)
        top.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._texts, self._picture = QWidget(), QWidget()
        texts, picture = QVBoxLayout(self._texts), QVBoxLayout(self._picture)
        for column in (texts, picture):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(px(4))
        texts.addWidget(self.answers)
        texts.addWidget(self._legend)
        texts.addStretch(1)
        picture.addWidget(self._stages)
        picture.addWidget(self.curve, 1)
        picture.addWidget(self._no_course, 0, Qt.AlignmentFlag.AlignTop)
        self._body = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._body.setSpacing(px(8))
        self._body.addWidget(self._texts, 3)
        self._body.addWidget(self._picture, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(16), px(8), px(8), px(8))
        layout.setSpacing(px(4))
        layout.addLayout(top)
        layout.addWidget(self._scrolling(), 1)

    def _scrolling(self) -> QScrollArea:
        """Tabs and body, never squeezed below what can be read."""
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme().px(4))
        layout.addWidget(self._tabs, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(self._body, 1)
        self._scroll = scrolling(inside)
        return self._scroll

    # ---- what is shown ---------------------------------------------------------------------------------------

    def show_fact(self, grid: FactsGrid, row: int) -> None:
        fact, self._grid, self._row = grid.sheet.facts[row], grid, row
        self._has_course = not grid.of_two
        self.said.say(f"*{fact.subject or fact.prompt}* · {fate(grid, row)}")
        both = f"“{fact.wanted}” and “{fact.other}” are" if fact.other else f"“{fact.wanted}” is"
        self._legend.setText(f"Under each answer: how likely {both}")
        self.answers.show_fact(grid, row)
        self._offer_stages(fresh=fact.id != self._fact_id)
        self._fact_id = fact.id
        self._draw_course()
        self._arrange()

    def _offer_stages(self, fresh: bool) -> None:
        """Which fine-tune the curve shows: the one that lost the fact, or the last; others can be chosen."""
        trained = trained_stages(self._grid)
        if [self._stages.itemData(i) for i in range(self._stages.count())] != list(trained):
            self._stages.clear()
            for stage in trained:
                self._stages.addItem(f"{stage} {self._grid.titles[stage]}", stage)
            fresh = True
        lost_in = int(self._grid.lost_in_now[self._row])
        if fresh and trained:
            self._stages.setCurrentIndex(trained.index(lost_in) if lost_in in trained else len(trained) - 1)
        self._stages.setVisible(len(trained) > 1)

    def _draw_course(self) -> None:
        stage = self._stages.currentData()
        drawn = None if stage is None else course(self._grid, self._row, stage)
        self.curve.setVisible(drawn is not None)
        self._no_course.setVisible(drawn is None)
        self.curve.show_course(drawn)

    # ---- room ------------------------------------------------------------------------------------------------

    def wished_height(self) -> int:
        """What every wording needs; the curve shares that room, or waits behind its tab."""
        tabs, answers = self._tabs.sizeHint().height(), self.answers.sizeHint().height()
        legend = self._legend.heightForWidth(self._scroll.viewport().width())
        return self._height_over() + tabs + answers + legend + theme().px(12)

    def least_height(self) -> int:
        """With less, the table beside it isn't worth its room."""
        return self._height_over() + theme().px(_LEAST)

    def _height_over(self) -> int:
        said, close = self.said.heightForWidth(self.said.width()), self._close.sizeHint().height()
        return max(said, close) + theme().px(20)

    def settle(self) -> None:
        """Lay everything out at once, for the width it has."""
        layout = self.layout()
        assert layout is not None
        layout.activate()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        self._scroll.setMinimumHeight(theme().px(_LEAST))
        wide = self.width() >= theme().px(_SIDE_BY_SIDE)
        roomy = wide or self.height() >= self.wished_height() + theme().px(_PICTURE)
        self._body.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._tabs.setVisible(self._has_course and not roomy)
        self._texts.setVisible(roomy or not self._has_course or self._tabs.currentIndex() == 0)
        self._picture.setVisible(self._has_course and (roomy or self._tabs.currentIndex() == 1))
