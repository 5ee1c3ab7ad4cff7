"""Opening checkpoints: described from headers first, then loaded. Only safetensors and JSON are read unless allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from logging import ERROR, getLogger
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import safe_open
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
from transformers.utils import logging

from editview.domain.checkpoint import CheckpointInfo, Device
from editview.domain.errors import EditViewError
from editview.domain.placement import Placement
from editview.domain.plan import Checkpoint, checkpoint_name
from editview.domain.progress import Progress
from editview.lm.adapters import check_adapter, merge_adapter
from editview.lm.anatomy import Anatomy, anatomy
from editview.lm.devices import has_own_memory
from editview.lm.headers import FORMATS, Header, check_tokenizer_files, member, read_header, read_json
from editview.lm.layout import laid_out, too_large
from editview.lm.model import LanguageModel, fingerprint
from editview.lm.offloading import Offloaded, device_map, dispatched
from editview.lm.sources import download, local_folder

STEPS = 4  # of opening


@dataclass(frozen=True)
class Structure:
    """A checkpoint as its settings and headers describe it."""

    folder: Path
    adapter: Path | None
    config: Any
    header: Header | None  # None for pickled weights
    skeleton: PreTrainedModel  # the model without weights
    anatomy: Anatomy
    remote_code: bool

    @property
    def disk_serves(self) -> bool:
        """Whether weights can be read from the checkpoint's files just when they are needed."""
        return self.adapter is None and self.header is not None


@dataclass(frozen=True)
class _Found(Structure):
    """A checkpoint that passed every check that headers allow."""

    tokenizer: Any


def describe(checkpoint: Checkpoint, device: Device) -> CheckpointInfo:
    """What a checkpoint is and whether it fits `device`, without loading weights or asking the network.

    Raises EditViewError for anything that couldn't be opened.
    """
    found = _find(checkpoint)
    parameters = sum(parameter.numel() for parameter in found.skeleton.parameters())
    own = found.header.dtype if found.header else _config_dtype(found.config)
    loaded = _dtype(checkpoint, device, own)
    placement = laid_out(found.anatomy.tensors, loaded.itemsize, device, None, found.disk_serves)
    text = found.config.get_text_config()
    return CheckpointInfo(
        checkpoint=checkpoint,
        name=_name(checkpoint, found.folder),
        architecture=_architecture(found.skeleton),
        parameters=parameters,
        bytes=found.header.bytes if found.header else parameters * getattr(torch, own).itemsize,
        dtype=own,
        layers=int(text.num_hidden_layers),
        tensors=found.anatomy.tensors,
        device=device.name,
        fits=placement is not None and placement.is_whole,
        not_editable=found.anatomy.not_editable,
        model_type=str(text.model_type),
        width=int(text.hidden_size),
        layout=placement.sentence(device.name) if placement else "",
        disk_serves=found.disk_serves,
        computes_in=str(loaded).removeprefix("torch."),
    )


def open_model(checkpoint: Checkpoint, device: Device, progress: Progress, working: int | None = None) -> LanguageModel:
    """Load a checkpoint onto `device`; downloads a hub id that isn't in the local cache.

    Weights are float32 on the CPU and as the checkpoint has them on a GPU, unless the checkpoint names a format. Where
    they would leave less than `working` bytes of the device's memory to work in (None: a guess), layers wait in main
    memory and, where that is short, on the disk. Raises EditViewError for a checkpoint that is missing, damaged, not
    what EditView works with, or too large for all of these.
    """
    progress(0, STEPS, "Reading the checkpoint's headers")
    for source in filter(None, (checkpoint.source, checkpoint.adapter)):
        if local_folder(source) is None:
            download(source, progress, pickle=checkpoint.allow_pickle, code=checkpoint.allow_code)
    found = _find(checkpoint)
    progress(1, STEPS, "Loading the weights")
    own = found.header.dtype if found.header else _config_dtype(found.config)
    dtype = _dtype(checkpoint, device, own)
    placement = laid_out(found.anatomy.tensors, dtype.itemsize, device, working, found.disk_serves)
    if placement is None and has_own_memory(device):
        raise too_large(found.anatomy.tensors, dtype.itemsize, device, found.disk_serves)
    if placement is None or placement.is_whole:  # the CPU may swap what fits nowhere
        model, offloaded = _in_memory(found, dtype, checkpoint.allow_pickle, progress), None
        nn.Module.to(model, torch.device(device.id))
    else:
        model, offloaded = _laid_out(found, dtype, checkpoint.allow_pickle, device, placement, progress)
    progress(3, STEPS, "Taking the fingerprint")
    named = fingerprint(model, found.tokenizer, offloaded)
    opened = LanguageModel(model.eval(), found.tokenizer, found.anatomy, named, offloaded)
    progress(STEPS, STEPS, "Taking the fingerprint")
    return opened


