"""The command line: the same engine without a window.

Starts fast: torch is imported by the commands that need it. Exit codes: 0 done (and, for check, every fact holds), 1 a
run failed or a fact doesn't hold, 2 the input can't be used, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from editview import __version__
from editview.domain.errors import Cancelled, EditViewError

_COMMANDS = ("open", "run", "check")


def command_line(arguments: Sequence[str], open_window: Callable[[Sequence[Path]], int]) -> int:
    """Do what the arguments say; returns the exit code. Without a command they name what to open in the window."""
    given = list(arguments)
    if not given or (given[0] not in _COMMANDS and not given[0].startswith("-")):
        given.insert(0, "open")  # `editview` and `editview PATH` are the window
    options = _parser(open_window).parse_args(given)
    try:
        return int(options.do(options))
    except EditViewError as error:
        _say(str(error))
        return 2
    except OSError as error:
        _say(f"{error.filename or 'A file'} can't be read or written: {error.strerror or error}.")
        return 2
    except (Cancelled, KeyboardInterrupt):
        _say("Stopped. What was finished is kept.")
        return 130


def _parser(open_window: Callable[[Sequence[Path]], int]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="editview",
        description="See which edited facts survive when a language model is fine-tuned. "
        "Without a command, the window opens.",
    )
    parser.add_argument("--version", action="version", version=f"EditView {__version__}")
    commands = parser.add_subparsers(title="commands", required=True)

    window = commands.add_parser("open", help="open the window, on a plan, a checkpoint or a fact sheet")
    window.add_argument("paths", nargs="*", metavar="PATH", type=Path, help="what to open in it")
    window.set_defaults(do=lambda options: open_window(options.paths))

    run = commands.add_parser("run", help="carry out a plan and show what became of its facts")
    run.add_argument("plan", metavar="PLAN", help="a plan file, or 'demo'")
    run.add_argument("--facts", metavar="FILE", help="ask this fact sheet instead of the plan's own")
    run.add_argument("--fresh", action="store_true", help="compute everything anew, though it may be known already")
    run.set_defaults(do=_run)

    check = commands.add_parser("check", help="ask a model the facts of a sheet; exit code 0 when all hold, else 1")
    check.add_argument("checkpoint", metavar="CHECKPOINT", help="a folder, a Hugging Face id, or 'demo'")
    check.add_argument("facts", metavar="FACTS", help="a fact sheet, or 'demo'")
    check.add_argument("--adapter", metavar="FOLDER", help="a PEFT adapter on top of the checkpoint")
    check.add_argument("--junit", metavar="FILE", type=Path, help="write the result as JUnit XML")
    check.set_defaults(do=_check)

    for command in (run, check):
        command.add_argument("--device", help="cpu, cuda, cuda:1, mps; the best one when not given")
        command.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    return parser


def _run(options: argparse.Namespace) -> int:
    from editview.cli.run import run

    return run(options.plan, options.facts, options.device, options.fresh, options.json)


def _check(options: argparse.Namespace) -> int:
    from editview.cli.check import check

    return check(options.checkpoint, options.adapter, options.facts, options.device, options.junit, options.json)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
