"""What went wrong, as the window shows it."""

from __future__ import annotations

from dataclasses import dataclass

ENGINE = 0
"""The job number of loading the model libraries, which nobody asked for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence and what stands behind it."""

    sentence: str
    details: str
    job: int | None = None  # the request that failed, as `Hub.send` numbered it
