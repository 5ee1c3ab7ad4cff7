"""Chance under control: training starts from a seed, and nothing that looks on or comes after notices it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from editview.tuning.tensors import as_json, as_tensor

_DRAWN = "drawn."  # begins the names of generators' states


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Whatever is drawn inside, the state of Python's, NumPy's and torch's generators is the same afterwards."""
    python, arrays = random.getstate(), np.random.get_state()
    metal = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)
        if metal is not None:
            torch.mps.set_rng_state(metal)


def random_state() -> dict[str, Tensor]:
    """The state of all generators as tensors, for `set_random_state`."""
    name, keys, *rest = np.random.get_state()
    outside = [random.getstate(), [name, np.asarray(keys).tolist(), *rest]]
    found = {"cpu": torch.get_rng_state(), "outside": as_tensor(outside)}
    found |= {f"cuda:{at}": torch.cuda.get_rng_state(at) for at in range(torch.cuda.device_count())}
    if torch.backends.mps.is_available():
        found["mps"] = torch.mps.get_rng_state()
    return {f"{_DRAWN}{name}": state for name, state in found.items()}


def set_random_state(state: Mapping[str, Tensor]) -> None:
    """Draw on from what `random_state` found; what else is in `state` is left alone."""
    (version, inner, gauss), arrays = as_json(state[f"{_DRAWN}outside"])
    random.setstate((version, tuple(inner), gauss))
    np.random.set_state(tuple(arrays))
    torch.set_rng_state(state[f"{_DRAWN}cpu"])
    for at in range(torch.cuda.device_count()):
        torch.cuda.set_rng_state(state[f"{_DRAWN}cuda:{at}"], at)
    if torch.backends.mps.is_available():
        torch.mps.set_rng_state(state[f"{_DRAWN}mps"])
