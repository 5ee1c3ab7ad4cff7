"""Qt's palette and style sheet, made from the table of roles.

No rule names an item view: those slow big tables down. Tables and lists draw themselves through delegates; the list
with boxes to tick in a form is the exception.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QColor, QPalette

from editview.domain import places
from editview.domain.look import Roles


def palette(roles: Roles) -> QPalette:
    role = QPalette.ColorRole
    made = QPalette()
    for where, colour in {
        role.Window: roles.background,
        role.WindowText: roles.text,
        role.Base: roles.raised,
        role.AlternateBase: roles.sunken,
        role.Text: roles.text,
        role.PlaceholderText: roles.faint,
        role.Button: roles.raised,
        role.ButtonText: roles.text,
        role.BrightText: roles.on_accent,
        role.ToolTipBase: roles.text,
        role.ToolTipText: roles.raised,
        role.Highlight: roles.accent_tint,
        role.HighlightedText: roles.text,
        role.Link: roles.accent,
        role.LinkVisited: roles.accent,
        role.Light: roles.raised,
        role.Midlight: roles.line,
        role.Mid: roles.line,
        role.Dark: roles.faint,
        role.Shadow: roles.sunken,
        role.Accent: roles.accent,
    }.items():
        made.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        made.setColor(QPalette.ColorGroup.Disabled, where, QColor(roles.faint))
    return made


def style_sheet(roles: Roles, px: Callable[[float], int], small: int) -> str:
    """Rules for buttons, fields, menus, tabs and bars. A `role` property picks the words' rank or a button's kind.

    `px` gives a length in pixels as it is now, `small` is the size of small words at scale 1.
    """
    icons = (places.resources() / "icons").as_posix()  # those named here are of a grey seen on both grounds
    return f"""
QLabel[role="muted"] {{ color: {roles.muted}; }}
QLabel[role="accent"] {{ color: {roles.accent}; }}
QLabel[role="holds"] {{ color: {roles.holds.ink}; }}
QLabel[role="weak"] {{ color: {roles.weak.ink}; }}
QLabel[role="fails"] {{ color: {roles.fails.ink}; }}

*[surface="raised"] {{ background: {roles.raised}; }}
*[surface="background"] {{ background: {roles.background}; }}

QPushButton, QToolButton {{
    background: {roles.raised}; color: {roles.text}; border: 1px solid {roles.line};
    border-radius: {px(6)}px; padding: {px(6)}px {px(12)}px;
}}
QToolButton {{ background: transparent; border-color: transparent; padding: {px(4)}px {px(8)}px; }}
QPushButton:hover, QToolButton:hover {{ background: {roles.accent_tint}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {roles.line}; }}
QPushButton:checked, QToolButton:checked {{ background: {roles.accent_tint}; color: {roles.accent}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {roles.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {roles.faint}; }}
QPushButton[role="primary"] {{
    background: {roles.accent_fill}; color: {roles.on_accent}; border-color: {roles.accent_fill}; font-weight: 600;
    padding: {px(8)}px {px(24)}px;
}}
QPushButton[role="primary"]:hover {{ border-color: {roles.text}; }}
QPushButton[role="primary"]:disabled {{
    background: {roles.sunken}; color: {roles.faint}; border-color: {roles.line};
}}
QPushButton[role="quiet"] {{ background: transparent; border-color: transparent; color: {roles.accent}; }}
QPushButton[role="quiet"]:hover {{ background: {roles.accent_tint}; }}
QPushButton[role="card"] {{ background: {roles.raised}; border-color: {roles.line}; text-align: left; }}
QPushButton[role="card"]:hover {{ border-color: {roles.accent}; background: {roles.accent_tint}; }}
QPushButton[role="card"]:disabled {{ background: transparent; }}
QPushButton[role="quiet"]:focus {{ border-color: {roles.accent}; }}
QToolButton::menu-indicator {{ image: none; }}
QPushButton::menu-indicator {{ image: none; }}
QToolButton[role="chip"] {{
    background: {roles.raised}; border: 1px solid {roles.line}; border-radius: {px(14)}px;
    padding: {px(4)}px {px(4)}px {px(4)}px {px(12)}px; min-height: {px(18)}px;
}}
QToolButton[role="chip"]:hover {{ border-color: {roles.faint}; background: {roles.raised}; }}
QToolButton[role="chip"]:focus {{ border-color: {roles.accent}; }}
QToolButton[role="icon"] {{ padding: {px(4)}px; }}

QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox {{
    background: {roles.raised}; color: {roles.text}; border: 1px solid {roles.line};
    border-radius: {px(6)}px; padding: {px(6)}px {px(8)}px;
    selection-background-color: {roles.accent_fill}; selection-color: {roles.on_accent};
}}
QLineEdit:hover, QPlainTextEdit:hover, QTextEdit:hover, QAbstractSpinBox:hover, QComboBox:hover {{
    border-color: {roles.faint};
}}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{
    border-color: {roles.accent};
}}
QAbstractSpinBox {{ padding: {px(5)}px 0; }}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{ background: transparent; border: none; }}
QComboBox QLineEdit {{ padding: 0; }}
QComboBox::drop-down, QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
    background: transparent; border: none; width: {px(20)}px; subcontrol-origin: border;
}}
QComboBox::drop-down {{ subcontrol-position: center right; width: {px(24)}px; }}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; }}
QComboBox::down-arrow, QAbstractSpinBox::down-arrow {{ image: url({icons}/arrow-down.svg); }}
QAbstractSpinBox::up-arrow {{ image: url({icons}/arrow-up.svg); }}
QComboBox::down-arrow, QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow {{
    width: {px(12)}px; height: {px(12)}px;
}}

