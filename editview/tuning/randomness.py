"""Chance under control: training starts from a seed, and nothing that looks on or comes after notices it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


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
