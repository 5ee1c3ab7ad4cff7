"""Plain data among tensors, so that one file of tensors holds everything and nothing has to be unpickled."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor


def as_tensor(content: Any) -> Tensor:
    """Anything that JSON can say, as the bytes of its text; floats come back bit for bit."""
    return torch.frombuffer(bytearray(json.dumps(content).encode()), dtype=torch.uint8)


def as_json(tensor: Tensor) -> Any:
    return json.loads(tensor.numpy().tobytes())