QLineEdit[state="fails"], QAbstractSpinBox[state="fails"] {{ border-color: {roles.fails.mark}; }}
QLineEdit[role="title"] {{ background: transparent; border-color: transparent; padding: {px(2)}px {px(4)}px; }}
QLineEdit[role="title"]:hover {{ border-color: {roles.line}; }}
QLineEdit[role="title"]:focus {{ background: {roles.raised}; border-color: {roles.accent}; }}

QCheckBox {{ spacing: {px(8)}px; }}
QCheckBox::indicator, QListWidget#ticks::indicator {{
    width: {px(14)}px; height: {px(14)}px; border: 1px solid {roles.faint}; border-radius: {px(4)}px;
    background: {roles.raised};
}}
QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border-color: {roles.accent}; }}
QCheckBox::indicator:checked, QListWidget#ticks::indicator:checked {{ image: url({icons}/check.svg); }}
QListWidget#ticks {{ border: 1px solid {roles.line}; border-radius: {px(6)}px; padding: {px(4)}px; }}

QMenuBar {{ background: {roles.background}; color: {roles.text}; }}
QMenuBar::item {{ background: transparent; padding: {px(4)}px {px(8)}px; border-radius: {px(4)}px; }}
QMenuBar::item:selected {{ background: {roles.accent_tint}; }}
QMenu {{
    background: {roles.raised}; color: {roles.text}; border: 1px solid {roles.line}; padding: {px(4)}px;
}}
QMenu::item {{ padding: {px(6)}px {px(24)}px {px(6)}px {px(12)}px; border-radius: {px(4)}px; }}
QMenu::item:selected {{ background: {roles.accent_tint}; color: {roles.text}; }}
QMenu::item:disabled {{ color: {roles.faint}; }}
QMenu::icon {{ padding-left: {px(8)}px; }}
QMenu::indicator {{ width: {px(16)}px; height: {px(16)}px; margin-left: {px(4)}px; }}
QMenu::indicator:checked {{ image: url({icons}/check.svg); }}
QMenu::separator {{ height: 1px; background: {roles.line}; margin: {px(4)}px {px(8)}px; }}

QTabWidget::pane {{ border: none; }}
QTabBar {{ background: transparent; }}
QTabBar::tab {{
    background: transparent; color: {roles.muted}; border: none; border-bottom: 2px solid transparent;
    padding: {px(8)}px {px(12)}px; margin-right: {px(4)}px;
}}
QTabBar::tab:hover {{ color: {roles.text}; }}
QTabBar::tab:selected {{ color: {roles.text}; border-bottom-color: {roles.accent}; }}
QTabBar::tab:focus {{ color: {roles.accent}; }}

QSplitter::handle {{ background: transparent; }}
QSplitter::handle:hover {{ background: {roles.accent_tint}; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollArea::corner {{ border: none; background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: {px(12)}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {px(12)}px; margin: 0; }}
QScrollBar::handle {{ background: {roles.line}; border-radius: {px(4)}px; margin: {px(2)}px; }}
QScrollBar::handle:vertical {{ min-height: {px(32)}px; }}
QScrollBar::handle:horizontal {{ min-width: {px(32)}px; }}
QScrollBar::handle:hover {{ background: {roles.faint}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}

QProgressBar {{
    background: {roles.line}; border: none; border-radius: {px(2)}px; max-height: {px(4)}px; min-height: {px(4)}px;
}}
QProgressBar::chunk {{ background: {roles.accent_fill}; border-radius: {px(2)}px; }}
QStatusBar {{ background: {roles.background}; color: {roles.muted}; }}
QStatusBar::item {{ border: none; }}
QToolTip {{
    background: {roles.raised}; color: {roles.text}; border: 1px solid {roles.line};
    padding: {px(3)}px {px(5)}px; /* Qt adds it twice, and a little */
    font-size: {px(small)}px;
}}
"""
