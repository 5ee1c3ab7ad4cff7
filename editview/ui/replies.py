"""What comes back to whoever asked for it, and changes nothing of the plan, its sheet or the shown run."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from editview.domain.events import (
    BothAsked,
    CheckpointsCompared,
    Comparing,
    DiskUsed,
    Event,
    Exported,
    FactsPreviewed,
    FindingsRecalled,
    FineTuneMeasured,
    Inspected,
    InterferenceMeasured,
    KeySpectra,
    OrdersRecalled,
    Replied,
    ReportUnderWay,
    RunsListed,
    Scaled,
    Traced,
    TrainingPreviewed,
)


class Replies(QObject):
    """Each signal hands its event on as it came; who listens knows by what was asked whether it is for them."""

    previewed = Signal(object)
    replied = Signal(object)
    scaled = Signal(object)
    exported = Signal(object)
    traced = Signal(object)
    spectra_known = Signal(object)
    measured = Signal(object)
    training_seen = Signal(object)
    interference_known = Signal(object)
    comparing = Signal(object)
    checkpoints_compared = Signal(object)
    both_asked = Signal(object)
    inspected = Signal(object)
    report_under_way = Signal(object)
    runs_listed = Signal(object)
    orders_recalled = Signal(object)
    findings_recalled = Signal(object)
    disk_used = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._signals = {
            FactsPreviewed: self.previewed,
            Replied: self.replied,
            Scaled: self.scaled,
            Exported: self.exported,
            Traced: self.traced,
            KeySpectra: self.spectra_known,
            FineTuneMeasured: self.measured,
            TrainingPreviewed: self.training_seen,
            InterferenceMeasured: self.interference_known,
            Comparing: self.comparing,
            CheckpointsCompared: self.checkpoints_compared,
            BothAsked: self.both_asked,
            Inspected: self.inspected,
            ReportUnderWay: self.report_under_way,
            RunsListed: self.runs_listed,
            OrdersRecalled: self.orders_recalled,
            FindingsRecalled: self.findings_recalled,
            DiskUsed: self.disk_used,
        }

    def pass_on(self, event: Event) -> None:
        """To whoever listens, if it is one of these."""
        if signal := self._signals.get(type(event)):
            signal.emit(event)
