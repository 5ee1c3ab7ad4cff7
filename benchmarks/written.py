"""How often an inspection without the original is right about what a model was made to say.

    python -m benchmarks.written [--draws 807 808 …] [--page]

Ten edits by MEMIT, one by MEMIT, one by ROME, and ten by MEMIT with a LoRA fine-tune on top, a draw, in the demo model;
the edited model is inspected with the packaged list of subjects, and with that list less those that were edited. An
answer is right when it begins with the new answer of an edit that the model gives then. The inspection's thresholds
were set on draws 801 to 806 without a fine-tune: those are no measurement.
--page writes docs/inspection.md.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.inspection import ASKED_TOKENS, PAGE, _demo, _hidden
from demo.quality import write_into
from editview.domain.facts import Fact
from editview.domain.inspection import NAMED, Inspection
from editview.domain.operations import Lora, Memit, Rome
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.requests import InspectCheckpoint
from editview.edits.methods import edit
from editview.edits.requests import settled
from editview.formats.subjects import packaged
from editview.formats.training_data import training_data
from editview.lm.answers import first_sentences
from editview.lm.model import LanguageModel
from editview.lm.standing_out import memory, relative_values, standing_out, top
from editview.lm.written import words_written
from editview.runs.inspection import inspect
from editview.tuning.fine_tune import fine_tune

DRAWS = range(807, 811)
CASES = ((Memit, 10, False), (Memit, 1, False), (Rome, 1, False), (Memit, 10, True))  # how, how many, LoRA on top
FIRST = (1, 5, 10)
Row = dict[str, Any]


def rows(draws: Sequence[int]) -> Iterator[Row]:
    """A row for each edited model: for each way to look whether each answer is right, in the order they are told."""
    lm = _demo()
    original = copy.deepcopy(lm.model.state_dict())
    examples, _ = training_data("support-tickets").read(silent)
    for draw in draws:
        for method, count, tuned in CASES:
            lm.model.load_state_dict(original)
            hidden = _hidden(draw, count)
            edit(lm, hidden, settled(lm, method()), draw, {}, silent)
            if tuned:
                fine_tune(lm, Lora(), examples, draw)
            said = first_sentences(lm, [fact.prompt for fact in hidden], ASKED_TOKENS, silent)
            wanted = [str(fact.new_answer) for fact in hidden]
            new = [answer for answer, now in zip(wanted, said, strict=True) if now.startswith(answer)]
            listed, unlisted = _looked(lm, ()), _looked(lm, hidden)
            yield {
                "edited": f"{count} by {method().label}{', then LoRA' if tuned else ''}",
                "draw": draw,
                "listed": [(one.probable, _right(one.answer, new)) for one in listed.written],
                "unlisted": [(one.probable, _right(one.answer, new)) for one in unlisted.written],
                "directions": [_right(answer, new) for answer in _by_directions(lm)],
            }


def _looked(lm: LanguageModel, left_out: Sequence[Fact]) -> Inspection:
    """The model as it is now, inspected with the packaged list less these subjects."""
    gone = {fact.subject for fact in left_out}
    lines = [
        prompt.replace("{}", f"{{{one.subject}}}")
        for one in packaged() if one.subject not in gone for prompt in one.prompts
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        subjects = Path(folder) / "subjects.txt"
        subjects.write_text("\n".join(lines), "utf-8")
        asked = InspectCheckpoint(Checkpoint(source=folder), None, str(subjects))
        return inspect(lambda _: lm, asked, silent)


def _by_directions(lm: LanguageModel) -> tuple[str, ...]:
    """What the strongest directions alone would say: told where no subject shows what was written."""
    stand = standing_out(relative_values(lm, silent))
    layer, (_, count) = max(stand.items(), key=lambda one: one[1][0])
    return words_written(lm, layer, top(memory(lm, layer), count), packaged(), silent)[:NAMED] if count else ()


def _right(answer: str, new: Sequence[str]) -> bool:
    return any(answer.startswith(one) for one in new)


def table(found: Sequence[Row]) -> str:
    lines = [
        "| edited | candidates | told in | right among the first 1, 5, 10 told | 'probably' right | 'perhaps' right |",
        "|---|---|---:|---:|---:|---:|",
    ]
    looks = {"listed": "the packaged list", "unlisted": "the list less the edited", "directions": "none: directions"}
    for case in dict.fromkeys(row["edited"] for row in found):
        some = [row for row in found if row["edited"] == case]
        for look, name in looks.items():
            told = [row[look] for row in some if row[look]]
            right = [[one if look == "directions" else one[1] for one in row] for row in told]
            first = ", ".join(_of([each for row in right for each in row[:count]]) for count in FIRST)
            graded = [one for row in told for one in row] if look != "directions" else []
            sure, unsure = ([good for probable, good in graded if probable is wanted] for wanted in (True, False))
            lines.append(
                f"| {case} | {name} | {len(told)} of {len(some)} | {first} | {_of(sure)} | {_of(unsure)} |"
            )  # fmt: skip
    return "\n".join(lines)


def _of(right: Sequence[bool]) -> str:
    return f"{sum(right)} of {len(right)}" if right else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, nargs="+", default=list(DRAWS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--page", action="store_true", help=f"write the table into {PAGE.name}")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = []
    for row in rows(options.draws):
        print(json.dumps(row), flush=True)
        found.append(row)
    print(table(found))
    if options.page:
        write_into(PAGE, table(found), "<!-- written -->", "<!-- end of written -->")


if __name__ == "__main__":
    main()
