"""Settings that are known to work for a model's architecture and size, read from resources/presets."""

from __future__ import annotations

import tomllib

from editview.domain import places
from editview.domain.checkpoint import CheckpointInfo
from editview.domain.operations import Memit
from editview.domain.weights import MatrixKind


def preset(model_type: str, layers: int, width: int, vocabulary: int) -> Memit | None:
    """MEMIT's settings for a model of this kind and size; None when nobody has published any.

    `vocabulary` is the number of word embeddings: it tells generations of one architecture and size apart.
    """
    for path in sorted((places.resources() / "presets").glob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        model = content["model"]
        same = (model["type"], model["layers"], model["width"]) == (model_type, layers, width)
        if same and model.get("vocabulary", vocabulary) == vocabulary and "memit" in content:
            return Memit(**content["memit"])
    return None


def suggested(info: CheckpointInfo) -> Memit:
    """The settings to start from when a plan is made for a checkpoint; without layers where no preset is known."""
    embeddings = [tensor.shape for tensor in info.tensors if tensor.kind is MatrixKind.EMBEDDING]
    vocabulary = max((shape[0] for shape in embeddings), default=0)
    return preset(info.model_type, info.layers, info.width, vocabulary) or Memit()
