"""What is written beside an export's weights: a model card for people, the same for machines, and the plan."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from editview import __version__
from editview.domain.export import Export, Form
from editview.domain.export_words import FACTS_FILE, read_back
from editview.domain.facts import Group
from editview.domain.files import write_atomically
from editview.domain.operations import Edit, FineTune
from editview.domain.plan import Checkpoint, checkpoint_name
from editview.domain.sentences import summary
from editview.domain.session import Run
from editview.domain.verdicts import Verdict
from editview.formats.plans import plan_text
from editview.lm.sources import hub_id
from editview.runs.sealed import file_checksum

FORMAT = 1
PLAN_FILE = "plan.toml"

_ROWS = 500  # of the card's table; editview.json has them all
_LIBRARIES = ("torch", "transformers", "peft", "safetensors", "tokenizers")
_FLAGS = {Form.STORED: "", Form.COMPUTED: " --as-computed", Form.ADAPTER: " --adapter"}


def write_card(folder: Path, done: Export, run: Run, computed_in: str) -> None:
    """Write README.md, editview.json and plan.toml. Raises EditViewError.

    `run` holds the checks of its last stage, and of the others as far as they are kept; the model was asked in the
    number format `computed_in`.
    """
    plan = plan_text(run.plan, Path(done.folder))
    write_atomically(folder / PLAN_FILE, plan.encode())
    weights = {path.name: file_checksum(path) for path in sorted(folder.glob("*.safetensors"))}
    told = json.dumps(_told(done, run, plan, weights, computed_in), ensure_ascii=False, indent=1)
    facts = ",\n  ".join(json.dumps(fact, ensure_ascii=False) for fact in _facts(run))  # all at once held others up
    write_atomically(folder / FACTS_FILE, f'{told[:-2]},\n "facts": [\n  {facts}\n ]\n}}\n'.encode())
    write_atomically(folder / "README.md", "\n".join(_card(done, run, plan, weights, computed_in)).encode())


def _sentence(run: Run) -> str:
    """What became of the facts, where all stages were asked them."""
    last = len(run.stages) - 1
    return summary(run, last) if all(stage.checks for stage in run.stages) else ""


def _told(done: Export, run: Run, plan: str, weights: dict[str, str], computed_in: str) -> dict[str, Any]:
    last = len(run.stages) - 1
    return {
        "format": FORMAT,
        "editview": __version__,
        "versions": {library: version(library) for library in _LIBRARIES},
        "form": done.form.value,
        "stage": {"number": last, "title": done.title, "key": run.stages[last].info.key},
        "base": run.plan.checkpoint.model_dump(mode="json"),
        "plan": plan,
        "computed_in": computed_in,
        "stored_in": done.dtype,
        "rounding": {"weights": done.off, "largest": done.error},
        "sentence": _sentence(run),
        "check": read_back(done),
        "sheet": {"name": run.sheet.name, "sha256": run.sheet.content_hash},
        "weights": weights,
    }


def _facts(run: Run) -> Iterator[dict[str, Any]]:
    last = len(run.stages) - 1
    for fact in run.sheet:
        check, change = run.stages[last].checks[fact.id], run.change(fact, last)
        found = {"verdict": check.verdict.value, "said": check.said, "change": change.value if change else None}
        yield {**asdict(fact), **found}


def _card(done: Export, run: Run, plan: str, weights: dict[str, str], computed_in: str) -> Iterator[str]:
    checkpoint, last = run.plan.checkpoint, len(run.stages) - 1
    steps = run.plan.active[:last]
    adapter = done.form is Form.ADAPTER
    tags = ["editview"]
    tags += ["knowledge-editing"] if any(isinstance(operation, Edit) for operation in steps) else []
    tags += ["fine-tuned"] if any(isinstance(operation, FineTune) for operation in steps) else []
    base = hub_id(checkpoint.source)  # a folder and the demo have no name there, so none is given
    head = ModelCardData(base_model=base, library_name="peft" if adapter else "transformers", tags=tags)
    yield f"---\n{head.to_yaml()}\n---\n"
    yield f"# {plain(run.plan.name)}: {plain(done.title)}\n"
    made_from = f"from {plain(_origin(checkpoint))}, in {last} step{'' if last == 1 else 's'}"
    yield f"Made with EditView {__version__} {made_from}.\n"
    if sentence := _sentence(run):
        yield f"**{plain(sentence.replace('*', ''))}**\n"
    yield f"{plain(read_back(done))} It was computed and asked in {computed_in}; what is written is {done.dtype}.\n"
    yield "## Use\n"
    yield _fenced(_USE_ADAPTER if adapter else _USE, "python")
    yield "## Facts\n"
    yield from _table(run)
    yield "## How it was made\n"
    yield f"The plan, which is also in `{PLAN_FILE}`:\n"
    yield _fenced(plan, "toml")
    yield "To make it again:\n"
    yield _fenced(f"editview export {PLAN_FILE} --stage {last}{_FLAGS[done.form]} --out FOLDER", "sh")
    yield f"Fact sheet: {plain(run.sheet.name)}, sha256 `{run.sheet.content_hash}`.\n"
    yield "| | |\n|---|---|"
    for library in _LIBRARIES:
        yield f"| {library} | {version(library)} |"
    yield "\n| weights | sha256 |\n|---|---|"
    for name, checksum in weights.items():
        yield f"| `{name}` | `{checksum}` |"
    yield f"\nEverything here for machines: `{FACTS_FILE}`.\n"


def _origin(checkpoint: Checkpoint) -> str:
    """What it was made from, in words."""
    name = checkpoint_name(checkpoint.source)
    origin = "the demo model that comes with it" if checkpoint.source == "demo" else name
    return f"{origin} with the adapter {checkpoint_name(checkpoint.adapter)}" if checkpoint.adapter else origin


def _table(run: Run) -> Iterator[str]:
    last = len(run.stages) - 1
    checks = run.stages[last].checks
    yield "| group | " + " | ".join(verdict.value for verdict in Verdict) + " |\n|---|" + "---:|" * len(Verdict)
    for group in Group:
        if facts := run.sheet.group(group):
            counts = [sum(checks[fact.id].verdict is verdict for fact in facts) for verdict in Verdict]
            yield f"| {group.value} | " + " | ".join(f"{count:,}" for count in counts) + " |"
    yield "\n| fact | wanted | the model says | verdict | what became of it |\n|---|---|---|---|---|"
    for fact in run.sheet.facts[:_ROWS]:
        check, change = checks[fact.id], run.change(fact, last)
        cells = (fact.prompt, fact.wanted, check.said, check.verdict.value, change.value if change else "")
        yield f"| {' | '.join(map(plain, cells))} |"
    if len(run.sheet) > _ROWS:
        yield f"\nThe other {len(run.sheet) - _ROWS:,} facts are in `{FACTS_FILE}`."
    yield ""


def plain(text: str) -> str:
    """Any text as one line of Markdown that reads as it is: no markup, no HTML, no links, no table's edges."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    marked = re.sub(r"[\\`*_\[\]|~$@]|:(?=//)|(?<=www)\.|^[#+-]", r"\\\g<0>", html.escape(line, quote=False))
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", marked)


def _fenced(text: str, language: str) -> str:
    """A block of code, whatever runs of backticks are in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


_USE = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("FOLDER")
tokenizer = AutoTokenizer.from_pretrained("FOLDER")"""

_USE_ADAPTER = """\
from peft import AutoPeftModelForCausalLM

model = AutoPeftModelForCausalLM.from_pretrained("FOLDER").merge_and_unload()  # loads the base it names"""
