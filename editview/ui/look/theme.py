"""The look of the moment: the roles of `domain.look`, light or dark, type sizes, spacing. Everything drawn asks here.

`theme()` is the one theme of the process. Read `theme().roles` while painting; to set fonts or margins again when the
look changes, hand a bound method to `theme().follow`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication
from PySide6.QtWidgets import QApplication, QStyle

from editview.domain.look import DARK, LIGHT, Mark, Roles, State
from editview.ui.look.style import palette, style_sheet


class Mode(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


SMALL, BODY, LARGE, HEADLINE = 12, 14, 18, 28
"""The four type sizes, in pixels at scale 1 with a platform font of 14 pixels or less."""

SCALES = (0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)


class Theme(QObject):
    """The look of the moment. `changed` comes after palette, style sheet and the application's font are in place."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._mode = Mode.SYSTEM
        self._scale = 1.0
        self._base: float | None = None
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    @property
    def mode(self) -> Mode:
        return self._mode

    @property
    def scale(self) -> float:
        return self._scale

    @property
    def roles(self) -> Roles:
        if self._mode is Mode.SYSTEM:
            dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        else:
            dark = self._mode is Mode.DARK
        return DARK if dark else LIGHT

    def set_mode(self, mode: Mode) -> None:
        if mode is not self._mode:
            self._mode = mode
            self.apply()

    def set_scale(self, scale: float) -> None:
        scale = min(max(scale, SCALES[0]), SCALES[-1])
        if scale != self._scale:
            self._scale = scale
            self.apply()

    def remember(self, mode: Mode, scale: float) -> None:
        """Start with a look that was set before."""
        self._mode, self._scale = mode, min(max(scale, SCALES[0]), SCALES[-1])
        self.apply()

    def bigger(self) -> None:
        self.set_scale(next((scale for scale in SCALES if scale > self._scale + 1e-6), self._scale))

    def smaller(self) -> None:
        self.set_scale(next((scale for scale in reversed(SCALES) if scale < self._scale - 1e-6), self._scale))

    def apply(self) -> None:
        """Dress the application: called once at the start and after each change."""
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.setFont(self.font())
            application.setPalette(palette(self.roles))
            application.setStyleSheet(style_sheet(self.roles, self.px, SMALL))
        self.changed.emit()

    def follow(self, slot: Callable[[], None]) -> None:
        """Call a widget's bound method now and after each change of the look; it ends with the widget."""
        slot()
        self.changed.connect(slot)

    # ---- measures --------------------------------------------------------------------------------------------

    @property
    def _ratio(self) -> float:
        if self._base is None:
            self._base = float(QFontInfo(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)).pixelSize())
        return max(1.0, self._base / BODY) * self._scale

    def px(self, length: float) -> int:
        """A length in pixels at scale 1, as it is now. Lengths are multiples of 8, or 4 inside a control."""
        return round(length * self._ratio)

    def font(self, size: int = BODY, bold: bool = False) -> QFont:
        """The platform's font at one of the four sizes, with figures of equal width."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        font.setPixelSize(max(9, self.px(size)))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def motion(self, milliseconds: int = 160) -> int:
        """How long a movement may take; 0 where the system asks for none."""
        style = QApplication.style()
        hint = style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) if style else 0
        return min(milliseconds, 200) if hint > 0 else 0

    # ---- colours ---------------------------------------------------------------------------------------------

    def operation_colour(self, index: int) -> QColor:
        """The colour of the operation at this place of the plan, counted from 0, in every picture."""
        colours = self.roles.operations
        return QColor(colours[index % len(colours)])

    def _system_changed(self) -> None:
        if self._mode is Mode.SYSTEM:
            self.apply()


@cache
def theme() -> Theme:
    """The theme of the process; an application has to exist."""
    return Theme()


def state_of(mark: Mark) -> State:
    """The colours of a mark's state in the look of the moment."""
    state: State = getattr(theme().roles, mark.role)
    return state
