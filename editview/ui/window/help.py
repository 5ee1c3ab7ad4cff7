"""Help that is always at hand: the pages on the words the window uses, and the keys, made from the table of actions."""

from __future__ import annotations

import html

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QUrl
from PySide6.QtGui import QKeyEvent, QKeySequence, QTextBlockFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMainWindow,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editview.domain.help import matching, pages
from editview.ui.look.icons import icon
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.theme import BODY, theme
from editview.ui.look.word_help import word_help
from editview.ui.window.actions import Actions

FIRST = "fact"  # the page that is open when no word was asked about
_MARKDOWN = QTextDocument.ResourceType.MarkdownResource
_NAME = Qt.ItemDataRole.UserRole


class _Pages(QTextBrowser):
    """Shows the pages by their names, and goes from one to another by their links."""

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        page = pages().get(QUrl(name).fileName().removesuffix(".md"))
        return page.text if page is not None else ""

    def doSetSource(self, name: QUrl | str, /, type: QTextDocument.ResourceType = _MARKDOWN) -> None:
        super().doSetSource(name, type)
        apart, everything = QTextBlockFormat(), QTextCursor(self.document())
        apart.setBottomMargin(theme().px(8))  # Markdown is laid out without a gap between paragraphs
        everything.select(QTextCursor.SelectionType.Document)
        everything.mergeBlockFormat(apart)

    def open(self, name: str) -> None:
        self.setSource(QUrl(f"{name}.md"), _MARKDOWN)


class HelpBrowser(QDialog):
    """All pages, with a search. Stays open beside the window; `open_page` shows one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Help")
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search the help")
        self.search.setAccessibleName("Search the help")
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget(self)
        self.list.setAccessibleName("Help pages")
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.nothing = Words("No page has these words", BODY, "muted", parent=self)
        self.text = _Pages(self)
        self.text.setAccessibleName("Help page")
        self.text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.back = QToolButton(self)
        self.back.setText("Back")
        self.back.setIcon(icon("undo"))
        self.back.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.back.setToolTip("Back to the page before (Alt+Left)")
        self.back.setEnabled(False)
        self.back.clicked.connect(self.text.backward)
        self.search.textChanged.connect(self._find)
        self.search.installEventFilter(self)
        self.list.currentItemChanged.connect(self._chosen)
        self.text.backwardAvailable.connect(self.back.setEnabled)
        self.text.sourceChanged.connect(self._mark)
        self._lay_out()
        theme().follow(self._dress)
        self._find("")
        self.search.setFocus()

    def _lay_out(self) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        for widget in (self.search, self.nothing, self.list):
            left.addWidget(widget)
        right.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        right.addWidget(self.text, 1)
        self._layout = QHBoxLayout(self)
        self._layout.addLayout(left, 2)
        self._layout.addLayout(right, 5)

    def open_page(self, name: str) -> None:
        self.text.open(name or FIRST)
        self.show()
        self.raise_()
        self.activateWindow()

    def _find(self, typed: str) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for page in matching(typed):
            item = QListWidgetItem(page.title, self.list)
            item.setData(_NAME, page.name)
        self.list.blockSignals(False)
        self.nothing.setVisible(not self.list.count())
        self.list.setVisible(bool(self.list.count()))
        if typed and self.list.count():
            self.list.setCurrentRow(0)
        else:
            self._mark(self.text.source())

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.text.open(item.data(_NAME))

    def _mark(self, source: QUrl) -> None:
        """The list goes along with the links."""
        name = source.fileName().removesuffix(".md")
        rows = [row for row in range(self.list.count()) if self.list.item(row).data(_NAME) == name]
        self.list.blockSignals(True)
        self.list.setCurrentRow(rows[0] if rows else -1)
        self.list.blockSignals(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down walk the list while the typing goes on in the field."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if by is not None and self.list.count():
                self.list.setCurrentRow(min(max(self.list.currentRow() + by, 0), self.list.count() - 1))
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Back):
            self.text.backward()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # which closes a dialog otherwise
            super().keyPressEvent(event)

    def _dress(self) -> None:
        px = theme().px
        self._layout.setContentsMargins(px(16), px(16), px(16), px(16))
        self._layout.setSpacing(px(16))
        self.list.setFont(theme().font(BODY))
        self.list.setSpacing(px(2))
        self.text.document().setDefaultFont(theme().font(BODY))
        self.text.document().setDocumentMargin(px(8))
        self.text.reload()
        self.resize(QSize(px(760), px(520)))


class Help(QObject):
    """The one help browser of the program, opened over whatever has its turn: another window, or a dialog."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.browser: HelpBrowser | None = None
        word_help().wanted.connect(self.show)

    def show(self, name: str = "") -> None:
        """A page, or where the help begins."""
        if self.browser is None:
            self.browser = HelpBrowser(QApplication.activeModalWidget() or self._active_window())
            self.browser.destroyed.connect(self._closed)
        self.browser.open_page(name)

    def _active_window(self) -> QWidget:
        active = QApplication.activeWindow()
        return active if isinstance(active, QMainWindow) else self._window

    def _closed(self) -> None:
        self.browser = None


def show_keys(actions: Actions, parent: QWidget) -> None:
    title = "Everything can be done from the keyboard"
    rows = [
        (actions.by_id[row.id].shortcut().toString(QKeySequence.SequenceFormat.NativeText), row.title.rstrip("…"))
        for row in actions.rows
        if row.key
    ]
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    px, roles = theme().px, theme().roles
    cells = "".join(
        f"<tr><td style='padding: {px(6)}px {px(24)}px {px(6)}px 0'><b>{html.escape(keys)}</b></td>"
        f"<td style='padding: {px(6)}px 0; color: {roles.muted}'>{html.escape(meaning)}</td></tr>"
        for keys, meaning in rows
    )
    text = QTextBrowser(dialog)
    text.setHtml(f"<table>{cells}</table>")
    text.setAccessibleName(title)
    text.setFrameShape(QTextBrowser.Shape.NoFrame)
    buttons = QDialogButtonBox(dialog)
    buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(px(24), px(24), px(24), px(16))
    layout.setSpacing(px(16))
    layout.addWidget(Sentence(title, parent=dialog))
    layout.addWidget(text, 1)
    layout.addWidget(buttons)
    dialog.resize(px(600), px(600))
    dialog.exec()
    dialog.deleteLater()
