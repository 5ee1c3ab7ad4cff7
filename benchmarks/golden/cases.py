"""A case: a folder with what a reference program was given and what it computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

from torch import Tensor

from benchmarks.golden.lines import NotComparable, followed, read, tensors, tensors_if_there
from editview.domain.checkpoint import Device
from editview.domain.facts import Fact, Group
from editview.domain.operations import AlphaEdit, Memit, Rome, TargetEdit
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.lm.statistics import KeyStatistics


@dataclass(frozen=True)
class Case:
    """One run of a reference program."""

    folder: Path
    settings: dict[str, Any]
    operation: TargetEdit
    requests: list[dict[str, Any]]
    templates: list[list[str]]
    golden: dict[str, Tensor]  # what it computed on its way, float32
    exact: dict[str, Tensor]  # the same run in float64, as far as it was kept

    @staticmethod
    def read(folder: Path) -> Case:
        settings = read(folder / "hparams.json")
        templates = read(folder / "context_templates.json")
        return Case(
            folder,
            settings,
            _operation(folder, settings),
            read(folder / "requests.json"),
            templates if isinstance(templates[0], list) else [templates],
            tensors(folder / "intermediates.safetensors"),
            tensors_if_there(folder / "float64_reference.safetensors"),
        )

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def layers(self) -> tuple[int, ...]:
        return self.operation.layers

    @property
    def independent(self) -> bool:
        """ROME's requests each written into the untouched model."""
        return self.settings.get("rome_mode") == "independent"

    @cached_property
    def chunks(self) -> list[slice]:
        """The batches of requests, written one after the other."""
        sizes = self.settings.get("chunks") or [len(self.requests)]
        if sum(sizes) != len(self.requests):
            raise NotComparable(f"{self.folder}: the chunks {sizes} aren't the {len(self.requests)} requests")
        ends = list(accumulate(sizes))
        return [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]

    def model(self) -> LanguageModel:
        dtype = self.settings.get("dtype") or "float32"
        checkpoint = Checkpoint(source=str(followed(self.folder / "model")), dtype=dtype)
        return open_model(checkpoint, Device("cpu", "CPU", 0), silent)

    def statistics(self) -> dict[int, KeyStatistics]:
        files = {layer: tensors(self.folder / f"cov_layer{layer}.safetensors") for layer in self.layers}
        return {layer: KeyStatistics.given(next(iter(file.values()))) for layer, file in files.items()}

    @cached_property
    def facts(self) -> list[Fact]:
        return [_edit(index, request) for index, request in enumerate(self.requests)]

    def sheet(self, which: Sequence[int]) -> list[Fact]:
        """The edits of these requests, each followed by its neighbours."""
        return [fact for index in which for fact in (self.facts[index], *_neighbours(index, self.requests[index]))]


def _operation(folder: Path, settings: dict[str, Any]) -> TargetEdit:
    given = settings["hparams"]
    if (token := given.get("fact_token", "subject_last")) != "subject_last":
        raise NotComparable(f"{folder}: EditView writes at the subject's last token, not at '{token}'")
    common = {
        "layers": tuple(given["layers"]),
        "learning_rate": given["v_lr"],
        "steps": given["v_num_grad_steps"],
        "clamp": given["clamp_norm_factor"],
        "weight_decay": given["v_weight_decay"],
        "kl_weight": given["kl_factor"],
    }
    method = settings["method"]
    match str(method).upper():
        case "MEMIT":
            return Memit(**common, covariance_weight=given["mom2_update_weight"])
        case "ALPHAEDIT":
            return AlphaEdit(**common, threshold=given["nullspace_threshold"], l2=given["L2"])
        case "ROME":
            if not given.get("mom2_adjustment", True):
                raise NotComparable(f"{folder}: EditView's ROME always takes the covariance into account")
            return Rome(**common)
    raise NotComparable(f"{folder}: the method {method} isn't known here")


def _edit(index: int, request: dict[str, Any]) -> Fact:
    return Fact(
        str(index),
        Group.EDITED,
        request["subject"],
        request["prompt"],
        request["target_true"]["str"],
        request["target_new"]["str"],
        tuple(request.get("paraphrase_prompts", ())),
    )


def _neighbours(index: int, request: dict[str, Any]) -> list[Fact]:
    new, true = request["target_new"]["str"], request["target_true"]["str"]
    return [
        Fact(f"{index}/{number}", Group.NEIGHBOURS, "", prompt, true, new, (), str(index))
        for number, prompt in enumerate(request.get("neighborhood_prompts", ()))
    ]
