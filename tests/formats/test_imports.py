"""Files are read without the model libraries, so that the window and `--help` never wait for them."""

from __future__ import annotations

import subprocess
import sys


def test_reading_files_needs_no_torch() -> None:
    program = (
        "import sys; import editview.formats.plans, editview.formats.fact_sheets, editview.formats.training_data; "
        "print([name for name in ('torch', 'transformers', 'peft', 'PySide6') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
