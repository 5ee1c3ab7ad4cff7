"""PEFT adapters on top of a base model: checked against it, then merged into its weights."""

from __future__ import annotations

import warnings
from pathlib import Path

from peft import PeftModel
from torch import nn
from transformers import PreTrainedModel

from editview.domain.errors import EditViewError
from editview.lm.anatomy import sizes
from editview.lm.headers import read_header, read_json

PREFIX = "base_model.model."


def check_adapter(folder: Path, base: nn.Module) -> None:
    """Raises EditViewError unless the adapter in `folder` fits `base`, told from headers alone."""
    if not (folder / "adapter_config.json").is_file():
        raise EditViewError(
            f"'{folder}' holds no adapter: there is no adapter_config.json in it. Choose another folder."
        )
    made_for = read_json(folder / "adapter_config.json").get("base_model_name_or_path")
    header = read_header(folder, "adapter_model", allow_pickle=False)
    modules = dict(base.named_modules())
    for name, (_, shape) in header.tensors.items() if header else ():
        inside, found, _ = name.removeprefix(PREFIX).partition(".lora_")
        if not found or ".lora_embedding" in name or ".lora_magnitude" in name:
            continue
        module = modules.get(inside)
        side = 0 if ".lora_A." in name else 1
        if module is None or (hasattr(module, "weight") and module.weight.dim() == 2 and len(shape) == 2
                              and sizes(module)[side] != shape[1 - side]):  # fmt: skip
            raise EditViewError(
                f"The adapter in '{folder}' was made for another model ('{made_for}'): it doesn't fit this one. "
                "Choose the model that it was trained on.",
                f"{name} {shape}",
            )


def merge_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """The model with the adapter's change added to its weights; the adapter itself is gone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # between peft and transformers, nothing for the user
            return PeftModel.from_pretrained(model, str(folder)).merge_and_unload(safe_merge=True)  # type: ignore
    except Exception as error:
        raise EditViewError(
            f"The adapter in '{folder}' couldn't be merged into the model: it is damaged, of a kind that can't be "
            "merged, or made for another model.",
            str(error),
        ) from error
