"""A report as PDF, printed by a browser that is installed here: it lays the page out as the page says for paper."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from editview.domain.errors import EditViewError
from editview.domain.files import write_atomically

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge")
_ELSEWHERE = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
    "win32": (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe"),
}
_PATIENCE = 120  # seconds


def print_page(page: Path, path: Path) -> None:
    """Print the HTML file `page` to the PDF `path`, whole or not at all.

    Raises EditViewError when no browser is installed that prints by itself, when it fails, or the place can't be
    written.
    """
    browser = _browser()
    if browser is None:
        raise EditViewError(
            "A PDF is printed by Chromium, Chrome or Edge, and none of them is installed here. Save the report as "
            "HTML, and print it to PDF from the browser that you have."
        )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        printed = Path(folder) / "report.pdf"
        command = [
            browser, "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--no-pdf-header-footer", f"--user-data-dir={folder}/profile", f"--print-to-pdf={printed}",
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # which it refuses to set up for root; the page is ours and asks nothing
        try:
            done = subprocess.run([*command, page.absolute().as_uri()], capture_output=True, timeout=_PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _not_printed(f"{browser}: {error}") from error
        if not printed.is_file():
            raise _not_printed(f"{browser} ended with {done.returncode}\n{done.stderr.decode('utf-8', 'replace')}")
        content = printed.read_bytes()
    write_atomically(path, content)


def _not_printed(details: str) -> EditViewError:
    return EditViewError(
        "The browser that is installed here didn't print the report. Save it as HTML, and print it to PDF from the "
        "browser yourself.",
        details,
    )


def _browser() -> str | None:
    """The first that is on the PATH, or where such browsers are installed on this system."""
    roots = [os.environ.get(name, "") for name in ("PROGRAMFILES", "PROGRAMFILES(X86)")]  # '' but on Windows
    elsewhere = [Path(root, place) for root in roots for place in _ELSEWHERE.get(sys.platform, ())]
    on_path = next(filter(None, map(shutil.which, _NAMES)), None)
    return on_path or next((str(path) for path in elsewhere if path.is_file()), None)
