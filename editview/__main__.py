"""Which door: the window or the command line."""

from __future__ import annotations

import sys


def main() -> int:
    from editview.cli import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
