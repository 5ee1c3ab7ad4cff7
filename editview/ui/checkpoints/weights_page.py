"""What differs in the weights: a picture by layer and kind, the table of tensors, and the spectrum of one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from editview.domain.difference import Difference
from editview.domain.two_checkpoints import (
    CROSSED,
    TensorRow,
    difference_map,
    nothing_to_see,
    place_words,
    told_of,
    why_no_spectrum,
)
from editview.domain.weight_map import Place, WeightMap, told
from editview.ui.checkpoints.spectrum_plot import SpectrumPlot
from editview.ui.checkpoints.tensor_model import TensorModel
from editview.ui.checkpoints.tensor_table import TensorTable
from editview.ui.look.labels import Sentence, Words
from editview.ui.look.panel import scrolling
from editview.ui.look.rows_out import offer_rows
from editview.ui.look.theme import BODY, SMALL, theme
from editview.ui.weights.picture import WeightsPicture

HINT = "Click a cell or a bar to see its tensors alone."
WAITING = "The spectrum is being worked out."
STOPPED = "The spectrum wasn't worked out."
_SPECTRUM = 144  # pixels of the height at scale 1


class WeightsPage(QWidget):
    def __init__(self, failed: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: Difference | None = None
        self._map: WeightMap | None = None
        self._without = ""  # why a tensor that changed has no spectrum
        self.picture = WeightsPicture(failed)
        self.nothing = Sentence("", BODY, "muted")  # in place of an empty picture
        self.chosen = Sentence(HINT, SMALL, "muted")
        self.search = QLineEdit(placeholderText="Search layers, parts and tensors", clearButtonEnabled=True)
        self.search.setAccessibleName("Search tensors")
        self.only = QPushButton("Only what changed")
        self.only.setCheckable(True)
        self.spectrum = QPushButton("Spectrum")
        self.spectrum.setToolTip("Show the spectrum of the selected tensor, or leave its room to the table")
        self.spectrum.setCheckable(True)
        self.spectrum.setChecked(True)
        self.count = Words("", SMALL, "muted")
        self.model = TensorModel(self)
        self.table = TensorTable(self.model)
        offer_rows(self.table, self.model.lines, failed)
        self.said = Sentence("", SMALL, "muted")
        self.plot = SpectrumPlot(failed)
        self._lay_out()
        self.search.textChanged.connect(self._searched)
        self.only.toggled.connect(self.model.set_only_changed)
        self.spectrum.toggled.connect(self._fold)
        self.splitters["tensors"].splitterMoved.connect(self.show_folds)
        self.model.modelReset.connect(self._counted)
        self.picture.chosen.connect(self._choose)
        self.table.went_to.connect(self._went_to)
        theme().follow(self._dress)
        px = theme().px
        self.splitters["pictures"].setSizes([px(416), px(832)])
        self.splitters["tensors"].setSizes([px(400), px(_SPECTRUM)])

    def _lay_out(self) -> None:
        left, tensors, one = QWidget(), QWidget(), QWidget()
        picture, table, below = QVBoxLayout(left), QVBoxLayout(tensors), QHBoxLayout(one)
        self._columns = picture, table, below
        picture.addWidget(self.nothing, 1, Qt.AlignmentFlag.AlignTop)
        picture.addWidget(self.picture, 1)
        picture.addWidget(self.chosen)
        self._tools = QHBoxLayout()
        self._tools.addWidget(self.search, 1)
        self._tools.addWidget(self.only)
        self._tools.addWidget(self.spectrum)
        self._tools.addWidget(self.count)
        table.addLayout(self._tools)
        table.addWidget(self.table, 1)
        below.addWidget(self.said, 1, Qt.AlignmentFlag.AlignTop)
        below.addWidget(self.plot, 2)
        right, across = QSplitter(Qt.Orientation.Vertical), QSplitter(Qt.Orientation.Horizontal)
        right.addWidget(tensors)
        right.addWidget(one)
        across.addWidget(scrolling(left))
        across.addWidget(right)
        right.setStretchFactor(0, 1)
        across.setStretchFactor(1, 1)
        for splitter in (right, across):
            splitter.setChildrenCollapsible(False)
        right.setCollapsible(1, True)
        self.splitters = {"tensors": right, "pictures": across}
        self._layout = QVBoxLayout(self)
        self._layout.addWidget(across)

    def _dress(self) -> None:
        px = theme().px
        self._layout.setContentsMargins(px(16), px(8), px(16), px(8))
        for column in self._columns:
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(px(8))
        self._tools.setSpacing(px(8))
        for splitter in self.splitters.values():
            splitter.setHandleWidth(px(16))

    def _fold(self, shown: bool) -> None:
        right = self.splitters["tensors"]
        if shown != bool(right.sizes()[1]):
            below = theme().px(_SPECTRUM) if shown else 0
            right.setSizes([sum(right.sizes()) - below, below])

    def show_folds(self) -> None:
        """After the room was shared out anew."""
        self.spectrum.setChecked(bool(self.splitters["tensors"].sizes()[1]))

    # ---- what is shown ---------------------------------------------------------------------------------------

    def show_difference(self, found: Difference | None, whole: bool, under_way: bool) -> None:
        """`whole`: the spectra are known, as far as there are any; `under_way`: they are being worked out."""
        self._without = WAITING if under_way and not whole else STOPPED
        if found is not self._found:
            if self._found is None or found is None:  # else the spectra have come
                self.picture.choose(None)
            self._found, self._map = found, difference_map(found) if found else None
            self.picture.show_map(self._map)
            self.model.show(found)
            if self.picture.place is None:
                self._hint()
        nothing = nothing_to_see(found) if found else ""
        self.nothing.say(nothing)
        self.nothing.setVisible(bool(nothing))
        self.picture.setVisible(not nothing)
        self.chosen.setVisible(found is not None and not nothing)
        self._went_to(self._current())

    def _current(self) -> TensorRow | None:
        at = self.table.currentIndex().row()
        return self.model.shown[at] if 0 <= at < len(self.model.shown) else None

    def _went_to(self, row: TensorRow | None) -> None:
        self.said.say(told_of(row) if row else "")
        spectrum = row.tensor.spectrum if row and row.tensor else None
        self.plot.show_spectrum(spectrum, why_no_spectrum(row) or self._without if row else "")

    def _counted(self) -> None:
        shown, count = len(self.model.shown), self.model.count
        words = f"{shown:,} of {count:,}" if shown < count else f"{count:,} tensors"
        self.count.setText(words if count else "")

    def _choose(self, place: Place) -> None:
        """Show the tensors of a place of the picture alone."""
        if self._map is not None:
            self.search.setText(place_words(place))
            self.picture.choose(place)
            self.chosen.say(told(self._map, place))

    def _searched(self, words: str) -> None:
        self.model.search(words)
        if self.picture.place is not None and words != place_words(self.picture.place):
            self.picture.choose(None)
            self._hint()

    def _hint(self) -> None:
        self.chosen.say(f"{HINT} {CROSSED}" if self._map and self._map.beside else HINT)
