"""Where a model's parts are: its blocks, the matrix that edits change, its head. Found by structure, not by name lists.

What is assumed holds for decoder models as Hugging Face builds them: the blocks stand in one list, each with an
attention part (its name says so), and a feed-forward part whose last matrix writes into the residual stream.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from editview.domain.errors import EditViewError
from editview.domain.weights import MatrixKind, TensorInfo

Matrix = nn.Linear | Conv1D


@dataclass(frozen=True)
class Anatomy:
    """Names of modules and tensors, so that it stays true when modules are wrapped for training."""

    blocks: tuple[str, ...]
    mlp_outputs: tuple[str, ...]  # one a block; empty when the model can't be edited
    tensors: tuple[TensorInfo, ...]  # every parameter, tied ones once
    not_editable: str | None

    def block(self, model: nn.Module, layer: int) -> nn.Module:
        return model.get_submodule(self.blocks[layer])

    def mlp_output(self, model: nn.Module, layer: int) -> Matrix:
        """The module whose weight edits change; its input is the key, its output goes into the residual stream."""
        return model.get_submodule(self.mlp_outputs[layer])  # type: ignore[return-value]


def writes_transposed(module: nn.Module) -> bool:
    """Whether a matrix is kept as [inputs, outputs] (Conv1D) instead of [outputs, inputs] (Linear)."""
    return isinstance(module, Conv1D)


def sizes(module: Matrix) -> tuple[int, int]:
    """Inputs and outputs of a matrix."""
    rows, columns = module.weight.shape
    return (rows, columns) if isinstance(module, Conv1D) else (columns, rows)


def anatomy(model: PreTrainedModel) -> Anatomy:
    """Read the structure; the weights aren't looked at, so a model on the meta device will do.

    Raises EditViewError when there is no list of blocks to be found, and for models that can't be read the way
    EditView reads: many prompts at once, laid out with positions and a mask of their own.
    """
    config = model.config.get_text_config()
    width, count = int(config.hidden_size), int(config.num_hidden_layers)
    stack = _block_list(model, count)
    blocks = tuple(f"{stack}.{layer}" for layer in range(count))
    _check_readable(model, [model.get_submodule(name) for name in blocks])
    outputs, reason = [], None
    for name in blocks:
        found, reason = _mlp_output(model.get_submodule(name), width)
        if reason:
            break
        outputs.append(f"{name}.{found}")
    tensors = _tensors(model, blocks, outputs, width)
    return Anatomy(blocks, () if reason else tuple(outputs), tensors, reason)


def _block_list(model: nn.Module, count: int) -> str:
    """The list of `count` equal modules that holds most of the parameters."""
    lists = {
        name: sum(parameter.numel() for parameter in module.parameters())
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count
    }
    if not lists:
        raise EditViewError(
            "This model isn't built as a stack of blocks, so EditView can't look into it. Choose another checkpoint.",
            f"No ModuleList of {count} blocks in {type(model).__name__}",
        )
    return str(max(lists, key=lambda name: lists[name]))


def _is_attention(name: str) -> bool:
    return "attn" in name.lower() or "attention" in name.lower()


def _mlp_output(block: nn.Module, width: int) -> tuple[str, str | None]:
    """The name, inside its block, of the matrix with which the feed-forward part writes; or why there is none."""
    rest = {
        name: module
        for name, module in block.named_modules()
        if name and not any(_is_attention(part) for part in name.split("."))
    }
    own = [parameter for module in rest.values() for parameter in module.parameters(recurse=False)]
    if any(isinstance(module, nn.ModuleList) for module in rest.values()) or any(p.dim() > 2 for p in own):
        return "", "its layers choose between several experts, which the editing methods don't know"
    matrices = {name: module for name, module in rest.items() if isinstance(module, Matrix)}
    writers = [name for name, module in matrices.items() if sizes(module)[1] == width]
    if len(matrices) < 2 or not writers:
        return "", "its blocks have no feed-forward matrix of the usual kind"
    return writers[-1], None


def _check_readable(model: PreTrainedModel, blocks: list[nn.Module]) -> None:
    if any(_keeps_a_state(block) for block in blocks):
        raise EditViewError(
            "This model carries a running state from word to word, as state-space models do, and EditView works with "
            "attention alone. Choose a model whose layers all attend.",
            type(model).__name__,
        )
    linear = getattr(model.config.get_text_config(), "alibi", False)
    if linear or "position_ids" not in inspect.signature(model.forward).parameters:
        raise EditViewError(
            "This model tells positions by distance alone (ALiBi), so it can't be asked the way EditView asks. Choose "
            "a model with numbered positions, as most are.",
            type(model).__name__,
        )


def _keeps_a_state(block: nn.Module) -> bool:
    """Whether a block is a state-space or linear-attention one: those convolve over words, or shift them (RWKV)."""
    shifts = (parameter.dim() > 2 and parameter.shape[:2] == (1, 1) for parameter in block.parameters())
    return any(isinstance(module, nn.Conv1d) for module in block.modules()) or any(shifts)


def _tensors(model: PreTrainedModel, blocks: tuple[str, ...], outputs: list[str], width: int) -> tuple[TensorInfo, ...]:
    embeddings = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Embedding)}
    head = model.get_output_embeddings()
    heads = {f"{name}.weight" for name, module in model.named_modules() if module is head}
    attention_outputs = {_attention_output(model, name, width) for name in blocks}
    prefixes = {f"{name}.": layer for layer, name in enumerate(blocks)}
    found = []
    for name, parameter in model.named_parameters():
        module = name.rpartition(".")[0]
        layer = next((layer for prefix, layer in prefixes.items() if name.startswith(prefix)), None)
        if name in embeddings:
            kind = MatrixKind.EMBEDDING
        elif name in heads:
            kind = MatrixKind.HEAD
        elif parameter.dim() < 2:
            kind = MatrixKind.NORM
        elif layer is None or (parameter.dim() == 2 and not isinstance(model.get_submodule(module), Matrix)):
            kind = MatrixKind.OTHER  # inside a layer, what chooses between experts
        elif module in outputs:
            kind = MatrixKind.MLP_OUT
        elif module in attention_outputs:
            kind = MatrixKind.ATTENTION_OUT
        elif any(_is_attention(part) for part in name.removeprefix(blocks[layer]).split(".")):
            kind = MatrixKind.ATTENTION_IN
        else:
            kind = MatrixKind.MLP_IN
        transposed = parameter.dim() == 2 and writes_transposed(model.get_submodule(module))
        found.append(TensorInfo(name, layer, kind, tuple(parameter.shape), transposed))
    return tuple(found)


def _attention_output(model: nn.Module, block: str, width: int) -> str:
    """The attention's last matrix that writes at the model's width; '' when there is none."""
    writers = [
        f"{block}.{name}"
        for name, module in model.get_submodule(block).named_modules()
        if any(_is_attention(part) for part in name.split("."))
        and isinstance(module, Matrix)
        and sizes(module)[1] == width
    ]
    return writers[-1] if writers else ""
