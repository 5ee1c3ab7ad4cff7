"""Writing a model as Hugging Face does: a whole checkpoint beside the files of the one it came from, or an adapter."""

from __future__ import annotations

import errno
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from editview.domain.errors import Cancelled
from editview.domain.export_words import FACTS_FILE
from editview.domain.progress import Progress
from editview.lm.changes import differing
from editview.lm.low_rank import LowRank
from editview.lm.sources import WANTED

WRITING = "Writing the weights"

_SHARD = "1GB"  # small enough for writing to be broken off soon
_LOOK = 0.1  # seconds between two looks at how much is written
_BESIDE_WEIGHTS = ("LICENSE*", "NOTICE*", "additional_chat_templates")
_NOT_CARRIED = ("*.index.json", "adapter_*.json", FACTS_FILE)


@torch.no_grad()
def take_over(stored: PreTrainedModel, now: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Put into a checkpoint's weights as stored what differs in those of now; the names of the tensors that do.

    They are rounded to the number format of the tensor they replace; the others keep every bit.
    """
    changed = []
    for name, parameter in stored.named_parameters():
        tensor = now[name].detach().cpu()
        if differing({name: parameter.to(tensor.dtype)}, {name: tensor}):
            parameter.copy_(tensor)
            changed.append(name)
    return tuple(changed)


def save_checkpoint(model: PreTrainedModel, folder: Path, progress: Progress) -> None:
    """Write a model's weights and settings. A Cancelled out of `progress` ends it within a shard. Raises OSError."""
    total = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    with ThreadPoolExecutor(1, "editview-writing") as pool:
        work = pool.submit(model.save_pretrained, folder, max_shard_size=_SHARD)
        try:
            while not wait([work], _LOOK).done:
                progress(min(total, _written(folder)), total, WRITING)
        except Cancelled:
            shutil.rmtree(folder, ignore_errors=True)  # the next shard finds no place
            raise
    with _as_os_error():
        work.result()
    progress(total, total, WRITING)


def carry_over(origin: Path, folder: Path, settings: bool, code: bool) -> None:
    """Copy what lies beside the weights of the checkpoint that a model came from: tokenizer, templates, licence.

    `settings`: its config.json too, which names the number format; `code`: Python files. Raises OSError.
    """
    (folder / "generation_config.json").unlink(missing_ok=True)
    suffixes = {*WANTED, *([".py"] if code else [])} - {".safetensors"}
    found = [path for path in origin.iterdir() if path.suffix in suffixes]
    found += [path for pattern in _BESIDE_WEIGHTS for path in origin.glob(pattern) if path.suffix not in suffixes]
    for path in found:
        if any(path.match(pattern) for pattern in _NOT_CARRIED) or (path.name == "config.json" and not settings):
            continue
        if path.is_dir():
            shutil.copytree(path, folder / path.name)
        else:
            shutil.copyfile(path, folder / path.name)


def save_adapter(model: PreTrainedModel, changes: Mapping[str, LowRank], base: str, folder: Path) -> None:
    """Write what is added to the matrices of a model, by the names of their modules, as a PEFT adapter.

    `base` is the name that the adapter gives for the checkpoint it belongs to.
    """
    ranks = {name: change.rank for name, change in changes.items()}
    config = LoraConfig(
        r=max(ranks.values()),
        lora_alpha=max(ranks.values()),
        rank_pattern=ranks,
        alpha_pattern=ranks,  # alpha / rank = 1: what is added is the product itself
        target_modules=list(changes),
        fan_in_fan_out=all(isinstance(model.get_submodule(name), Conv1D) for name in changes),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # between peft and transformers; a model with both kinds of layers is sorted
        adapted = get_peft_model(model, config)
    for name, change in changes.items():
        module: Any = model.get_submodule(name)
        module.lora_A["default"].weight.data = change.down
        module.lora_B["default"].weight.data = change.up
    adapted.peft_config["default"].base_model_name_or_path = base
    with _as_os_error():
        adapted.save_pretrained(str(folder), save_embedding_layers=False)  # 'auto' would ask the hub


def linear_module(model: nn.Module, tensor: str) -> str | None:
    """The name of the linear layer whose matrix a tensor is; None: it is something else."""
    name, _, last = tensor.rpartition(".")
    return name if last == "weight" and isinstance(model.get_submodule(name), nn.Linear | Conv1D) else None


def _written(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors*"))


@contextmanager
def _as_os_error() -> Iterator[None]:
    """safetensors tells errors of the disk in words of its own."""
    try:
        yield
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(int(number.group(1)) if number else errno.EIO, str(error)) from error
