"""Models larger than the device: accelerate brings each matrix there when it is its turn, and takes it away again.

Meanwhile its parameter is an empty shell, so nothing can be read from it or written to it. Here is what lies behind
the shells: `Offloaded` gives each weight by its name, wherever it waits, and takes changes. What is changed waits in
main memory from then on; the checkpoint's files, from which accelerate reads what waits on the disk, are never written.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import torch
from accelerate import dispatch_model
from accelerate.hooks import AlignDevicesHook
from accelerate.utils import extract_submodules_state_dict, set_module_tensor_to_device
from torch import Tensor, nn
from transformers import PreTrainedModel

from editview.domain.placement import Place, Placement
from editview.lm.anatomy import Anatomy
from editview.lm.forward import hooked


class Offloaded(Mapping[str, Tensor]):
    """The weights of a model that accelerate has hooked up, by name, tied ones once; each on whatever device it is."""

    def __init__(
        self,
        model: PreTrainedModel,
        names: Collection[str],
        device: str,
        layout: str,
        folder: TemporaryDirectory[str],
    ) -> None:
        self.device = torch.device(device)  # where the model computes
        self.layout = layout  # in words
        weakref.finalize(self, folder.cleanup)  # what had to be converted to wait on the disk lies there
        self._model, self._names = model, tuple(names)
        self._opened: dict[str, Tensor] = {}  # those that were written to, as they were before that, on the CPU
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for module in model.modules():
            if (hook := getattr(module, "_hf_hook", None)) is not None:
                # By the addresses of tied weights; addresses are used again, and no tied weight is ever taken away.
                hook.tied_params_map = None

    def __getitem__(self, name: str) -> Tensor:
        module, own = self._owner(name)
        hook = _offloading(module)
        weight: Tensor = module.get_parameter(own).detach() if hook is None else hook.weights_map[own]
        return weight

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def opened(self) -> Mapping[str, Tensor]:
        """The weights as the model was opened with them."""
        return _Opened(self, self._opened)

    @property
    def written(self) -> Collection[str]:
        """The names of all that may differ from what the model was opened with."""
        return self._opened.keys()

    @torch.no_grad()
    def write(self, name: str, values: Tensor) -> None:
        """Change a weight to `values`, of its shape and number format."""
        self._keep(name)
        module, own = self._owner(name)
        hook = _offloading(module)
        if hook is None:
            module.get_parameter(own).copy_(values)
        else:
            there = hook.weights_map
            there.dataset.state_dict[f"{there.prefix}{own}"] = _kept(values)

    @contextmanager
    def at_hand(self, names: Collection[str]) -> Iterator[None]:
        """Inside, these weights are on the device as parameters like any other, to be changed in place."""
        with ExitStack() as stack:
            for name in names:
                self._keep(name)
                stack.enter_context(self._brought(name))
            yield

    @contextmanager
    def _brought(self, name: str) -> Iterator[None]:
        """Inside, the module that a weight belongs to stays on the device; afterwards the weight is written back."""
        module, changed = self._owner(name)
        hook = _offloading(module)
        if hook is None:
            yield
            return
        brought = {own: hook.weights_map[own].to(self.device, copy=True) for own in dict(module.named_parameters())}
        for own, values in brought.items():
            module.register_parameter(own, nn.Parameter(values, requires_grad=False))
        hook.offload = False
        try:
            yield
        finally:
            hook.offload = True
            self.write(name, brought[changed])
            for own in brought:
                set_module_tensor_to_device(module, own, "meta")

    @contextmanager
    def gradients(self) -> Iterator[None]:
        """Inside, a weight that gradients are led through is remembered by its name, and brought back for that.

        Otherwise the graph would hold on to every matrix that came to the device until the way back is done.
        """
        there: dict[str, nn.Module] = {}  # the module that computes, by its name

        def enters(name: str) -> Callable[..., None]:
            def hook(module: nn.Module, *_: Any) -> None:
                there.clear()
                there[name] = module

            return hook

        def pack(tensor: Tensor) -> Any:
            for name, module in there.items():
                for own, weight in module.named_parameters(recurse=False):
                    if not weight.is_meta and _storage(weight) == _storage(tensor) and weight.dtype == tensor.dtype:
                        offset = tensor.storage_offset() - weight.storage_offset()
                        return f"{name}.{own}", tensor.shape, tensor.stride(), offset
            return tensor

        def unpack(packed: Any) -> Tensor:
            if isinstance(packed, Tensor):
                return packed
            name, shape, stride, offset = packed
            weight = self[name].to(self.device)
            return weight.as_strided(shape, stride, weight.storage_offset() + offset)

        away = [(name, module) for name, module in self._model.named_modules() if _offloading(module) is not None]
        with (
            hooked(*(module.register_forward_pre_hook(enters(name)) for name, module in away)),
            torch.autograd.graph.saved_tensors_hooks(pack, unpack),
        ):
            yield

    def _owner(self, name: str) -> tuple[nn.Module, str]:
        module, _, own = name.rpartition(".")
        return self._model.get_submodule(module), own

    def _keep(self, name: str) -> None:
        if name not in self._opened:
            waits = _offloading(self._owner(name)[0]) is not None  # then it is replaced, never changed in place
            self._opened[name] = self[name].cpu() if waits else _kept(self[name])


class _Opened(Mapping[str, Tensor]):
    """What was kept of the weights, and for the others what they are, all on the CPU."""

    def __init__(self, live: Offloaded, kept: Mapping[str, Tensor]) -> None:
        self._live, self._kept = live, kept

    def __getitem__(self, name: str) -> Tensor:
        return self._kept[name] if name in self._kept else self._live[name].cpu()

    def __iter__(self) -> Iterator[str]:
        return iter(self._live)

    def __len__(self) -> int:
        return len(self._live)


def device_map(model: nn.Module, anatomy: Anatomy, placement: Placement, device: str) -> dict[str, str]:
    """A placement in accelerate's words: where each block goes, and every module with tensors outside the blocks."""
    words = {Place.DEVICE: device, Place.MEMORY: "cpu", Place.DISK: "disk"}
    found = {name: words[place] for name, place in zip(anatomy.blocks, placement.layers, strict=True)}
    inside = tuple(f"{name}." for name in anatomy.blocks)
    for name, module in model.named_modules():
        own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        if own and name not in anatomy.blocks and not name.startswith(inside):
            found[name] = device
    return found


def dispatched(model: PreTrainedModel, where: dict[str, str], device: str) -> PreTrainedModel:
    """A model that lies in main memory as a whole: what isn't to be on the device stays there."""
    stays = [name for name, place in where.items() if place != device]
    laid_out: PreTrainedModel = dispatch_model(
        model,
        where | dict.fromkeys(stays, "disk"),  # so accelerate takes it away on every device; it never reaches the disk
        main_device=device,
        state_dict=extract_submodules_state_dict(model.state_dict(), stays),
        offload_index={},
        skip_keys=model._skip_keys_device_placement,
    )
    return laid_out


def _offloading(module: nn.Module) -> AlignDevicesHook | None:
    """The hook that takes this module's weights away, if there is one."""
    hook = getattr(module, "_hf_hook", None)
    return hook if isinstance(hook, AlignDevicesHook) and hook.offload else None


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _kept(tensor: Tensor) -> Tensor:
    """A copy on the CPU."""
    return tensor.detach().to("cpu", copy=True).contiguous()
