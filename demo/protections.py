"""What becomes of edits in a fine-tune, by what is done for them: `python -m demo.protections` (`--page` for the docs).

The demo's plan, MEMIT and then the full fine-tune, under one protection after the other, each from the same edited
model; figures are means over the plan's seeds with their range, from what the model says. Nothing was tuned for them.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from demo.quality import percent, tell
from editview.domain.checkpoint import Device
from editview.domain.examples import Example
from editview.domain.facts import FactSheet, Group
from editview.domain.operations import Operation, Scrub, new_id
from editview.domain.orders import edits_last
from editview.domain.plan import Plan
from editview.domain.progress import silent
from editview.domain.verdicts import Check, Verdict
from editview.formats.fact_sheets import read_facts
from editview.formats.plans import demo_plan
from editview.formats.training_data import training_data
from editview.lm.answers import check
from editview.lm.model import LanguageModel
from editview.lm.opening import describe, open_model
from editview.runs.operations import PreparedEdit, carry_out, digest, prepare, seed_of
from editview.tuning.batches import batch, tokenised

SEEDS = (0, 1, 2)
PAGE = Path(__file__).parent.parent / "docs" / "protections.md"
COLUMNS = ("edits", "paraphrases", "neighbours", "controls", "loss")


def plans(plan: Plan) -> dict[str, Plan]:
    """The demo's plan under each protection, by the name it has in the table."""
    edit, tune = plan.operations

    def with_(**settings: object) -> Plan:
        return plan.replaced(tune.model_copy(update=settings))

    teaching: Operation = tune.model_copy(update={"teach": 0.1})
    repair = edit.model_copy(update={"id": new_id(), "failing": True})
    data = {name: getattr(tune, name) for name in ("data", "steps", "learning_rate", "batch_size")}
    return {
        "none": plan,
        "edited layers frozen": with_(trained="not-edited"),
        "replay 5 %": with_(replay=0.05),
        "replay 10 %": with_(replay=0.1),
        "replay 20 %": with_(replay=0.2),
        "activations held, λ 0.1": with_(shift_penalty=0.1),
        "activations held, λ 1": with_(shift_penalty=1.0),
        "activations held, λ 10": with_(shift_penalty=10.0),
        "directions spared": with_(projection=True),
        "facts taught 10 %, no edit": plan.model_copy(update={"operations": (teaching,)}),
        "repaired afterwards": plan.added(repair),
        "edited last": edits_last(plan),
        "scrubbed instead": plan.model_copy(update={"operations": (edit, Scrub(**data))}),
    }


class Bench:
    """The demo's model, which goes back to the untouched one, or to where it was edited, for each plan."""

    def __init__(self, plan: Plan) -> None:
        device = Device("cpu", "CPU", 0)
        self.lm: LanguageModel = open_model(plan.checkpoint, device, silent)
        self.info = describe(plan.checkpoint, device)
        self.sheet: FactSheet = read_facts(plan.facts)[0]
        self.examples: list[Example] = training_data("support-tickets").read()[0]  # the fine-tune's
        self._untouched = copy.deepcopy(self.lm.model.state_dict())
        self._known = {check.fact_id for check in self.asked() if check.verdict is not Verdict.FAILS}
        self._kept: dict[str, dict[str, torch.Tensor]] = {}  # the weights after each stage, which plans share

    def asked(self) -> list[Check]:
        return [found for part in check(self.lm, self.sheet.facts, silent) for found in part]

    def figures(self, plan: Plan) -> dict[str, float]:
        """Shares in per cent: of the edits, their paraphrases, the neighbours and controls known before; and loss."""
        self.lm.model.load_state_dict(self._untouched)
        key = str(plan.seed)
        for prepared in prepare(plan, self.sheet, lambda: self.info):
            key = digest([key, prepared.content])
            if key in self._kept:
                self.lm.model.load_state_dict(self._kept[key])
                continue
            if isinstance(prepared, PreparedEdit):
                prepared = prepared.failing(self.asked() if prepared.operation.failing else ())
            carry_out(self.lm, prepared, seed_of(prepared, plan.seed), {}, None, silent, lambda *_: None)
            self._kept[key] = copy.deepcopy(self.lm.model.state_dict())
        facts = {fact.id: fact for fact in self.sheet}
        groups: dict[Group, list[Check]] = {group: [] for group in Group}
        for found in self.asked():
            if facts[found.fact_id].group is Group.EDITED or found.fact_id in self._known:
                groups[facts[found.fact_id].group].append(found)
        return {
            "edits": percent(found.answers[0].gives for found in groups[Group.EDITED]),
            "paraphrases": percent(a.gives for found in groups[Group.EDITED] for a in found.answers[1:]),
            "neighbours": percent(found.answers[0].gives for found in groups[Group.NEIGHBOURS]),
            "controls": percent(found.answers[0].gives for found in groups[Group.CONTROL]),
            "loss": self.loss(),
        }

    @torch.no_grad()
    def loss(self) -> float:
        """Of the fine-tune's data alone, all of them, by the model at rest: mean per token."""
        total, tokens = 0.0, 0
        rows = list(tokenised(self.lm.tokenizer, self.examples, 64, silent))
        for at in range(0, len(rows), 32):
            part = batch(rows[at : at + 32], 0)
            count = int((part["labels"][:, 1:] >= 0).sum())
            total += count * float(self.lm.model(input_ids=part["input_ids"], labels=part["labels"]).loss)
            tokens += count
        return total / tokens


def measured(names: Sequence[str], seeds: Sequence[int]) -> Iterator[dict]:
    """A row a protection: its name, and a list of values for each column."""
    plan = demo_plan()
    bench = Bench(plan)
    for name in names:
        found = [bench.figures(plans(plan.model_copy(update={"seed": seed}))[name]) for seed in seeds]
        yield {"protection": name} | {column: [values[column] for values in found] for column in COLUMNS}


def table(rows: Sequence[dict]) -> str:
    """Markdown: mean and range of every figure."""

    def cell(values: Sequence[float], digits: int) -> str:
        mean, low, high = sum(values) / len(values), min(values), max(values)
        spread = f" ({low:.{digits}f}-{high:.{digits}f})" if high > low else ""
        return f"{mean:.{digits}f}{spread}"

    lines = [f"| protection | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for row in rows:
        cells = [cell(row[name], 3 if name == "loss" else 1) for name in COLUMNS]
        lines.append(f"| {row['protection']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    every = list(plans(demo_plan()))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=every, default=every)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write the table into docs/protections.md")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tell(measured(options.only, options.seeds), table, PAGE if options.page else None, options.json)


if __name__ == "__main__":
    main()
