"""PEFT adapters on top of a base model: checked against it, then merged into its weights."""

from __future__ import annotations

import warnings
from pathlib import Path

from peft import LoraConfig, PeftConfig, PeftModel, inject_adapter_in_model, set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

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


class AdapterWeights:
    """A LoRA adapter on disk, merged into one weight at a time.

    Raises EditViewError for adapters of another kind: those don't add something to single weights.
    """

    def __init__(self, folder: Path, skeleton: PreTrainedModel) -> None:
        check_adapter(folder, skeleton)
        self._folder, self._skeleton = folder, skeleton
        config = PeftConfig.from_pretrained(str(folder))
        if not isinstance(config, LoraConfig):
            raise EditViewError(
                f"The adapter in '{folder}' is of the kind {config.peft_type}, which can't be merged weight by weight. "
                "Merge it into its model first, and choose the merged one."
            )
        self._config = config
        self._parts = load_file(folder / "adapter_model.safetensors")
        self._modules = {name.removeprefix(PREFIX).partition(".lora_")[0] for name in self._parts}

    def changes(self, name: str) -> bool:
        """Whether the adapter adds to the weight with this name."""
        return name.removesuffix(".weight") in self._modules and name.endswith(".weight")

    def merged(self, name: str, weight: Tensor) -> Tensor:
        """The weight with the adapter's part added, as peft merges it."""
        path = name.removesuffix(".weight")
        alone = _holding(path, self._skeleton.get_submodule(path), weight)
        parts = {key: part for key, part in self._parts.items() if key.startswith(f"{PREFIX}{path}.lora_")}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inject_adapter_in_model(self._config, alone)
            set_peft_model_state_dict(alone, {key.removeprefix(PREFIX): part for key, part in parts.items()})
        module = alone.get_submodule(path)
        module.merge(safe_merge=True)  # type: ignore[operator]
        return module.get_base_layer().weight.detach()  # type: ignore[operator,no-any-return]


def _holding(path: str, like: nn.Module, weight: Tensor) -> nn.Module:
    """A module that has one linear layer and nothing else, at the place where the model has it."""
    inputs, outputs = sizes(like)  # type: ignore[arg-type]
    layer: nn.Module = Conv1D(outputs, inputs) if isinstance(like, Conv1D) else nn.Linear(inputs, outputs, bias=False)
    layer.weight = nn.Parameter(weight.clone(), requires_grad=False)
    root = here = nn.Module()
    *above, last = path.split(".")
    for part in above:
        here.add_module(part, nn.Module())
        here = here.get_submodule(part)
    here.add_module(last, layer)
    return root
