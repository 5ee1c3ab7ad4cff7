"""A fine-tune here computes, bit for bit, what transformers and peft compute when called by hand with its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import Trainer, TrainingArguments, set_seed

from editview.domain.operations import FullFineTune, Lora
from editview.lm.model import LanguageModel
from editview.tuning.fine_tune import fine_tune
from tests.tuning.models import examples, llama, same, weights

SETTINGS: dict[str, Any] = {
    "steps": 7, "learning_rate": 2e-3, "batch_size": 5, "max_length": 30, "warmup": 0.3, "schedule": "cosine",
    "weight_decay": 0.1, "validation": 0.0,
}  # fmt: skip


def by_hand(lm: LanguageModel, model: torch.nn.Module, folder: Path, seed: int) -> None:
    tokenizer = lm.tokenizer

    def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        ids = [row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in rows]
        real = [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows]
        tokens, mask = torch.tensor(ids), torch.tensor(real)
        return {"input_ids": tokens, "attention_mask": mask, "labels": tokens.masked_fill(mask == 0, -100)}

    arguments = TrainingArguments(
        output_dir=str(folder), max_steps=7, learning_rate=2e-3, per_device_train_batch_size=5, warmup_steps=2,
        lr_scheduler_type="cosine", weight_decay=0.1, seed=seed, use_cpu=True, report_to="none", save_strategy="no",
        disable_tqdm=True,
    )  # fmt: skip
    rows = [
        {"input_ids": [*tokenizer(example.completion)["input_ids"], tokenizer.eos_token_id][:30]}
        for example in examples()
    ]
    Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collate).train()


def test_full_fine_tuning_is_the_trainers(tmp_path: Path) -> None:
    ours, theirs = llama(), llama()
    fine_tune(ours, FullFineTune(**SETTINGS), examples(), seed=11)
    by_hand(theirs, theirs.model, tmp_path, seed=11)
    assert same(weights(ours), weights(theirs))


@pytest.mark.parametrize("dora", [False, True])
def test_adapters_are_pefts(tmp_path: Path, dora: bool) -> None:
    ours, theirs = llama(), llama()
    fine_tune(ours, Lora(**SETTINGS, rank=4, alpha=6, dropout=0.2, dora=dora), examples(), seed=11)
    set_seed(11)
    config = peft.LoraConfig(r=4, lora_alpha=6, lora_dropout=0.2, use_dora=dora, target_modules="all-linear")
    adapted = peft.get_peft_model(theirs.model, config)
    by_hand(theirs, adapted, tmp_path, seed=11)
    merged = adapted.merge_and_unload()
    assert same(weights(ours), {name: weight.detach() for name, weight in merged.named_parameters()})
