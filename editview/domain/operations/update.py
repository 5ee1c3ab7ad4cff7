"""The step between two checkpoints of which nothing is known but what it left."""

from __future__ import annotations

from typing import ClassVar, Literal

from editview.domain.operations.base import BaseOperation


class Update(BaseOperation):
    """What somebody did to a checkpoint elsewhere. No plan can hold it: it is told of, never carried out."""

    label: ClassVar[str] = "Update"
    about: ClassVar[str] = "What lies between the two checkpoints, however it came about."

    method: Literal["update"] = "update"
