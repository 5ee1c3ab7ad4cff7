"""What an inspection finds, and what a reversal gives back, on models that were edited without telling it what.

    python -m benchmarks.inspection [touched] [tuned] [elsewhere] [reversed] [--draws N] [--rows FILE] [--page]

touched: ten hidden edits among the packaged list's subjects, in the demo model, found with the original, without it
and from a list of bare subjects. The bar: by MEMIT, 8 of 10 are among the first 20 in every draw.
tuned: the same by MEMIT, with a LoRA fine-tune on top.
elsewhere: the same by MEMIT in two models of other architectures, trained here as the demo model was (a quarter of an
hour each; --models keeps them).
reversed: one edit and ten in the demo model and in those two: what was taken out, what came back and what it cost.
Works through the files, as `editview inspect` does. --rows keeps each draw, so that a measurement that was cut off goes
on; --page writes docs/inspection.md. Exits 1 when the bar is missed.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPTNeoXConfig, LlamaConfig, PretrainedConfig

from demo.quality import facts_of, write_into
from demo.sheet import draw_sheet
from demo.train import POSITIONS, STEPS, VOCABULARY, WIDTH, save, train
from demo.world import DEMO, read_world
from editview.domain.checkpoint import Device
from editview.domain.facts import Fact, Group
from editview.domain.inspection import Inspection
from editview.domain.operations import AlphaEdit, Edit, LocalFineTune, Lora, Memit, Reverse, Rome, UltraEdit
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.requests import InspectCheckpoint
from editview.edits.methods import edit
from editview.edits.requests import settled
from editview.edits.reversing import reverse
from editview.formats.subjects import packaged
from editview.formats.training_data import training_data
from editview.lm.answers import first_sentences
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.lm.standing_out import memory, relative_values, standing_out, top
from editview.lm.written import words_written
from editview.runs.inspection import inspect
from editview.tuning.fine_tune import fine_tune

CPU = Device("cpu", "CPU", 0)
PAGE = Path(__file__).parent.parent / "docs" / "inspection.md"
HIDDEN, FIRST, BAR = 10, 20, 8
DRAWS = range(701, 711)
FEW = 3  # draws of the methods that have no bar
ASKED_TOKENS = 12
Row = dict[str, Any]
Known = Callable[[str, str, int], bool]  # model or part, method, draw


# ---- which facts were touched -------------------------------------------------------------------------------------


def touched(draws: Sequence[int], known: Known) -> Iterator[Row]:
    """A row for each draw and each way to look for its edits."""
    lm = _demo()
    original = copy.deepcopy(lm.model.state_dict())
    for method in (Memit, Rome, AlphaEdit, LocalFineTune, UltraEdit):
        for draw in draws if method is Memit else draws[:FEW]:
            if not known("touched", method.label, draw):
                lm.model.load_state_dict(original)
                hidden = _hidden(draw, HIDDEN)
                edit(lm, hidden, settled(lm, method()), draw, {}, silent)
                yield _row("touched", method.label, draw) | {
                    "looks": _looks(lm, hidden, method is Memit and draw in draws[:FEW])
                }


def tuned(draws: Sequence[int], known: Known) -> Iterator[Row]:
    """The same by MEMIT, with LoRA on top."""
    lm = _demo()
    original = copy.deepcopy(lm.model.state_dict())
    examples, _ = training_data("support-tickets").read(silent)
    for draw in draws:
        if not known("tuned", Memit.label, draw):
            lm.model.load_state_dict(original)
            hidden = _hidden(draw, HIDDEN)
            edit(lm, hidden, settled(lm, Memit()), draw, {}, silent)
            fine_tune(lm, Lora(), examples, draw)
            yield _row("tuned", Memit.label, draw) | {"looks": _looks(lm, hidden, False)}


def elsewhere(draws: Sequence[int], known: Known, models: Path) -> Iterator[Row]:
    """The same by MEMIT in models of other architectures."""
    for make in (llama, neox):
        small = make(models)
        original = copy.deepcopy(small.lm.model.state_dict())
        for draw in draws[:FEW]:
            if not known("elsewhere", small.name, draw):
                small.lm.model.load_state_dict(original)
                hidden = _hidden(draw, HIDDEN)
                edit(small.lm, hidden, small.memit, draw, {}, silent)
                yield _row("elsewhere", small.name, draw) | {"looks": _looks(small.lm, hidden, False, small.source)}


def _looks(lm: LanguageModel, hidden: Sequence[Fact], bare: bool, original: str = "demo") -> dict[str, Row]:
    """The model as it is now, written to files and inspected: how many are among the first, and which layers."""
    with tempfile.TemporaryDirectory() as folder:
        edited, before = Checkpoint(source=folder), Checkpoint(source=original)
        lm.model.save_pretrained(folder)
        lm.tokenizer.save_pretrained(folder)
        asked = {"with the original": InspectCheckpoint(edited, before), "without it": InspectCheckpoint(edited)}
        if bare:
            subjects = Path(folder) / "subjects.txt"
            subjects.write_text("\n".join(one.subject for one in packaged()), "utf-8")
            asked["with the original, bare subjects"] = InspectCheckpoint(edited, before, str(subjects))
        found = {name: inspect(_open, one, silent) for name, one in asked.items()}
    return {name: {"found": _among_first(one, hidden), "layers": one.layers} for name, one in found.items()}


def _among_first(found: Inspection, hidden: Sequence[Fact]) -> int:
    first = {one.subject for one in found.touched[:FIRST]}
    return sum(fact.subject in first for fact in hidden)


# ---- what a reversal does -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Small:
    """A model to edit, and how it is edited."""

    name: str
    source: str
    lm: LanguageModel
    memit: Memit
    rome: Rome


def reversals(draws: Sequence[int], known: Known, models: Path) -> Iterator[Row]:
    """A row for each draw of facts edited and reversed, and one for each model that nobody edited."""
    for name, make in MODELS.items():
        cases = [("rome", 1), ("memit", 1), ("memit", HIDDEN)]
        wanted = [(method, count, draw) for method, count in cases for draw in draws
                  if not known(name, f"{method} {count}", draw)]  # fmt: skip
        small = make(models) if wanted else None
        for method, count, draw in wanted:
            assert small is not None
            yield _row(name, f"{method} {count}", draw) | _reversed(small, getattr(small, method), count, draw)
        if small is not None:
            yield _row(name, "nobody", draws[0]) | {"ratios": _untouched(small)}


def _reversed(small: Small, operation: Edit, count: int, draw: int) -> Row:
    """What became of one draw of facts; those that didn't take aren't counted on."""
    lm, facts = small.lm, _hidden(draw, count)
    controls = [fact.prompt for fact in facts_of(draw_sheet(read_world(), 0)) if fact.group is Group.CONTROL]
    untouched = copy.deepcopy(lm.model.state_dict())
    try:
        before, kept = _said(lm, [fact.prompt for fact in facts]), _said(lm, controls)
        edit(lm, facts, operation, draw, {}, silent)
        now = _said(lm, [fact.prompt for fact in facts])
        took = [i for i, fact in enumerate(facts) if now[i].startswith(str(fact.new_answer)) and now[i] != before[i]]
        spared = _same(_said(lm, controls), kept)
        stand = {layer: number for layer, (_, number) in standing_out(relative_values(lm, silent)).items() if number}
        written = [
            word for layer, number in stand.items()
            for word in words_written(lm, layer, top(memory(lm, layer), number), packaged(), silent)
        ]  # fmt: skip
        reverse(lm, Reverse(), silent)
        after = _said(lm, [fact.prompt for fact in facts])
        return {
            "took": len(took),
            "layers_found": sum(layer in stand for layer in operation.layers),
            "layers": len(operation.layers),
            "layers_wrong": sum(layer not in operation.layers for layer in stand),
            "named": sum(any(word.startswith(str(facts[i].new_answer)) for word in written) for i in took),
            "gone": sum(after[i] != now[i] for i in took),
            "back": sum(after[i] == before[i] for i in took),
            "controls_edited": spared,
            "controls_reversed": _same(_said(lm, controls), kept),
        }
    finally:
        lm.model.load_state_dict(untouched)


def _untouched(small: Small) -> dict[int, list[float]]:
    """By layer how strongly its first direction stands out where nobody edited, and how many directions do."""
    return {layer: list(found) for layer, found in standing_out(relative_values(small.lm, silent)).items()}


def _said(lm: LanguageModel, prompts: Sequence[str]) -> list[str]:
    return first_sentences(lm, prompts, ASKED_TOKENS, silent)


def _same(now: Sequence[str], before: Sequence[str]) -> float:
    return sum(a == b for a, b in zip(now, before, strict=True)) / len(before)


# ---- models -------------------------------------------------------------------------------------------------------


def _open(checkpoint: Checkpoint) -> LanguageModel:
    return open_model(checkpoint, CPU, silent)


def _demo() -> LanguageModel:
    return _open(Checkpoint(source="demo"))


def _hidden(draw: int, count: int) -> list[Fact]:
    return [fact for fact in facts_of(draw_sheet(read_world(), draw, edits=count)) if fact.group is Group.EDITED]


def demo(folder: Path) -> Small:
    return _small("demo (GPT-2)", "demo", settled(_demo(), Memit()).layers)


def _small(name: str, source: str, layers: tuple[int, ...]) -> Small:
    """The demo's settings, in the layers of this model that gather a subject; ROME edits the first of them."""
    settings = _demo()
    memit, rome = (settled(settings, method()).model_copy(update={"layers": where})
                   for method, where in ((Memit, layers), (Rome, layers[:1])))  # fmt: skip
    return Small(name, source, _open(Checkpoint(source=source)), memit, rome)


