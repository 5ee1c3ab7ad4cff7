"""Choosing AlphaEdit's threshold with the spectrum in sight: how many directions it leaves free to be written."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QWidget

from editview.domain.events import KeySpectra
from editview.domain.requests import KeySpectrum
from editview.domain.spectrum import Spectrum, kept, warning
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.theme import BODY, SMALL
from editview.ui.plan.inquiry import Inquiry
from editview.ui.plan.spectrum_picture import SpectrumPicture

QUESTION = "Which directions does ordinary text leave unused?"
HOW = (
    "The model reads the text for statistics. How strongly the text uses each direction of a layer's memory shows what "
    "can be written without disturbing the rest."
)
HINT = (
    "Drag the line, or move it by the arrow keys. Higher: more room for the new facts; lower: more of what the model "
    "knows is protected."
)


class SpectrumDialog(Inquiry):
    """After `exec` said yes, `threshold` is the one that was chosen. Layers are counted from 0."""

    def __init__(
        self, hub: Hub, layers: tuple[int, ...], text: str, tokens: int, threshold: float,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(hub, "Spectrum and threshold", QUESTION, HOW, hub.replies.spectra_known, parent)
        self._layers, self._text, self._tokens = layers, text, tokens
        self._spectra: tuple[Spectrum, ...] = ()
        self.threshold = threshold
        self.picture = SpectrumPicture(self.note.say, self)
        self.picture.moved.connect(self._moved)
        self.warning = Sentence("", BODY, "fails", self)
        self.hint = Sentence(HINT, SMALL, "muted", self)
        self.use = QPushButton("Use this threshold", self)
        self.use.setProperty("role", "primary")
        self.use.clicked.connect(self.accept)
        self.lay_out(self.picture, self.warning, self.hint, buttons=(self.use,))
        self.begin()

    def request(self) -> KeySpectrum | str:
        if not self._layers:
            return "The step names no layers. Write them into its card, or find them there; then look again."
        return KeySpectrum(self.hub.plan.checkpoint, self._layers, self._text, self._tokens)

    def show_nothing(self) -> None:
        self._show(())

    def show_answer(self, event: KeySpectra) -> None:
        self._show(event.spectra)
        self.use.setDefault(True)
        self.picture.setFocus()

    def _show(self, spectra: tuple[Spectrum, ...]) -> None:
        self._spectra = spectra
        self.picture.show_spectra(spectra, self.threshold)
        for widget in (self.use, self.hint):
            widget.setVisible(bool(spectra))
        self._weigh()

    def _moved(self, threshold: float) -> None:
        self.threshold = threshold
        self._weigh()

    def _weigh(self) -> None:
        """Say what the threshold leaves."""
        wrong = warning(self._spectra, self.threshold) if self._spectra else ""
        self.warning.say(f"✗ {wrong}" if wrong else "")
        self.warning.setVisible(bool(wrong))
        if self._spectra:
            self.headline.say(kept(self._spectra, self.threshold))
            self.note.say(f"At the threshold {self.threshold:g}. An edit leaves the other directions alone.")
