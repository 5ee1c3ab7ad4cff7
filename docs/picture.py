"""Makes the README's picture of the window: the demo's plan is carried out in it, then `docs/window.png` is taken.

QT_QPA_PLATFORM=offscreen QT_SCALE_FACTOR=2 python -m docs.picture
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from editview import app
from editview.domain.session import RunState
from editview.formats.plans import demo_plan
from editview.ui.look.theme import Mode, theme

PICTURE = Path(__file__).with_name("window.png")
ROOM = (1280, 800)
SETTLED = 1500  # milliseconds after which nothing moves any more


def main() -> int:
    application = QApplication(sys.argv[:1])
    application.setStyle("Fusion")
    theme().set_mode(Mode.LIGHT)
    desk = app.Desk(demo_plan())
    window, hub = desk.window, desk.hub
    window.resize(*ROOM)
    window.show()
    desk.start()
    window.show_panel("Survival")
    hub.sheet_changed.connect(hub.start_run)

    def take() -> None:
        window.grab().save(str(PICTURE))
        window.close()
        application.quit()

    def look() -> None:
        if hub.run is not None and hub.run.state is RunState.FINISHED:
            QTimer.singleShot(SETTLED, take)

    hub.runs_changed.connect(look)
    return application.exec()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDITVIEW_HOME"] = home
        sys.exit(main())
