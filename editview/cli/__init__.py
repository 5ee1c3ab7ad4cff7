"""The command line: the same engine without a window.

Starts fast: torch is imported by the commands that need it. Exit codes: 0 done (and, for check, every fact holds), 1 a
run failed or a fact doesn't hold, 2 the input can't be used (for check, also not all of it), 130 stopped by Ctrl-C,
141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from editview import __version__
from editview.cli.saying import say, say_error
from editview.domain.commands import in_full
from editview.domain.errors import Cancelled
from editview.domain.export import Form
from editview.domain.plan import Checkpoint
from editview.domain.study import LAYERS, ORDERS, PROTECTIONS
from editview.runs.words import in_words

_COUNTING = (
    "Layers are counted from 1 in what is said, here and in the window, and from 0 in plan files and JSON, as in the "
    "models' own files: layer 2 is 'layers = [1]'."
)

_COMMANDS = (
    "open", "run", "export", "report", "check", "trace", "interference", "diff", "inspect", "study", "runs",
)  # fmt: skip


def command_line(arguments: Sequence[str], open_window: Callable[[Sequence[Path]], int]) -> int:
    """Do what the arguments say; returns the exit code. Without a command they name what to open in the window."""
    given = list(arguments)
    if not given or (given[0] not in _COMMANDS and not given[0].startswith("-")):
        given.insert(0, "open")  # `editview` and `editview PATH` are the window
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may know fewer signs than a sheet
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            options = _parser(open_window).parse_args(given)
            return int(options.do(options))
        finally:
            _flush()
    except BrokenPipeError:
        return 141
    except (Cancelled, KeyboardInterrupt):
        say("Stopped.")
        return 130
    except Exception as error:
        say_error(*in_words(error))
        return 2


def _flush() -> None:
    """Print what waits now: output that nobody takes is noticed here, and not when Python ends."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _parser(open_window: Callable[[Sequence[Path]], int]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="editview",
        description="See which edited facts survive when a language model is fine-tuned. "
        "Without a command, the window opens.",
        epilog=_COUNTING,
    )
    parser.add_argument("--version", action="version", version=f"EditView {__version__}")
    commands = parser.add_subparsers(title="commands", required=True)

    window = commands.add_parser("open", help="open the window, on a plan, a checkpoint or a fact sheet")
    window.add_argument("paths", nargs="*", metavar="PATH", type=Path, help="what to open in it")
    window.set_defaults(do=lambda options: open_window(options.paths))

    run = commands.add_parser("run", help="carry out a plan and show what became of its facts", epilog=_COUNTING)
    run.add_argument("plan", metavar="PLAN", help="a plan file, or 'demo'")
    run.add_argument("--facts", metavar="FILE", help="ask this fact sheet instead of the plan's own")
    run.add_argument("--fresh", action="store_true", help="compute everything anew, though it may be known already")
    run.set_defaults(do=_run)

    export = commands.add_parser("export", help="write the model after a step of a plan as a checkpoint of its own")
    export.add_argument("plan", metavar="PLAN", help="a plan file, or 'demo'; what isn't computed yet is computed")
    export.add_argument("--out", metavar="FOLDER", required=True, help="where to write it")
    export.add_argument("--stage", metavar="N", type=int, help="after so many steps (0: none); the last when not given")
    export.add_argument("--overwrite", action="store_true", help="replace an earlier export, once the new one is sound")
    export.add_argument("--facts", metavar="FILE", help="ask this fact sheet instead of the plan's own")
    forms = export.add_mutually_exclusive_group()
    forms.add_argument(
        "--adapter", action="store_true", help="write what differs from the checkpoint as a PEFT adapter, where exact"
    )
    forms.add_argument(
        "--as-computed", action="store_true", help="don't round to the number format of the checkpoint's files"
    )
    export.set_defaults(do=_export)

    report = commands.add_parser("report", help="write what became of a plan's facts as one file, HTML or PDF")
    report.add_argument("plan", metavar="PLAN", help="a plan file, or 'demo'; what isn't computed yet is computed")
    report.add_argument(
        "other", metavar="OTHER", nargs="?", help="a plan to compare it with: the same steps in another order, or any"
    )
    report.add_argument(
        "--out", metavar="FILE", required=True, type=Path, help="where to write it, 'report.html' or 'report.pdf'"
    )
    report.add_argument("--facts", metavar="FILE", help="ask this fact sheet instead of the plan's own")
    report.set_defaults(do=_report)

    check = commands.add_parser("check", help="ask a model the facts of a sheet; exit code 0 when all hold, else 1")
    check.add_argument("--junit", metavar="FILE", type=Path, help="write the result as JUnit XML")
    check.add_argument(
        "--allow-left-out", action="store_true", help="be content when a part of the sheet can't be used"
    )
    check.set_defaults(do=_check)

    trace = commands.add_parser("trace", help="find the layers in which a model looks up the facts of a sheet")
    trace.add_argument("--seed", metavar="N", type=int, default=0, help="decides which facts and what noise are drawn")
    trace.set_defaults(do=_trace)

    interference = commands.add_parser(
        "interference", help="see what a plan's fine-tune did where its edits had written, and whether it explains "
        "which facts were lost",
    )  # fmt: skip
    interference.add_argument("plan", metavar="PLAN", help="a plan file, or 'demo'; it is carried out where it wasn't")
    interference.add_argument(
        "--step", metavar="N", type=int, help="which step of the plan is the fine-tune; the last one when not given"
    )
    interference.add_argument("--seed", metavar="N", type=int, help="another seed than the plan's")
    interference.add_argument("--facts", metavar="FILE", help="ask this fact sheet instead of the plan's own")
    interference.set_defaults(do=_interference)

    diff = commands.add_parser(
        "diff", help="what lies between two checkpoints, and what kind of update it was; exit code 0: they are equal"
    )
    diff.add_argument("first", metavar="FIRST", help="a folder, a Hugging Face id in the cache, or 'demo'")
    diff.add_argument("second", metavar="SECOND", help="another version of the same model")
    diff.add_argument("--adapter", metavar="FOLDER", help="a PEFT adapter on top of the second")
    diff.add_argument("--first-adapter", metavar="FOLDER", help="a PEFT adapter on top of the first")
    diff.add_argument("--allow-code", action="store_true", help="run the Python code that the checkpoints bring along")
    diff.add_argument("--quick", action="store_true", help="only how much changed: the kind of update isn't told then")
    diff.add_argument("--facts", metavar="SHEET", help="a fact sheet that is asked of both, or 'demo'")
    diff.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    diff.set_defaults(do=_diff)

    inspect = commands.add_parser(
        "inspect", help="find which facts an edited checkpoint was made to change, without being told; exit code 0 "
        "when some are found, else 1",
    )  # fmt: skip
    inspect.add_argument("edited", metavar="EDITED", help="a folder, a Hugging Face id (fetched where it isn't "
                         "here), or 'demo'")  # fmt: skip
    inspect.add_argument("--before", metavar="ORIGINAL", help="what it was made from; without it the edited weights "
                         "alone are looked at")  # fmt: skip
    inspect.add_argument("--adapter", metavar="FOLDER", help="a PEFT adapter on top of the edited checkpoint")
    inspect.add_argument("--before-adapter", metavar="FOLDER", help="a PEFT adapter on top of the original")
    inspect.add_argument("--allow-pickle", action="store_true", help="read the edited checkpoint's pickled weights "
                         "(they can run code)")  # fmt: skip
    inspect.add_argument("--subjects", metavar="FILE", help="candidate subjects: on each line a subject, or a prompt "
                         "with its subject in braces, 'The capital of {Peru} is'; 'packaged' (the usual): some 2,000 "
                         "that come with EditView")  # fmt: skip
    inspect.add_argument("--facts", metavar="SHEET", help="a fact sheet whose subjects are candidates")
    inspect.add_argument(
        "--allow-code", action="store_true", help="run the Python code that the checkpoints bring along"
    )
    inspect.set_defaults(do=_inspect)

    study = commands.add_parser("study", help="run a grid of edits, fine-tunes, layers and orders; table and picture")
    study.add_argument(
        "plan", metavar="PLAN", help="a plan file, or 'demo': each of its edits is combined with each of its fine-tunes"
    )
    study.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="table, picture and rows go here; "
                       "a study that was stopped goes on from them")  # fmt: skip
    study.add_argument("--layers", nargs="+", choices=LAYERS, default=LAYERS, help="layers that fine-tunes train")
    study.add_argument("--orders", nargs="+", choices=ORDERS, default=ORDERS, help="'edit first', 'edit last'")
    study.add_argument(
        "--protections", nargs="+", choices=list(PROTECTIONS), default=["none"],
        help="ways to protect edits that stand before the fine-tune",
    )  # fmt: skip
    study.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="each cell runs with each")
    study.add_argument(
        "--until", metavar="LOSS", type=float,
        help="validation loss at which fine-tunes end, so that all have learnt equally much; when not given, the "
        "lowest that all of them reach is found first; 0: all train their steps",
    )  # fmt: skip
    study.set_defaults(do=_study)

    runs = commands.add_parser("runs", help="the runs so far, comparisons and inspections: listed, shown, compared")
    runs.set_defaults(do=_runs)
    which = runs.add_subparsers(title="what to do with them, when they aren't to be listed", metavar="[show | compare]")
    again = which.add_parser("show", help="show a run, a comparison or an inspection again as it was")
    again.add_argument("entry", metavar="ID", help="its id in the list, or how that begins")
    again.set_defaults(do=_show_again)
    side_by_side = which.add_parser("compare", help="lay any two runs side by side, on the facts that both asked")
    for name in ("first", "second"):
        side_by_side.add_argument(name, metavar=name.upper(), help="the id of a run in the list, or how that begins")
    side_by_side.add_argument("--out", metavar="FILE", type=Path, help="write a report, 'report.html' or 'report.pdf'")
    side_by_side.set_defaults(do=_compare_runs)
    for command in (again, side_by_side):
        command.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object as the last line"
        )

    settings = Checkpoint.model_fields
    formats = get_args(settings["dtype"].annotation)
    for command, first in ((diff, "first-dtype"), (inspect, "before-dtype")):
        for name, whose in ((first, "before"), ("dtype", "after")):
            said = f"{settings['dtype'].description}, of the one {whose}"
            command.add_argument(f"--{name}", choices=formats, default="auto", help=said)
        command.add_argument(
            "--report", metavar="FILE", type=Path, help="write what was found, as 'report.html' or 'report.pdf'"
        )
    for command in (check, trace):
        command.add_argument("checkpoint", metavar="CHECKPOINT", help="a folder, a Hugging Face id, or 'demo'")
        command.add_argument("facts", metavar="FACTS", help="a fact sheet, or 'demo'")
        command.add_argument("--adapter", metavar="FOLDER", help="a PEFT adapter on top of the checkpoint")
        command.add_argument("--dtype", choices=formats, default="auto", help=settings["dtype"].description)
        for name in ("allow_pickle", "allow_code"):
            command.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=settings[name].description)
    for command in (run, export, report, check, trace, interference, diff, inspect):
        command.add_argument(
            "--column", metavar="OURS=THEIRS", type=_column, action="append", default=[],
            help="a column of a CSV sheet and its heading there, 'subject=wer'; give all that are to be read. For zsRE "
            "the field that holds the new answer, 'target_new=alt'. Of edits that contradict each other, which is "
            "used: 'contradictions=first', last or none",
        )  # fmt: skip
    for command in (run, export, report, check, trace, interference, diff, inspect, study):
        command.add_argument("--device", help="cpu, cuda, cuda:1, mps; the best one when not given")
    for command in (run, export, check, trace, interference, inspect, study, runs):
        command.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    return parser


