"""The page: fills the template, and says to the browser that nothing may be asked of any other machine."""

from __future__ import annotations

import base64
import hashlib
import platform
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from editview import __version__
from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.facts import Group
from editview.domain.files import replacing
from editview.domain.history import Recalled
from editview.domain.look import DARK, LIGHT, Roles, give_places
from editview.domain.orders import Kept, compared, kept, order_name, pair_up, tiles, told
from editview.domain.plan import checkpoint_name
from editview.domain.scores import SCORES, score_row
from editview.domain.sentences import certainty, stage_titles, stage_verbs, summary, tally
from editview.domain.session import Run, RunState
from editview.domain.side_by_side import side_by_side
from editview.domain.survival import DEFINITION, Survival
from editview.domain.survival import headline as survival_sentence
from editview.domain.weight_map import headline as weights_sentence
from editview.domain.weight_map import weight_map
from editview.formats.plans import plan_text
from editview.formats.report import contents
from editview.formats.report.pdf import print_page
from editview.formats.report.plain import emphasised, plain
from editview.formats.report.survival_picture import survival_picture
from editview.formats.report.weights_picture import weights_picture

ENDINGS = (".html", ".pdf")
"""Of a report's file: what it is called says what it becomes."""

ANOTHER_DAY = 0.0
"""Seconds since 1970: a report is read later, so it gives dates in full."""

_LIBRARIES = ("torch", "transformers", "peft", "safetensors", "tokenizers")


def write_report(run: Run, path: Path, other: Run | None = None) -> None:
    """Write what a run found as one file, HTML or PDF; with another order of its steps, what both keep, fact by fact.

    The runs mustn't grow meanwhile. Raises EditViewError when nothing was asked yet, or the place can't be written.
    """
    if other is None:
        write_page("run.html", _of_run(run, path), path)
    else:
        write_page("two_runs.html", _of_orders(run, other, path), path)


def write_side_by_side(first: Recalled, second: Recalled, path: Path) -> None:
    """Write what any two runs keep of the facts that both asked, as one file, HTML or PDF.

    The runs mustn't grow meanwhile. Raises EditViewError when they can't be compared, or the place can't be written.
    """
    write_page("two_runs.html", _of_any_two(first, second, path), path)


def write_page(template: str, contents: dict[str, Any], path: Path) -> None:
    """Fill a template, and print it where the file is to be a PDF. Raises EditViewError when that fails, or the place
    can't be written."""
    if path.suffix.lower() == ".pdf":
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "report.html"
            write_page(template, contents, page)
            print_page(page, path)
        return
    with replacing(path) as file:
        for piece in _page().get_template(template).generate({**_frame(), **contents}):
            file.write(piece.encode())


def _of_run(run: Run, path: Path) -> dict[str, Any]:
    stage = run.last_checked
    if stage is None:
        raise EditViewError("There is nothing to report yet: no stage of this run has been asked all facts.")
    drawn, rows, groups = weight_map(run), contents.rows(run, stage), contents.groups(run)
    return {
        "run": run,
        "ended": _ended(run, stage),
        "sentence": summary(run, stage),
        "certainty": certainty(tally(run, stage)),
        "titles": stage_titles(run),
        "verbs": stage_verbs(run),
        "groups": [contents.GROUP_NAMES[group] for group in groups],
        "counts": [contents.counts(rows, groups, at) for at in range(len(run.stages))],
        "score_names": SCORES,
        "scores": [score_row(run, at) for at in range(len(run.stages))],
        "survival": _survival(run),
        "weights": weights_picture(drawn, _colours(run)),
        "weights_sentence": weights_sentence(drawn),
        "rows": rows,
        "steps": list(contents.steps(run)),
        "plan": plan_text(run.plan, path.absolute().parent),
    }


def _of_orders(first: Run, second: Run, path: Path) -> dict[str, Any]:
    if any(run.state is not RunState.FINISHED for run in (first, second)):
        raise EditViewError("Two orders can be compared once both runs have come to their end.")
    pairs = pair_up(first, second)
    edits, *others = (kept(first, pairs, group) for group in (Group.EDITED, Group.NEIGHBOURS, Group.CONTROL))
    names = order_name(first.plan), order_name(second.plan)
    return {
        **_of_two((first, second), edits, others, path),
        "noun": "order",
        "title": f"{first.plan.name}: two orders",
        "lead": f"Two orders of the same steps · {first.plan.name}",
        "names": names,
        "sentence": compared(names, edits),
        "remarks": [f"First: {names[0]}. Second: {names[1]}."],
        "rows": list(contents.pairs_of_rows(pairs, first, second)),
    }


