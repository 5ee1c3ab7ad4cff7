"""Measures the demo model with EditView's own engine: `python -m demo.quality` (`--json` for machines).

Settings were chosen on other draws of facts than those measured here. Every figure is a mean over draws with its
range; what the model *says* counts, never a comparison of probabilities.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from demo.sheet import draw_sheet, fine_tuning_texts
from demo.world import DEMO, World, WorldFact, read_world
from editview.domain.checkpoint import Device
from editview.domain.examples import Example
from editview.domain.facts import Fact, Group
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.edits import memit
from editview.formats.plans import demo_plan
from editview.lm.answers import check
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.lm.tokens import encode, last_token_before
from editview.tuning.fine_tune import fine_tune

FRESH_DRAWS = (201, 202, 203, 204, 205)
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"

EDIT, TUNE = demo_plan().operations  # the plan that the window opens with


@dataclass(frozen=True)
class Scores:
    """Shares of facts for which the model says what it should, in percent."""

    edits: float
    paraphrases: float
    neighbours: float
    controls: float


def percent(hits: Iterable[bool]) -> float:
    hits = list(hits)
    return 100 * sum(hits) / len(hits)


def facts_of(records: Sequence[dict]) -> list[Fact]:
    return [
        Fact(**record | {"group": Group(record["group"]), "paraphrases": tuple(record["paraphrases"])})
        for record in records
    ]


def recall(lm: LanguageModel, world: World, kind: str) -> float:
    """How many facts the model knows in a wording of this kind: trained, held_out or unseen."""
    rng = random.Random(f"recall {kind}")

    def asked(fact: WorldFact) -> Fact:
        wordings = fact.relation.unseen_wordings if kind == "unseen" else getattr(fact, kind)
        return Fact(fact.id, Group.CONTROL, fact.subject, rng.choice(wordings), fact.answer)

    facts = [asked(fact) for fact in world.facts]
    return percent(found.answers[0].gives for part in check(lm, facts, silent) for found in part)


def patched(lm: LanguageModel, world: World, draw: int, pairs: int = 200) -> float:
    """How often the answer flips when the state of a subject is replaced by that of another one.

    The state is taken and put at the subject's last token, behind the last layer that is edited.
    """
    rng = random.Random(f"patch {draw}")
    varied = [facts for facts in world.by_relation.values() if len({fact.answer for fact in facts}) > 1]
    hits = []
    while len(hits) < pairs:
        here, there = rng.sample(rng.choice(varied), 2)
        if here.answer != there.answer:
            hits.append(flips(lm, here, there, rng.choice(here.trained)))
    return percent(hits)


def flips(lm: LanguageModel, here: WorldFact, there: WorldFact, wording: str) -> bool:
    block = lm.anatomy.block(lm.model, EDIT.layers[-1])
    seen: list[Tensor] = []
    with torch.inference_mode():
        there_ids, there_at = subject_in(lm, wording, there.subject)
        with hooked(block, lambda output: seen.append(output[0, there_at])):
            lm.model(torch.tensor([there_ids]))
        here_ids, here_at = subject_in(lm, wording, here.subject)
        answer = encode(lm.tokenizer, f" {there.answer}")

        def put(output: Tensor) -> None:
            output[0, here_at] = seen[0]

        with hooked(block, put):
            said = lm.model(torch.tensor([here_ids + answer])).logits[0].argmax(-1).tolist()
    return said[len(here_ids) - 1 : -1] == answer


def subject_in(lm: LanguageModel, wording: str, subject: str) -> tuple[list[int], int]:
    """The tokens of a wording about a subject, and where the subject's last one stands."""
    text = wording.replace("{}", subject)
    return encode(lm.tokenizer, text), last_token_before(lm.tokenizer, text, wording.index("{}") + len(subject))


class hooked:
    """Shows a block's output to `see`, which may change it in place, for as long as it is entered."""

    def __init__(self, block, see):
        def hook(module, inputs, output):
            see(output[0] if isinstance(output, tuple) else output)

        self.handle = block.register_forward_hook(hook)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.handle.remove()