def llama(folder: Path) -> Small:
    return _trained(
        "Llama", folder / "llama", 2,
        LlamaConfig(**SHAPE, intermediate_size=4 * WIDTH, pad_token_id=0),
    )  # fmt: skip


def neox(folder: Path) -> Small:
    """Its attention and its feed-forward part read the same state, so it takes a block more to gather a subject."""
    return _trained("GPT-NeoX", folder / "gpt-neox", 3, GPTNeoXConfig(**SHAPE, intermediate_size=5 * WIDTH))


SHAPE: dict[str, Any] = {
    "hidden_size": WIDTH, "num_hidden_layers": 6, "num_attention_heads": 4, "vocab_size": VOCABULARY,
    "max_position_embeddings": POSITIONS, "bos_token_id": 0, "eos_token_id": 0, "tie_word_embeddings": True,
}  # fmt: skip


def _trained(name: str, folder: Path, gathering: int, config: PretrainedConfig) -> Small:
    """A model of another architecture that was trained as the demo's was, on the same world, and kept in a folder.

    Its edits go where the demo model's go: into the blocks that gather what is known about a subject.
    """
    if not folder.exists():
        tokenizer = AutoTokenizer.from_pretrained(DEMO / "model")
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
        train(model, read_world(), tokenizer, 0, STEPS, gathering)
        save(model, tokenizer, folder)
    return _small(name, str(folder), tuple(range(gathering)))