def _run(options: argparse.Namespace) -> int:
    from editview.cli.run import run

    return run(options.plan, options.facts, dict(options.column), options.device, options.fresh, options.json)


def _export(options: argparse.Namespace) -> int:
    from editview.cli.export import export

    form = Form.ADAPTER if options.adapter else Form.COMPUTED if options.as_computed else Form.STORED
    return export(
        options.plan, options.facts, dict(options.column), options.device, options.stage, options.out, form,
        options.overwrite, options.json,
    )  # fmt: skip


def _report(options: argparse.Namespace) -> int:
    from editview.cli.report import report

    return report(options.plan, options.other, options.facts, dict(options.column), options.device, options.out)


def _check(options: argparse.Namespace) -> int:
    from editview.cli.check import check

    columns = dict(options.column)
    return check(
        _checkpoint(options), options.facts, columns, options.device, options.junit, options.json,
        options.allow_left_out,
    )  # fmt: skip


def _trace(options: argparse.Namespace) -> int:
    from editview.cli.trace import trace

    columns = dict(options.column)
    return trace(_checkpoint(options), options.facts, columns, options.device, options.seed, options.json)


def _interference(options: argparse.Namespace) -> int:
    from editview.cli.interference import interference

    columns = dict(options.column)
    return interference(
        options.plan, options.facts, columns, options.device, options.step, options.seed, options.json
    )  # fmt: skip


