"""Disk space: counted behind the window, cleared kind by kind after a second click, never under a run."""

from __future__ import annotations

from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from editview.domain.disk import Kind, Use
from editview.domain.events import DiskUsed, Failed
from editview.domain.requests import ClearDisk, MeasureDisk, Request
from editview.ui.hub import Hub
from editview.ui.kept.disk_dialog import DiskDialog
from tests import sample


def uses(needed: str = "", stages: int = 3_200_000_000) -> tuple[Use, ...]:
    sizes = {Kind.STAGES: stages, Kind.RUNS: 1_000_000, Kind.STATISTICS: 5_000}
    return tuple(
        Use(kind, sizes.get(kind, 0), f"/somewhere/{kind.name}", needed if kind is Kind.STAGES else "") for kind in Kind
    )


def opened(qtbot: QtBot) -> tuple[DiskDialog, Hub, list[Request]]:
    sent: list[Request] = []
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    dialog = DiskDialog(hub)
    qtbot.addWidget(dialog)
    dialog.show()
    assert sent == [MeasureDisk()]
    return dialog, hub, sent


def test_nothing_is_offered_before_it_is_counted(qtbot: QtBot) -> None:
    dialog, hub, _ = opened(qtbot)
    assert "Counting" in dialog.headline.accessibleName()
    assert not any(row.clear.isEnabled() for row in dialog.rows.values())
    hub.take([DiskUsed(uses())])
    assert dialog.headline.accessibleName() == "EditView keeps 3.2 GB on this disk."
    assert dialog.rows[Kind.STAGES].size.text() == "3.2 GB"
    assert dialog.rows[Kind.STAGES].clear.isEnabled()
    assert not dialog.rows[Kind.LOGS].clear.isEnabled()  # there is nothing to clear
    assert "/somewhere/RUNS" in dialog.rows[Kind.RUNS].about.accessibleName()


def test_clearing_takes_a_second_click_and_can_be_thought_over(qtbot: QtBot) -> None:
    dialog, hub, sent = opened(qtbot)
    hub.take([DiskUsed(uses())])
    row = dialog.rows[Kind.STAGES]
    row.clear.click()
    assert row.clear.text() == "Clear 3.2 GB"
    row.keep.click()
    assert row.clear.text() == "Clear…"
    assert sent == [MeasureDisk()]
    row.clear.click()
    row.clear.click()
    assert sent[-1] == ClearDisk(Kind.STAGES)
    assert row.clear.text() == "Clearing…"
    assert not dialog.rows[Kind.RUNS].clear.isEnabled()
    hub.take([DiskUsed(uses(stages=0), Kind.STAGES)])
    assert dialog.headline.accessibleName() == "EditView keeps 1.0 MB on this disk."
    assert dialog.rows[Kind.RUNS].clear.isEnabled()


def test_what_a_run_needs_is_not_cleared(qtbot: QtBot) -> None:
    dialog, hub, _ = opened(qtbot)
    hub.take([DiskUsed(uses("*Capitals* is being run and needs it."))])
    assert not dialog.rows[Kind.STAGES].clear.isEnabled()
    assert "Capitals is being run" in dialog.rows[Kind.STAGES].about.accessibleName()
    hub.take([DiskUsed(uses())])
    *events, end = sample.events(sample.plan(), sample.sheet())
    hub.take(events)
    assert not dialog.rows[Kind.STAGES].clear.isEnabled()
    assert not dialog.rows[Kind.STATISTICS].clear.isEnabled()
    assert dialog.rows[Kind.RUNS].clear.isEnabled()
    hub.take([end])
    assert dialog.rows[Kind.STAGES].clear.isEnabled()


def test_what_goes_wrong_is_said_in_the_dialog(qtbot: QtBot) -> None:
    dialog, hub, sent = opened(qtbot)
    hub.take([DiskUsed(uses())])
    dialog.rows[Kind.STAGES].clear.click()
    dialog.rows[Kind.STAGES].clear.click()
    hub.take([Failed(len(sent), "Not all of it could be removed: permission denied.")])
    QTest.qWait(1)
    assert "permission denied" in dialog.note.accessibleName()
    assert dialog.rows[Kind.STAGES].clear.isEnabled()
    assert sent[-1] == MeasureDisk()  # a part may be gone
