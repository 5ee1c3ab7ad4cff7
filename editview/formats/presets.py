"""Settings that are known to work for a model's architecture and size, read from resources/presets."""

from __future__ import annotations

import tomllib
from typing import TypeVar

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo
from editview.domain.operations import METHODS, Edit
from editview.domain.weights import MatrixKind

Kind = TypeVar("Kind", bound=Edit)


def preset(kind: type[Kind], model_type: str, layers: int, width: int, vocabulary: int) -> Kind | None:
    """A method's settings for a model of this kind and size; None when nobody has found any.

    `vocabulary` is the number of word embeddings: it tells generations of one architecture and size apart.
    """
    for path in sorted((places.resources() / "presets").glob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        model = content["model"]
        same = (model["type"], model["layers"], model["width"]) == (model_type, layers, width)
        if same and model.get("vocabulary", vocabulary) == vocabulary:
            settings = content.get(kind.model_fields["method"].default)
            return None if settings is None else kind(**settings)
    return None


def presets_for(info: CheckpointInfo) -> tuple[Edit, ...]:
    """The settings of every method that are known for this checkpoint."""
    found = (preset_for(method, info) for method in METHODS if issubclass(method, Edit))
    return tuple(preset for preset in found if preset is not None)


def preset_for(kind: type[Kind], info: CheckpointInfo) -> Kind | None:
    """A method's settings for this checkpoint; None when nobody has found any."""
    embeddings = [tensor.shape for tensor in info.tensors if tensor.kind is MatrixKind.EMBEDDING]
    vocabulary = max((shape[0] for shape in embeddings), default=0)
    return preset(kind, info.model_type, info.layers, info.width, vocabulary)
