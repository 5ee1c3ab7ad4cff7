"""A small world made on the spot: a tiny GPT-2 with random weights and a byte tokenizer, a sheet, training data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.operations import FullFineTune, Lora, Memit, Operation
from editview.domain.plan import Checkpoint, Plan
from editview.lm.changes import differing

LANDS = ("Peru", "Chad", "Oman", "Togo", "Iran", "Cuba", "Mali", "Fiji")


def checkpoint(folder: Path, seed: int = 0) -> Checkpoint:
    """Two blocks of width 32, saved as Hugging Face does; answers are nonsense, but real ones."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    reader = Tokenizer(models.BPE(vocab={"<end>": 0} | {sign: i for i, sign in enumerate(letters, 1)}, merges=[]))
    reader.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    reader.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=reader, eos_token="<end>").save_pretrained(folder)
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=257, n_positions=128, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    torch.random.set_rng_state(state)
    return Checkpoint(source=str(folder))


def sheet(edits: int = 3) -> FactSheet:
    """Edits, a neighbour for each and two controls."""
    facts = [
        Fact(f"e{i}", Group.EDITED, land, "The sea of {} is", "red", "blue", ("{} has a sea which is",))
        for i, land in enumerate(LANDS[:edits])
    ]
    facts += [
        Fact(f"n{i}", Group.NEIGHBOURS, LANDS[-1 - i], "The sea of {} is", "red", "blue", (), f"e{i}")
        for i in range(edits)
    ]
    facts += [Fact(f"c{i}", Group.CONTROL, f"Thing {i}", "{} is made of", "wood") for i in range(2)]
    return FactSheet("small", tuple(facts))


def data(path: Path, word: str = "printer") -> Path:
    """Training examples, one JSON object a line."""
    rows = [{"text": f"Ticket {i}: the {word} on floor {i % 3} is jammed."} for i in range(12)]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def statistics(path: Path) -> Path:
    """A text that shows every direction of the tiny model's layers."""
    lines = [f"{land} lies by the sea, {word} and {number}." for number in range(40) for land in LANDS
             for word in ("far", "near", "cold", "warm")]  # fmt: skip
    path.write_text("\n".join(lines), "utf-8")
    return path


def edit(text: Path, **parameters: object) -> Memit:
    return Memit.model_validate(
        {"id": "edit", "layers": (0, 1), "steps": 3, "prefixes": 1, "statistics": str(text), "covariance_weight": 1.0}
        | {"statistics_tokens": 2000} | parameters
    )  # fmt: skip


def tune(data: Path, **parameters: object) -> FullFineTune:
    settings = {"id": "tune", "data": str(data), "steps": 4, "batch_size": 2, "learning_rate": 1e-3}
    return FullFineTune.model_validate(settings | parameters)


def lora(data: Path, **parameters: object) -> Lora:
    settings = {"id": "lora", "data": str(data), "steps": 3, "batch_size": 2, "rank": 2, "learning_rate": 1e-3}
    return Lora.model_validate(settings | parameters)


def plan(checkpoint: Checkpoint, *operations: Operation, **settings: object) -> Plan:
    return Plan.model_validate(
        {"name": "Small plan", "checkpoint": checkpoint, "check_every": 2, "operations": operations} | settings
    )


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    """Whether two sets of tensors are the same, bit for bit."""
    return first.keys() == second.keys() and not differing(first, second)


@dataclass(frozen=True)
class World:
    """Everything above, made once and left alone."""

    folder: Path
    checkpoint: Checkpoint
    sheet: FactSheet
    data: Path
    text: Path

    @staticmethod
    def make(folder: Path) -> World:
        return World(
            folder,
            checkpoint(folder / "model"),
            sheet(),
            data(folder / "tickets.jsonl"),
            statistics(folder / "statistics.txt"),
        )

    def sheet_file(self) -> Path:
        """The sheet as a file."""
        path = self.folder / "sheet.json"
        facts = [asdict(fact) for fact in self.sheet]
        path.write_text(json.dumps({"format": 1, "facts": facts}), "utf-8")
        return path