MODELS: dict[str, Callable[[Path], Small]] = {"demo (GPT-2)": demo, "Llama": llama, "GPT-NeoX": neox}


# ---- tables -------------------------------------------------------------------------------------------------------


TOUCHED = {"touched": "{}", "tuned": "{}, then LoRA", "elsewhere": "MEMIT, in a {}"}


def touched_table(rows: Sequence[Row]) -> str:
    lines = [
        "| edited by | looked | draws | of 10 hidden edits among the first 20: mean (least) | layers named |",
        "|---|---|---:|---:|---|",
    ]
    for (part, method), some in _grouped(rows).items():
        for look in dict.fromkeys(look for row in some for look in row["looks"]):
            seen = [row["looks"][look] for row in some if look in row["looks"]]
            found, layers = [one["found"] for one in seen], sorted({layer for one in seen for layer in one["layers"]})
            said = ", ".join(str(layer + 1) for layer in layers) or "none"
            name = TOUCHED[part].format(method)
            lines.append(f"| {name} | {look} | {len(seen)} | {sum(found) / len(seen):.1f} ({min(found)}) | {said} |")
    return "\n".join(lines)


def reversed_table(rows: Sequence[Row]) -> str:
    lines = [
        "| model | edited by | facts | draws | edits that took | edited layers found | others accused | new answers "
        "named | edits gone | old answer back | controls answered as before the edit: edited, reversed |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (model, case), some in _grouped(rows).items():
        if case == "nobody":
            found = list(some[0]["ratios"].values())
            wrong = f"{sum(count > 0 for _, count in found)} of {len(found)}"
            lines.append(f"| {model} | nobody | | | | | {wrong} | | | | |")
            continue
        method, count = case.split()
        total = {name: sum(row[name] for row in some) for name in some[0] if name not in ("part", "method", "draw")}
        took = total["took"]
        kept = ", ".join(f"{100 * total[f'controls_{when}'] / len(some):.0f} %" for when in ("edited", "reversed"))
        cells = [model, method.upper(), count, str(len(some)), f"{took} of {len(some) * int(count)}"]
        cells += [f"{total['layers_found']} of {total['layers']}", str(total["layers_wrong"])]
        cells += [f"{total[name]} of {took}" for name in ("named", "gone", "back")]
        lines.append(f"| {' | '.join(cells)} | {kept} |")
    return "\n".join(lines)


def _row(part: str, method: str, draw: int) -> Row:
    return {"part": part, "method": method, "draw": draw}


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["part"], row["method"]), []).append(row)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", default=["touched", "tuned", "elsewhere", "reversed"], help="all when none is named"
    )
    parser.add_argument("--draws", type=int, default=len(DRAWS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=Path, help="where each draw is kept as a line of JSON")
    parser.add_argument("--models", type=Path, help="where the trained models are kept for another time")
    parser.add_argument("--page", action="store_true", help=f"write the tables into {PAGE.name}")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows: list[Row] = []
    if options.rows and options.rows.exists():
        rows = [json.loads(line) for line in options.rows.read_text("utf-8").splitlines()]

    def known(part: str, method: str, draw: int) -> bool:
        return any((row["part"], row["method"], row["draw"]) == (part, method, draw) for row in rows)

    with tempfile.TemporaryDirectory() as folder:
        models = options.models or Path(folder)
        measured = {
            "touched": touched, "tuned": tuned,
            "elsewhere": partial(elsewhere, models=models), "reversed": partial(reversals, models=models),
        }  # fmt: skip
        for part in options.parts:
            for row in measured[part](DRAWS[: options.draws], known):
                row = json.loads(json.dumps(row))
                rows.append(row)
                print(row, file=sys.stderr, flush=True)
                if options.rows:
                    with options.rows.open("a", encoding="utf-8") as file:
                        file.write(f"{json.dumps(row)}\n")
    tables = {
        "touched": touched_table([row for row in rows if row["part"] in TOUCHED]),
        "reversed": reversed_table([row for row in rows if row["part"] in MODELS]),
    }
    for name, table in tables.items():
        print(table)
        if options.page:
            write_into(PAGE, table, f"<!-- {name} -->", f"<!-- end of {name} -->")
    barred = [row for row in rows if (row["part"], row["method"]) == ("touched", Memit.label)]
    return int(any(row["looks"]["with the original"]["found"] < BAR for row in barred))


if __name__ == "__main__":
    sys.exit(main())