def _of_any_two(first: Recalled, second: Recalled, path: Path) -> dict[str, Any]:
    found = side_by_side(first, second, ANOTHER_DAY)
    if not found.pairs:
        raise EditViewError(found.sentence)
    return {
        **_of_two((first.run, second.run), found.edits, found.others, path),
        "noun": "run",
        "title": f"{found.names[0]} and {found.names[1]}",
        "lead": "Two runs side by side",
        "names": found.names,
        "sentence": found.sentence,
        "remarks": found.remarks,
        "rows": list(contents.pairs_of_rows(found.pairs, *found.runs)),
    }


def _of_two(runs: tuple[Run, Run], edits: Kept | None, others: Iterable[Kept | None], path: Path) -> dict[str, Any]:
    return {
        "runs": runs,
        "others": [told(other) for other in others if other],
        "tiles": tiles(edits) if edits else (),
        "survivals": [_survival(run) for run in runs],
        "done": [list(contents.steps(run)) for run in runs],
        "plans": [plan_text(run.plan, path.absolute().parent) for run in runs],
    }


def _survival(run: Run) -> dict[str, Any]:
    survival = Survival(run)
    survival.update()
    return {"sentence": survival_sentence(survival), "drawing": survival_picture(survival, _colours(run))}


def _colours(run: Run) -> dict[str, int]:
    found = dict[str, int]()
    give_places(found, run.plan.active)
    return found


def _ended(run: Run, stage: int) -> str:
    """Why a run that isn't whole ends where it does."""
    if run.state is RunState.FINISHED:
        return ""
    failed = f"It ended with an error: {run.failure[0]}" if run.failure else "It was stopped before its end."
    watched = Survival(run)
    watched.update()
    later = survival_sentence(watched) if watched.moments and watched.moments[-1].stage > stage else ""
    return f"{failed} What is told here is how things stood after *{stage_titles(run)[stage]}*. {later}".rstrip()


# ---- what every report has ----------------------------------------------------------------------------------------


def _frame() -> dict[str, Any]:
    folder = places.resources() / "report"
    style = _roles() + (folder / "report.css").read_text("utf-8")
    script = (folder / "report.js").read_text("utf-8")
    now = datetime.now()
    return {
        "style": Markup(style),
        "script": Markup(script),
        "policy": f"default-src 'none'; style-src {_named(style)}; script-src {_named(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'",
        "definition": DEFINITION,
        "versions": list(_versions()),
        "version": __version__,
        "written": f"{now.day} {now:%B %Y, %H:%M}",
    }


def _named(content: str) -> str:
    """By which the policy lets this style or script through, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _roles() -> str:
    """The table of colours as the style sheet's variables; paper is always light."""
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
    return f":root{{{_variables(LIGHT)}}}\n{dark}\n"


def _variables(roles: Roles) -> str:
    plain_roles = ("background", "raised", "sunken", "line", "text", "muted", "accent")
    said = [f"--{name}:{getattr(roles, name)}" for name in plain_roles]
    for name in ("holds", "weak", "fails", "neutral"):
        state = getattr(roles, name)
        said += [f"--{name}:{state.ink}", f"--{name}-tint:{state.tint}", f"--{name}-mark:{state.mark}"]
    said += [f"--op{place}:{colour}" for place, colour in enumerate(roles.operations)]
    return ";".join(said)


def _versions() -> Iterator[tuple[str, str]]:
    yield "EditView", __version__
    yield "Python", platform.python_version()
    for library in _LIBRARIES:
        try:
            yield library, version(library)
        except PackageNotFoundError:
            continue


@cache
def _page() -> Environment:
    """Everything that is filled in is escaped; what is Markup already was escaped here."""
    made = Environment(
        loader=FileSystemLoader(places.resources() / "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    made.filters["emphasised"] = emphasised
    made.filters["checkpoint_name"] = checkpoint_name
    return made
