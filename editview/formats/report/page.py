"""The page: fills the template, and says to the browser that nothing may be asked of any other machine."""

from __future__ import annotations

import base64
import hashlib
import platform
from collections.abc import Iterator
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
from editview.domain.files import replacing
from editview.domain.look import DARK, LIGHT, Roles, give_places
from editview.domain.sentences import certainty, stage_titles, stage_verbs, summary, tally
from editview.domain.session import Run, RunState
from editview.domain.survival import DEFINITION, Survival
from editview.domain.survival import headline as survival_sentence
from editview.domain.weight_map import headline as weights_sentence
from editview.domain.weight_map import weight_map
from editview.formats.plans import plan_text
from editview.formats.report import contents
from editview.formats.report.plain import emphasised, plain
from editview.formats.report.survival_picture import survival_picture
from editview.formats.report.weights_picture import weights_picture

SUFFIX = ".html"

_LIBRARIES = ("torch", "transformers", "peft", "safetensors", "tokenizers")


def write_report(run: Run, path: Path) -> None:
    """Write what a run found as one HTML file; the run mustn't grow meanwhile.

    Raises EditViewError when nothing was asked in it yet, or the place can't be written.
    """
    stage = run.last_checked
    if stage is None:
        raise EditViewError("There is nothing to report yet: no stage of this run has been asked all facts.")
    pieces = _page().get_template("run.html").generate(_of_run(run, stage, path))
    with replacing(path) as file:
        for piece in pieces:
            file.write(piece.encode())


def _of_run(run: Run, stage: int, path: Path) -> dict[str, Any]:
    drawn, colours, survival = weight_map(run), dict[str, int](), Survival(run)
    give_places(colours, run.plan.active)
    survival.update()
    return {
        **_frame(),
        "run": run,
        "stage": stage,
        "ended": _ended(run, stage),
        "sentence": summary(run, stage),
        "certainty": certainty(tally(run, stage)),
        "titles": stage_titles(run),
        "verbs": stage_verbs(run),
        "groups": [contents.GROUP_NAMES[group] for group in contents.groups(run)],
        "counts": [contents.counts(run, at) for at in range(len(run.stages))],
        "score_names": contents.SCORES,
        "scores": [contents.score_row(run, at) for at in range(len(run.stages))],
        "survival": survival_picture(survival, colours),
        "survival_sentence": survival_sentence(survival),
        "definition": DEFINITION,
        "weights": weights_picture(drawn, colours),
        "weights_sentence": weights_sentence(drawn),
        "rows": contents.rows(run, stage),
        "steps": list(contents.steps(run)),
        "plan": plan_text(run.plan, path.absolute().parent),
        "versions": _versions(),
    }


def _ended(run: Run, stage: int) -> str:
    """Why a run that isn't whole ends where it does."""
    if run.state is RunState.FINISHED:
        return ""
    failed = f"It ended with an error: {run.failure[0]}" if run.failure else "It was stopped before its end."
    return f"{failed} What is told here is how things stood after *{stage_titles(run)[stage]}*."


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
    return made
