"""How much memory a run needs, roughly and on the safe side.

On the CPU everything shares one memory; on a GPU only what lies on it is counted. P is the number of parameters.
- At rest: the weights; on the CPU also the checkpoint's own copy that stages are told apart by. Of a model that is
  larger than its device, what lies on it and the largest matrix that is brought there.
- Full fine-tuning adds, in float32, gradients (4P) and Adam's two moments (8P), and the weights themselves where they
  are kept in half precision; LoRA adds 16 bytes for each number of its small matrices.
- Activations of training: tokens x width x layers x (34 + 5 heads x length / width) bytes in half precision, twice as
  much in float32 (Korthikanti et al. 2022, arXiv 2205.05198, eq. 2), and the scores over the vocabulary, five times.
  Of a batch in parts only one part counts; layer by layer, each layer's input and one layer.
- An edit adds its statistics, inputs² in float64 for each layer and twice for solving, and a search of bounded size.
- A stage that is left and the one that is reached are both kept on the CPU, and so is what an operation restores.

Beside measured peaks (GPT-2s of 6 and 72 million parameters on the CPU: full, LoRA, MEMIT) it lay 10 to 55 % above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from editview.domain.checkpoint import CheckpointInfo, Device
from editview.domain.memory import Layout, Memory
from editview.domain.operations import Edit, FullFineTune, Lora, Reverse, TargetEdit
from editview.domain.placement import Placement
from editview.domain.scope import parameters, trained
from editview.domain.weights import MatrixKind
from editview.lm.devices import has_own_memory
from editview.lm.layout import laid_out
from editview.runs.machine import main_memory_available
from editview.runs.operations import Prepared, PreparedEdit, PreparedFineTune, PreparedReverse, PreparedUndo

_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
_HEAD_WIDTH = 64  # of an attention head, as nearly all models have it
_ROW = 16  # tokens of an edit's row from the subject on, roughly
_UNFUSED = 2.2  # what PyTorch keeps beside the formula, since activation functions aren't fused; measured on GPT-2
_LIBRARIES = 100_000_000  # bytes that training's libraries take, once
_SEARCH = {"cpu": 2**27, "gpu": 2**31}  # numbers of a block's width that an edit's search holds at once, at most


def resting_memory(info: CheckpointInfo, device: Device) -> int:
    """Bytes for the model at rest."""
    weights = info.parameters * _bytes(info, device)
    return 2 * weights if device.id == "cpu" else weights


def operation_memory(
    prepared: PreparedEdit | PreparedReverse | PreparedUndo, info: CheckpointInfo, device: Device
) -> int:
    """Bytes while an edit is carried out or taken back, the model included."""
    total = resting_memory(info, device) + _copies(prepared, info, device)
    if isinstance(prepared, PreparedUndo):
        return total
    if isinstance(prepared, PreparedReverse):  # one memory and its directions at a time, in float64
        return total + 4 * 8 * max(
            (math.prod(t.shape) for t in info.tensors if t.kind is MatrixKind.MLP_OUT), default=0
        )
    # On a card: W, W as it was, and ΔW in float64.
    held = _changed(prepared, info) * (2 * _bytes(info, device) + 8) if has_own_memory(device) else 0
    return int(total + held + _editing(prepared, info, device))


def training_memory(prepared: PreparedFineTune, info: CheckpointInfo, device: Device, layout: Layout) -> Memory:
    """Bytes while a fine-tune is carried out in some layout, the model included."""
    operation, number = prepared.operation, _bytes(info, device)
    weights = info.parameters * number
    numbers = parameters(trained(info.tensors, operation, prepared.layers), operation)
    if isinstance(operation, FullFineTune):
        weights += info.parameters * 4 if number < 4 else 0  # trained in float32
    else:
        weights += 4 * numbers + (info.parameters * 2 if number_format(info, device) == "float16" else 0)
    copies = _copies(prepared, info, device) + (info.parameters * number if device.id == "cpu" else 0)
    activations = _activations(operation, info, number, layout) + _LIBRARIES
    return Memory(weights, 4 * numbers, 8 * numbers, int(activations), copies)


def _copies(prepared: Prepared, info: CheckpointInfo, device: Device) -> int:
    """What is kept of what an operation changes; only on the CPU does that share its memory."""
    return 3 * _changed(prepared, info) * _bytes(info, device) if device.id == "cpu" else 0


def working_memory(prepared: Sequence[Prepared], info: CheckpointInfo, device: Device) -> int | None:
    """Bytes of the device to leave free beside the model, for edits to be carried out; None: there are none.

    Nothing beside a fine-tune, which takes the whole model on the device or none.
    """
    if any(isinstance(one, PreparedFineTune) for one in prepared):
        return 0
    edits = [one for one in prepared if isinstance(one, PreparedEdit)]
    return max((operation_memory(one, info, device) - resting_memory(info, device) for one in edits), default=None)


def layout(prepared: Sequence[Prepared], info: CheckpointInfo, device: Device, available: int) -> Placement | None:
    """How the model would be opened for these operations, with so many bytes of the device; None: it fits nowhere."""
    working, main = working_memory(prepared, info, device), main_memory_available()
    return laid_out(info.tensors, _bytes(info, device), device, working, info.disk_serves, available, main)


def _editing(prepared: PreparedEdit, info: CheckpointInfo, device: Device) -> float:
    operation = prepared.operation
    inputs = max((max(t.shape) for t in info.tensors if t.kind is MatrixKind.MLP_OUT), default=info.width)
    most = _SEARCH["cpu" if device.id == "cpu" else "gpu"]
    search = min(len(prepared.facts) * operation.texts_a_fact * _ROW * info.width * info.layers, most)
    searching: float = search * 17 * _bytes(info, device)
    if has_own_memory(device):
        searching = min(searching, device.memory_total / 6)  # as the search itself does
    solving = (max(1, len(operation.layers)) + 2) * inputs**2 * 8 if isinstance(operation, TargetEdit) else 0
    return solving + searching


def _activations(operation: Lora | FullFineTune, info: CheckpointInfo, number: int, layout: Layout) -> float:
    tokens = layout.part * operation.max_length
    heads = max(1, info.width // _HEAD_WIDTH)
    per_layer = info.width * (34 + 5 * heads * operation.max_length / max(info.width, 1)) * number / 2 * _UNFUSED
    if isinstance(operation, Lora):
        per_layer += info.width * 8 * number  # the inputs of each adapted layer after dropout
    kept = per_layer * info.layers
    if layout.checkpointing:  # each layer's input, and one layer at a time in full
        kept = info.width * number * info.layers + per_layer
    vocabulary = max((t.shape[0] for t in info.tensors if t.kind is MatrixKind.EMBEDDING), default=0)
    return tokens * (kept + vocabulary * 4 * 5)


def _changed(prepared: Prepared, info: CheckpointInfo) -> int:
    """How many numbers an operation may change."""
    operation = prepared.operation
    if isinstance(prepared, PreparedFineTune):
        found = trained(info.tensors, prepared.operation, prepared.layers)
        return sum(math.prod(tensor.shape) for tensor in found)
    written = [math.prod(t.shape) for t in info.tensors if t.kind is MatrixKind.MLP_OUT]
    layers = len(operation.layers) if isinstance(operation, Edit | Reverse) else len(written)
    if isinstance(operation, Reverse) and not layers:  # those that look edited: perhaps all
        layers = len(written)
    return sum(written[: max(1, layers)])


def number_format(info: CheckpointInfo, device: Device) -> str:
    """As weights are loaded: float32 on the CPU, else as the checkpoint has them, unless the plan says."""
    wanted = info.checkpoint.dtype
    if wanted != "auto":
        return wanted
    return info.dtype if device.id != "cpu" and info.dtype in _BYTES else "float32"


def _bytes(info: CheckpointInfo, device: Device) -> int:
    return _BYTES[number_format(info, device)]