def open_tokenizer(checkpoint: Checkpoint) -> tuple[Any, Any]:
    """A checkpoint's tokenizer and its model's configuration, without the weights. Raises what `describe` raises."""
    found = _find(checkpoint)
    return found.tokenizer, found.config


def _in_memory(found: _Found, dtype: torch.dtype, pickle: bool, progress: Progress) -> PreTrainedModel:
    """The whole model in main memory, its adapter merged."""
    model = _load(found, dtype, pickle)
    if found.adapter:
        progress(2, STEPS, "Merging the adapter")
        model = merge_adapter(model, found.adapter)
    return model


def _laid_out(
    found: _Found, dtype: torch.dtype, pickle: bool, device: Device, placement: Placement, progress: Progress
) -> tuple[PreTrainedModel, Offloaded]:
    """The model over several memories; main memory never holds all of it, unless an adapter or pickles ask for it."""
    where = device_map(found.skeleton, found.anatomy, placement, device.id)
    folder = TemporaryDirectory(prefix="editview-")
    if found.disk_serves:
        model = _load(found, dtype, pickle, device_map=where, offload_folder=folder.name)
    else:
        model = dispatched(_in_memory(found, dtype, pickle, progress), where, device.id)
    names = [tensor.name for tensor in found.anatomy.tensors]
    return model, Offloaded(model, names, device.id, placement.sentence(device.name), folder)


def open_as_stored(checkpoint: Checkpoint) -> tuple[PreTrainedModel, Path]:
    """The checkpoint's own weights on the CPU, without its adapter, each in the number format its file has it in.

    With the folder that its files lie in. Raises EditViewError.
    """
    found = _find(checkpoint.model_copy(update={"adapter": None}))
    own = found.header.dtype if found.header else _config_dtype(found.config)
    model = _load(found, getattr(torch, own), checkpoint.allow_pickle)
    parameters = dict(model.named_parameters())
    others = {
        name for name, (kind, _) in (found.header.tensors if found.header else {}).items()
        if name in parameters and FORMATS.get(kind) != own
    }  # fmt: skip
    for file in found.folder.glob("model*.safetensors") if others else ():
        with safe_open(file, "pt") as tensors:
            for name in others.intersection(tensors.keys()):
                parameters[name].data = tensors.get_tensor(name)
    return model, found.folder


def _find(checkpoint: Checkpoint) -> _Found:
    found = structure(checkpoint)
    return _Found(**vars(found), tokenizer=_tokenizer(found.folder, found.skeleton, found.remote_code))


