"""What a card's form can look up with the model's help: layers to edit, and what a threshold leaves."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from editview.domain.operations import FineTune
from editview.ui.hub import Hub
from editview.ui.plan.spectrum_dialog import SpectrumDialog
from editview.ui.plan.tracing_dialog import TracingDialog
from editview.ui.plan.training_dialog import TrainingDialog


class Finding:
    """Each opens a dialog, and gives what was chosen there; None: nothing was."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def layers(self, only: tuple[str, ...], alone: bool, parent: QWidget) -> tuple[int, ...] | None:
        """Layers that the facts with these ids (none: all) are looked up in; one, where it has to be `alone`."""
        dialog = TracingDialog(self._hub, only, alone, parent)
        chosen = dialog.layers if dialog.exec() else None
        dialog.deleteLater()
        return chosen

    def threshold(
        self, layers: tuple[int, ...], text: str, tokens: int, threshold: float, parent: QWidget
    ) -> float | None:
        """A threshold, starting from the one that is set, with the spectrum of these layers' keys in sight."""
        dialog = SpectrumDialog(self._hub, layers, text, tokens, threshold, parent)
        chosen = dialog.threshold if dialog.exec() else None
        dialog.deleteLater()
        return chosen

    def training(self, operation: FineTune, parent: QWidget) -> None:
        """Show what the model will see of a fine-tune's data; there is nothing to choose."""
        dialog = TrainingDialog(self._hub, operation, parent)
        dialog.exec()
        dialog.deleteLater()
