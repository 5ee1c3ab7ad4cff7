"""Updates of a known kind: operations drawn by chance, carried out on a small model, and saved."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from benchmarks.update_kinds.models import Size, make
from demo.quality import facts_of
from demo.sheet import draw_sheet
from demo.world import read_world
from editview.domain import places
from editview.domain.checkpoint import Device
from editview.domain.facts import Group
from editview.domain.operations import (
    AlphaEdit,
    ConstrainedFineTune,
    Edit,
    FineTune,
    FullFineTune,
    LocalFineTune,
    Lora,
    Memit,
    Rome,
    TargetEdit,
    UltraEdit,
)
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.update_kind import UpdateKind
from editview.domain.weights import MatrixKind
from editview.edits.methods import edit
from editview.edits.requests import settled
from editview.formats.training_data import training_data
from editview.lm.changes import differing
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.lm.saving import take_over
from editview.tuning.fine_tune import fine_tune

CPU = Device("cpu", "CPU", 0)
_INSIDE = (MatrixKind.ATTENTION_IN, MatrixKind.ATTENTION_OUT, MatrixKind.MLP_IN, MatrixKind.MLP_OUT)


@dataclass(frozen=True)
class Storage:
    """Number formats of both checkpoints, and of the work between them."""

    first: torch.dtype
    second: torch.dtype
    work: str = "float32"

    @property
    def name(self) -> str:
        one, other = (str(dtype)[6:] for dtype in (self.first, self.second))
        return one if one == other else f"{one} to {other}"


CASTS = (Storage(torch.float32, torch.bfloat16), Storage(torch.bfloat16, torch.float32))
STORED = (
    Storage(torch.float32, torch.float32),
    Storage(torch.float32, torch.float32),
    Storage(torch.bfloat16, torch.bfloat16),
    Storage(torch.bfloat16, torch.bfloat16, "bfloat16"),
    Storage(torch.float16, torch.float16),
    *CASTS,
)


@dataclass(frozen=True)
class Part:
    """What the updates of one half are drawn from."""

    name: str
    models: tuple[tuple[str, Size], ...]  # family, size; 'demo' is the built-in model
    seed: int
    facts: tuple[int, ...]
    ranks: tuple[int, ...]
    rates: tuple[float, ...]  # of full fine-tunes
    steps: tuple[int, ...]


BUILT_ON = Part(
    "built on",
    (("demo", Size(256, 6)), ("gpt2", Size(64, 6)), ("gpt-neox", Size(96, 5)), ("llama", Size(64, 8))),
    1, (1, 3, 8, 20), (2, 4, 8, 16), (1e-5, 1e-4, 1e-3), (6, 15),
)  # fmt: skip
HELD_OUT = Part(
    "held out",
    (("gemma3", Size(96, 6)), ("qwen3", Size(128, 5)), ("gpt2", Size(112, 7)), ("starcoder2", Size(80, 9))),
    3, (2, 4, 7, 15, 30), (1, 3, 5, 12, 20), (2e-5, 3e-4, 1.5e-3), (5, 20),
)  # fmt: skip


@dataclass(frozen=True)
class Update:
    kind: UpdateKind
    name: str  # of what was done
    model: int  # its place among the part's
    storage: Storage
    steps: tuple[Edit | FineTune, ...]
    facts: int = 0  # of each edit
    seed: int = 0
    shards: str = "1GB"


def drawn(part: Part, count: int) -> Iterator[Update]:
    """Updates in turns of kinds and models, all else by chance."""
    rng = random.Random(f"updates {part.seed}")
    makers = (
        _edit, _adapter, _full, _edit, _mixed, _dora, _edit, _adapter, _full, _mixed, _edit, _dora, _nothing, _mixed,
    )  # fmt: skip
    for number in range(count):
        model = rng.randrange(len(part.models))
        maker = makers[number % len(makers)]
        yield maker(part, model, rng.choice(STORED), rng, number)


def _nothing(part: Part, model: int, storage: Storage, rng: random.Random, seed: int) -> Update:
    storage = rng.choice((storage, *CASTS))
    if storage.first == storage.second:
        sharded = rng.random() < 0.5
        name = "saved again" + (" in other shards" if sharded else "")
        return Update(UpdateKind.IDENTICAL, name, model, storage, (), 0, seed, "100KB" if sharded else "1GB")
    return Update(UpdateKind.ROUNDING, "another number format", model, storage, (), 0, seed)


def _edit(part: Part, model: int, storage: Storage, rng: random.Random, seed: int) -> Update:
    operation, facts = _an_edit(part, model, rng)
    return Update(UpdateKind.EDIT, operation.label, model, storage, (operation,), facts, seed)


def _adapter(part: Part, model: int, storage: Storage, rng: random.Random, seed: int) -> Update:
    lora = _a_lora(part, model, rng, dora=False)
    return Update(UpdateKind.LORA, "rsLoRA" if lora.rank_stabilized else "LoRA", model, storage, (lora,), 0, seed)


def _dora(part: Part, model: int, storage: Storage, rng: random.Random, seed: int) -> Update:
    return Update(UpdateKind.DORA, "DoRA", model, storage, (_a_lora(part, model, rng, dora=True),), 0, seed)


def _full(part: Part, model: int, storage: Storage, rng: random.Random, seed: int) -> Update:
    full = _a_full(part, model, rng)
    return Update(UpdateKind.FULL, "full, some layers" if full.layers else "full", model, storage, (full,), 0, seed)


def _mixed(part: Part, model: int, storage: Storage, rng: random.Random, seed: int) -> Update:
    operation, facts = _an_edit(part, model, rng)
    tune: FineTune = rng.choice((_a_full(part, model, rng), _a_lora(part, model, rng, dora=rng.random() < 0.3)))
    tuned = "full" if isinstance(tune, FullFineTune) else "DoRA" if tune.dora else "LoRA"  # type: ignore[attr-defined]
    steps, name = (operation, tune), f"{operation.label}, then {tuned}"
    if rng.random() < 0.5:
        steps, name = (tune, operation), f"{tuned}, then {operation.label}"
    return Update(UpdateKind.EDIT_AND_TUNE, name, model, storage, steps, facts, seed)


def _an_edit(part: Part, model: int, rng: random.Random) -> tuple[Edit, int]:
    family, size = part.models[model]
    facts = rng.choice(part.facts)
    method = rng.choice((Memit, Memit, AlphaEdit, AlphaEdit, Rome, Rome, UltraEdit, ConstrainedFineTune, LocalFineTune))
    if method is Rome:
        facts = min(facts, 5)
    if method is UltraEdit:
        facts = max(facts, 4)
    strength = rng.choice((100.0, 100.0, 30.0, 10.0))
    if family == "demo":
        fewer = {"statistics_tokens": 10_000} if issubclass(method, TargetEdit) else {}
        return method(strength=strength, **fewer), facts
    middle = rng.randrange(1, size.layers - 2)
    several = tuple(range(middle - 1, middle + rng.choice((1, 2))))
    search = {
        "steps": 8, "prefixes": 1, "relative_rate": True, "learning_rate": 0.3, "clamp": 0.8, "statistics_tokens": 3000,
    }  # fmt: skip
    settings: dict[type[Edit], dict[str, Any]] = {
        Memit: {"layers": several, "covariance_weight": rng.choice((30, 3000)), **search},
        AlphaEdit: {"layers": several, "threshold": 1e-3, "l2": rng.choice((0.001, 0.1)), **search},
        Rome: {"layers": (middle,), **search},
        UltraEdit: {"layers": several, "learning_rate": rng.choice((1e-3, 1e-2))},
        ConstrainedFineTune: {"layers": (middle,), "epochs": 8, "limit": 5e-3},
        LocalFineTune: {"layers": (middle,), "epochs": 8},
    }
    return method(strength=strength, **settings[method]), facts


def _a_lora(part: Part, model: int, rng: random.Random, dora: bool) -> Lora:
    rank = rng.choice(part.ranks)
    return Lora(
        rank=rank, alpha=rng.choice((2 * rank, 64)), dora=dora,
        rank_stabilized=not dora and rng.random() < 0.25,
        learning_rate=rng.choice((5e-5, 2e-4, 1e-3)),
        matrices=rng.choice(((), (), _INSIDE[:1], (_INSIDE[0], _INSIDE[3]), _INSIDE[2:], _INSIDE[3:])),
        **_where(part, model, rng), **_training(part, rng),
    )  # fmt: skip


def _a_full(part: Part, model: int, rng: random.Random) -> FullFineTune:
    return FullFineTune(
        learning_rate=rng.choice(part.rates), matrices=rng.choice(((), (), (), (), _INSIDE, _INSIDE[3:])),
        **_where(part, model, rng), **_training(part, rng),
    )  # fmt: skip


def _where(part: Part, model: int, rng: random.Random) -> dict[str, Any]:
    """All layers, or a few in a row as edits have them, or all but those."""
    count = part.models[model][1].layers
    first, last = sorted(rng.sample(range(count), 2))
    few = rng.choice((None, None, True, False))
    layers = tuple(layer for layer in range(count) if (first <= layer <= last) is few)
    return {"trained": "chosen" if layers else "all", "layers": layers}


def _training(part: Part, rng: random.Random) -> dict[str, Any]:
    return {"steps": rng.choice(part.steps), "batch_size": 4, "max_length": 32, "validation": 0}


def make_models(part: Part, folder: Path) -> list[Path]:
    found = []
    for number, (family, size) in enumerate(part.models):
        if family == "demo":
            found.append(places.resources() / "demo" / "model")
        else:
            found.append(make(family, size, folder / f"{family}-{size.width}", part.seed + number))
    return found


def carry_out(update: Update, base: Path, folder: Path) -> tuple[Path, Path]:
    """Both checkpoints, in folders of their own. Raises what the operations raise."""
    first, second = folder / "first", folder / "second"
    stored = AutoModelForCausalLM.from_pretrained(base, dtype=update.storage.first)
    stored.save_pretrained(first)
    for path in base.glob("tokenizer*"):
        (first / path.name).write_bytes(path.read_bytes())
    if update.steps:
        lm = open_model(Checkpoint.model_validate({"source": str(first), "dtype": update.storage.work}), CPU, silent)
        for number, step in enumerate(update.steps):
            _carry_out(lm, step, update, number)
        if update.storage.first == update.storage.second:
            take_over(stored, lm.weights())
        else:
            stored = lm.model
    stored.to(update.storage.second).save_pretrained(second, max_shard_size=update.shards)
    for path in base.glob("tokenizer*"):
        (second / path.name).write_bytes(path.read_bytes())
    return first, second


def _carry_out(lm: LanguageModel, step: Edit | FineTune, update: Update, number: int) -> None:
    if isinstance(step, Edit):
        records = facts_of(draw_sheet(read_world(), update.seed * 10 + number, edits=update.facts, controls=0))
        facts = [fact for fact in records if fact.group is Group.EDITED]
        before = {name: tensor.clone() for name, tensor in lm.weights().items()}
        edit(lm, facts, settled(lm, step), update.seed, {}, silent)
        after = lm.weights()
        with torch.no_grad():
            for name in differing(before, after):
                after[name].copy_(torch.lerp(before[name], after[name], step.strength / 100))
    else:
        assert isinstance(step, Lora | FullFineTune)
        examples, _ = training_data(step.data).read(silent)
        layers: Sequence[int] | None = step.layers if step.trained == "chosen" else None
        fine_tune(lm, step, examples[update.seed * 97 % 1000 :][:200], update.seed, layers=layers)
