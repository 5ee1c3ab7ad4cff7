"""Everything the window can do as one table: menus, shortcuts, buttons and the command palette come from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from editview.ui.look.icons import icon


@dataclass(frozen=True, slots=True)
class Action:
    """One row. `possible` says whether it can be done now, `why_not` why it can't where that needs to be said; `on`
    whether a switch is on (None: it is no switch).

    `in_list` keys work only while a card of the plan has the focus.
    """

    id: str
    menu: str
    title: str
    run: Callable[[], object]
    key: str = ""
    icon: str = ""
    possible: Callable[[], bool] | None = None
    on: Callable[[], bool] | None = None
    why_not: Callable[[], str] | None = None
    in_list: bool = False
    group: int = 0  # a line stands between the groups of a menu


class Actions:
    """The table as Qt's actions, by id. `refresh` asks each row again whether it is possible and on."""

    def __init__(self, rows: Iterable[Action], parent: QWidget) -> None:
        self.rows = tuple(rows)
        self.by_id: dict[str, QAction] = {}
        for row in self.rows:
            action = QAction(row.title, parent)
            action.setObjectName(row.id)
            if row.icon:
                action.setIcon(icon(row.icon))
            if row.key:
                action.setShortcut(QKeySequence(row.key))
                keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                action.setToolTip(f"{row.title.rstrip('…')} ({keys})")
            if row.in_list:
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            else:
                parent.addAction(action)
            action.setCheckable(row.on is not None)
            action.triggered.connect(lambda _checked=False, row=row: self._run(row))
            self.by_id[row.id] = action
        self.refresh()

    def _run(self, row: Action) -> None:
        row.run()
        self.refresh()

    def refresh(self) -> None:
        for row in self.rows:
            action = self.by_id[row.id]
            if row.possible is not None:
                action.setEnabled(row.possible())
            if row.why_not is not None:
                reason = row.why_not()
                action.setEnabled(not reason)
                action.setToolTip(reason or row.title)
            if row.on is not None:
                action.setChecked(row.on())

    def fill(self, bar: QMenuBar, before: Mapping[str, QMenu]) -> None:
        """Make the menus, in the order in which the table names them; further ones stand `before` an action."""
        menus: dict[str, QMenu] = {}
        groups: dict[str, int] = {}
        for row in self.rows:
            menu = menus.setdefault(row.menu, QMenu(row.menu, bar))
            if groups.setdefault(row.menu, row.group) != row.group:
                menu.addSeparator()
                groups[row.menu] = row.group
            if row.id in before:
                menu.addMenu(before[row.id])
            menu.addAction(self.by_id[row.id])
        for menu in menus.values():
            menu.setToolTipsVisible(True)
            bar.addMenu(menu)
