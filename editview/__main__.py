"""Which door: the window or the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from editview.cli import command_line
from editview.domain import places
from editview.domain.errors import EditViewError


def main(arguments: Sequence[str] | None = None) -> int:
    """What the `editview` command does; returns its exit code."""
    places.move_in()
    return command_line(sys.argv[1:] if arguments is None else arguments, _window)


def _window(paths: Sequence[Path]) -> int:
    try:
        from editview.app import main as window
    except ImportError as error:
        raise EditViewError(
            f"The window can't be opened, since a library that it needs is missing here ({error}). Use 'editview run "
            "demo' for the same without a window, or install the system packages that the README names.",
        ) from error
    return window(paths)


if __name__ == "__main__":
    sys.exit(main())