def structure(checkpoint: Checkpoint) -> Structure:
    """What a checkpoint on this machine is built like; weights and tokenizer aren't looked at.

    Raises EditViewError for what is missing, damaged, or no causal language model that EditView can look into.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    getLogger("accelerate.big_modeling").setLevel(ERROR)  # it warns of what was asked of it
    folder = _folder(checkpoint.source)
    adapter = _folder(checkpoint.adapter) if checkpoint.adapter else None
    if not (folder / "config.json").is_file():
        if (folder / "adapter_config.json").is_file():
            base = read_json(folder / "adapter_config.json").get("base_model_name_or_path")
            raise EditViewError(
                f"'{folder}' is an adapter, not a whole model. Open the model it was made for ('{base}') and name "
                "this folder as its adapter."
            )
        raise EditViewError(f"'{folder}' holds no model: there is no config.json in it. Choose another folder.")
    settings = folder / "config.json"
    described = read_json(settings)
    code = "\n".join(_needed_code(settings, folder / "tokenizer_config.json"))
    if code and not checkpoint.allow_code:
        raise EditViewError(
            f"'{folder}' brings Python code of its own that would run on this machine, so it wasn't opened. Choose "
            "another checkpoint, or allow its code if you have read it.",
            code,
        )
    remote = bool(code) and member(settings, described, "model_type", str) not in CONFIG_MAPPING
    if not remote:
        _check_architecture(settings, described)
    header = read_header(folder, "model", checkpoint.allow_pickle)
    config = _config(folder, remote)
    skeleton = _skeleton(config, remote)
    if adapter:
        check_adapter(adapter, skeleton)
    return Structure(folder, adapter, config, header, skeleton, anatomy(skeleton), remote)


def _folder(source: str) -> Path:
    folder = local_folder(source)
    if folder is None:
        raise EditViewError(
            f"'{source}' isn't on this machine: there is no such folder, and it isn't in the Hugging Face cache. "
            "Download it first, or check the name."
        )
    return folder


def _needed_code(*settings: Path) -> Iterator[str]:
    """The Python classes that a checkpoint wants loaded from its own files; none for most."""
    for path in settings:
        if path.is_file():
            yield from (f"{part}: {value}" for part, value in member(path, read_json(path), "auto_map", dict).items())


def _check_architecture(settings: Path, config: dict[str, Any]) -> None:
    model_type = member(settings, config, "model_type", str)
    if model_type not in CONFIG_MAPPING:
        raise EditViewError(
            f"The model's architecture '{model_type}' is unknown to the libraries installed here. A newer version of "
            "'transformers' may know it; otherwise choose another checkpoint."
        )
    causal = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
    named = member(settings, config, "architectures", list, of=str)
    if model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or (named and not causal.intersection(named)):
        raise EditViewError(
            f"This model ({', '.join(named) or model_type}) doesn't write text on from a prompt, so it can't be asked "
            "for facts. Choose a causal language model."
        )
    if config.get("quantization_config"):
        raise EditViewError(
            "The weights of this checkpoint are quantised, and edits need them in full. Choose the version that isn't."
        )


def _config(folder: Path, remote: bool) -> Any:
    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=remote, local_files_only=True)
    except Exception as error:
        raise EditViewError(
            f"The settings in '{folder / 'config.json'}' can't be used. The checkpoint is damaged; fetch it again.",
            str(error),
        ) from error


def _skeleton(config: Any, remote: bool) -> PreTrainedModel:
    """The model as its configuration describes it, on no device and without weights."""
    try:
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config, trust_remote_code=remote)  # type: ignore[no-any-return]
    except Exception as error:
        raise EditViewError(
            "No model can be built from this checkpoint's config.json. The checkpoint is damaged; fetch it again.",
            str(error),
        ) from error


def _tokenizer(folder: Path, skeleton: PreTrainedModel, remote: bool) -> Any:
    check_tokenizer_files(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=remote, local_files_only=True)
    except Exception as error:
        raise EditViewError(
            f"The tokenizer in '{folder}' can't be used. Copy the tokenizer files of the model it was made from into "
            "the folder.",
            str(error),
        ) from error
    rows = int(skeleton.get_input_embeddings().weight.shape[0])  # type: ignore[index]
    added = tokenizer.get_added_vocab()  # libraries add some of their own that no text contains
    ordinary = [number for token, number in tokenizer.get_vocab().items() if token not in added]
    highest = max([*ordinary, *tokenizer("a")["input_ids"]], default=-1)
    if not 0 <= highest < rows:
        raise EditViewError(
            f"The tokenizer doesn't match the model: it knows {highest + 1:,} tokens, the model {rows:,}. Copy the "
            "tokenizer files of the model it was made from into the folder."
        )
    return tokenizer


def _load(found: _Found, dtype: torch.dtype, pickle: bool, **where: Any) -> PreTrainedModel:
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            found.folder,
            config=found.config,
            dtype=dtype,
            trust_remote_code=found.remote_code,
            use_safetensors=None if pickle else True,
            local_files_only=True,
            output_loading_info=True,
            **where,
        )
        model: PreTrainedModel = loaded[0]
        loading: dict[str, Any] = loaded[1]
    except Exception as error:
        raise EditViewError(
            f"The weights in '{found.folder}' couldn't be loaded: they don't fit its config.json, or there isn't "
            "enough memory. Fetch the checkpoint again, or choose a smaller one.",
            str(error),
        ) from error
    absent = [*loading["missing_keys"], *loading.get("mismatched_keys", ())]
    if absent:
        raise EditViewError(
            f"The checkpoint in '{found.folder}' isn't whole: {len(absent)} of the model's tensors aren't in it, or "
            "have another shape. Fetch it again.",
            "\n".join(map(str, absent)),
        )
    return model


def _config_dtype(config: Any) -> str:
    return str(getattr(config, "dtype", None) or torch.float32).removeprefix("torch.")


def _dtype(checkpoint: Checkpoint, device: Device, own: str) -> torch.dtype:
    """The number format to load: as the checkpoint asks, or what computes well on the device."""
    if checkpoint.dtype != "auto":
        if checkpoint.dtype == "float16" and device.id == "cpu":
            raise EditViewError("float16 loses too much on the CPU. Choose 'auto', float32 or bfloat16.")
        return getattr(torch, checkpoint.dtype)  # type: ignore[no-any-return]
    if device.id == "cpu" or own not in ("float32", "bfloat16", "float16"):
        return torch.float32
    return getattr(torch, own)  # type: ignore[no-any-return]


def _name(checkpoint: Checkpoint, folder: Path) -> str:
    own = checkpoint.source != "demo" and Path(checkpoint.source).is_dir()
    name = folder.resolve().name if own else checkpoint_name(checkpoint.source)
    return f"{name} with {Path(checkpoint.adapter).name}" if checkpoint.adapter else name


def _architecture(model: PreTrainedModel) -> str:
    """The class's name as a person says it: 'GPT-2', 'Llama', 'Phi-3'."""
    name = re.sub(r"(ForCausalLM|LMHeadModel|LMHead|ForConditionalGeneration)$", "", type(model).__name__)
    return re.sub(r"([A-Za-z])(\d)", r"\1-\2", name)