def scores(lm: LanguageModel, facts: Sequence[Fact]) -> tuple[Scores, dict[str, bool]]:
    """The shares, and which of the prompts were answered as wanted, by fact."""
    checks = [found for part in check(lm, facts, silent) for found in part]
    groups: dict[Group, list] = {group: [] for group in Group}
    for fact, found in zip(facts, checks, strict=True):
        groups[fact.group].append(found)
    edits = groups[Group.EDITED]
    return Scores(
        percent(found.answers[0].gives for found in edits),
        percent(answer.gives for found in edits for answer in found.answers[1:]),
        percent(found.answers[0].gives for found in groups[Group.NEIGHBOURS]),
        percent(found.answers[0].gives for found in groups[Group.CONTROL]),
    ), {found.fact_id: found.answers[0].gives for found in checks}


def both_orders(lm: LanguageModel, world: World, draw: int) -> dict[str, float]:
    """MEMIT then the fine-tune, and the fine-tune then MEMIT, on one draw of facts, each from the untouched model."""
    records = draw_sheet(world, draw)
    facts = facts_of(records)
    edits = [fact for fact in facts if fact.group is Group.EDITED]
    examples = [Example(row["text"]) for row in fine_tuning_texts(world, records, draw)["support_tickets"]]
    untouched = copy.deepcopy(lm.model.state_dict())
    figures: dict[str, float] = {}

    def note(stage: str, measured: Scores) -> None:
        figures.update({f"{stage}: {name}": value for name, value in vars(measured).items()})

    memit.edit(lm, edits, EDIT, draw, silent)
    after_edit, took = scores(lm, facts)
    note("after the edit", after_edit)
    fine_tune(lm, TUNE, examples, draw)
    after_both, holds = scores(lm, facts)
    note("then fine-tuned", after_both)
    figures["edits that survive"] = percent(holds[fact.id] for fact in edits if took[fact.id])

    lm.model.load_state_dict(untouched)
    fine_tune(lm, TUNE, examples, draw)
    note("fine-tuned first", scores(lm, facts)[0])
    memit.edit(lm, edits, EDIT, draw, silent)
    note("then edited", scores(lm, facts)[0])
    lm.model.load_state_dict(untouched)
    return figures


def measured(source: str, draws: Sequence[int], say=lambda text: None) -> dict[str, list[float]]:
    """Every figure by name, one value a draw; recall doesn't depend on a draw and has one value."""
    world = read_world()
    lm = open_model(Checkpoint(source=source), Device("cpu", "CPU", 0), silent)
    figures = {f"recall: {kind} wordings": [recall(lm, world, kind)] for kind in ("trained", "held_out", "unseen")}
    say(f"recall {figures}")
    for draw in draws:
        began = time.perf_counter()
        found = {"patching flips": patched(lm, world, draw)} | both_orders(lm, world, draw)
        for name, value in found.items():
            figures.setdefault(name, []).append(value)
        say(f"draw {draw}: {found['edits that survive']:.1f} % survive  ({time.perf_counter() - began:.0f} s)")
    return figures


def table(figures: dict[str, list[float]]) -> str:
    """Markdown: mean and range of every figure."""
    lines = ["| figure | mean | range |", "|---|---|---|"]
    for name, values in figures.items():
        spread = f"{min(values):.1f} to {max(values):.1f}" if len(values) > 1 else ""
        lines.append(f"| {name} | {sum(values) / len(values):.1f} | {spread} |")
    return "\n".join(lines)


def write_into(card: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Puts the table into the model's card, between its two marks."""
    before, rest = card.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    card.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def tell(rows: Iterable[Any], as_table: Callable[[list[Any]], str], page: Path | None, as_json: bool) -> None:
    """Print each row as it is measured and the whole in the end, and put the table into a page."""
    found = []
    for row in rows:
        found.append(row)
        if not as_json:
            print(as_table([row]).splitlines()[-1], flush=True)
    if page is not None:
        write_into(page, as_table(found))
    print(json.dumps(found) if as_json else as_table(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=None, help="a folder; the demo's own when not given")
    parser.add_argument("--draws", type=int, nargs="+", default=FRESH_DRAWS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--card", action="store_true", help="write the table into the model's card")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    say = (lambda text: None) if options.json else (lambda text: print(text, flush=True))
    figures = measured(str(options.model) if options.model else "demo", options.draws, say)
    if options.card:
        write_into(DEMO / "model" / "README.md", table(figures))
    print(json.dumps(figures, indent=1) if options.json else table(figures))


if __name__ == "__main__":
    main()