def _diff(options: argparse.Namespace) -> int:
    from editview.cli.diff import diff

    code = options.allow_code
    return diff(
        _version(options.first, options.first_adapter, dtype=options.first_dtype, allow_code=code),
        _version(options.second, options.adapter, dtype=options.dtype, allow_code=code),
        options.json, options.quick, options.facts, dict(options.column), options.device, options.report,
    )  # fmt: skip


def _inspect(options: argparse.Namespace) -> int:
    from editview.cli.inspect import inspect

    code, pickle = options.allow_code, options.allow_pickle
    edited = _version(options.edited, options.adapter, dtype=options.dtype, allow_code=code, allow_pickle=pickle)
    original = None
    if options.before:
        original = _version(options.before, options.before_adapter, dtype=options.before_dtype, allow_code=code)
    return inspect(
        edited, original, options.subjects, options.facts, dict(options.column), options.device, options.json,
        options.report,
    )  # fmt: skip


def _version(source: str, adapter: str | None, **settings: Any) -> Checkpoint:
    """One of two, its folders by their whole paths: what is found is kept, and looked at again from elsewhere."""
    return Checkpoint(source=in_full(source), adapter=in_full(adapter) if adapter else None, **settings)


def _study(options: argparse.Namespace) -> int:
    from editview.cli.study import study

    return study(
        options.plan, options.out, options.layers, options.orders, options.protections, options.seeds, options.until,
        options.device, options.json,
    )  # fmt: skip


def _runs(options: argparse.Namespace) -> int:
    from editview.cli.runs import runs

    return runs(options.json)


def _show_again(options: argparse.Namespace) -> int:
    from editview.cli.runs import show_again

    return show_again(options.entry, options.json)


def _compare_runs(options: argparse.Namespace) -> int:
    from editview.cli.runs import compare

    return compare((options.first, options.second), options.out, options.json)


def _checkpoint(options: argparse.Namespace) -> Checkpoint:
    return Checkpoint(
        source=options.checkpoint,
        adapter=options.adapter,
        dtype=options.dtype,
        allow_pickle=options.allow_pickle,
        allow_code=options.allow_code,
    )


def _column(text: str) -> tuple[str, str]:
    ours, sign, theirs = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"'{text}' names no heading: write it as 'subject=wer'")
    return ours.strip(), theirs.strip()
