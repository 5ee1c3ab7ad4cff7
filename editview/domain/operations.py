"""Operations: what can be done to a model, each with its parameters declared once.

The form in the window, the plan file, the command line and the documentation all come from these declarations.
A method is a class here and a module that carries it out in `edits` or `tuning`.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


def _new_id() -> str:
    return uuid.uuid4().hex[:12]


def specialist(**extra: Any) -> dict[str, Any]:
    """Marks a parameter that the form keeps behind 'More settings'; `file=True` marks one that names a file."""
    return {"specialist": True, **extra}


class BaseOperation(BaseModel):
    """What every operation has. `id` follows a card through reordering; it is no part of what is computed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: ClassVar[str]  # the method's name, 'MEMIT'
    about: ClassVar[str]  # one line in a person's words: when this method is the right one

    id: str = Field(default_factory=_new_id, title="Card", description="Names the card", exclude=True)
    enabled: bool = Field(True, title="Switched on", description="A card that is switched off is skipped")

    def content(self) -> dict[str, Any]:
        """The parameters that decide what is computed: everything but the card's own id and its switch."""
        return self.model_dump(mode="json", exclude={"id", "enabled"})


class Edit(BaseOperation):
    """Writes the new answers of a sheet's edited facts into the weights."""

    only: tuple[str, ...] = Field(
        (),
        title="Facts",
        description="Which of the sheet's facts this step edits; empty: all that are to be edited",
        json_schema_extra={"facts": True},
    )


class Memit(Edit):
    """MEMIT (Meng et al. 2023, arXiv 2210.07229). Arrays and defaults follow the published hyperparameters."""

    label: ClassVar[str] = "MEMIT"
    about: ClassVar[str] = "Writes many facts at once into a few layers, keeping everything else as close as it can."

    method: Literal["memit"] = "memit"
    layers: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (),
        title="Layers to edit",
        description="Counted from 0: 0, 1, 2 are layers 1 to 3 of the picture. Empty: the preset of this model. "
        "The last one is where the new answer is aimed",
        json_schema_extra={"layers": True},
    )
    learning_rate: float = Field(
        0.5,
        gt=0,
        le=10,
        title="Learning rate of the target vectors",
        description="Step size of the search for the vector that makes the model give the new answer",
        json_schema_extra=specialist(),
    )
    relative_rate: bool = Field(
        False,
        title="Rate relative to the model's scale",
        description="Multiply the learning rate by the typical size of a coordinate, ‖h‖/√d, of the edited state",
        json_schema_extra=specialist(),
    )
    steps: int = Field(
        25, ge=1, le=500, title="Search steps", description="Iterations of the search for each target vector",
        json_schema_extra=specialist(),
    )  # fmt: skip
    clamp: float = Field(
        4.0, gt=0, le=100, title="Largest change",
        description="A target vector moves at most this many times the length of the original state",
        json_schema_extra=specialist(),
    )  # fmt: skip
    weight_decay: float = Field(
        0.5, ge=0, le=10, title="Pull back", description="How strongly target vectors are drawn towards no change",
        json_schema_extra=specialist(),
    )  # fmt: skip
    kl_weight: float = Field(
        0.0625, ge=0, le=10, title="Keep the subject's essence",
        description="Weight of the penalty on changing what the model says the subject is",
        json_schema_extra=specialist(),
    )  # fmt: skip
    covariance_weight: float = Field(
        15000.0, gt=0, title="Protect other facts",
        description="λ: higher keeps other facts better and writes the new ones less firmly",
    )  # fmt: skip
    prefixes: int = Field(
        5, ge=0, le=50, title="Random openings",
        description="Number of sampled openings before the prompt, so that the edit holds in running text",
        json_schema_extra=specialist(),
    )  # fmt: skip
    statistics: str = Field(
        "packaged", title="Text for statistics", json_schema_extra=specialist(file=True),
        description="A text file that shows the model's ordinary use; 'packaged': the one that comes with EditView",
    )  # fmt: skip
    statistics_tokens: int = Field(
        100_000, ge=100, le=100_000_000, title="Tokens for statistics", json_schema_extra=specialist(),
        description="How much of that text is read",
    )  # fmt: skip


class FineTune(BaseOperation):
    """Trains the model further on a data file."""

    data: str = Field(
        "support-tickets", title="Training data",
        description="A file of examples (JSONL, JSON or text), or the name of one that comes with EditView",
        json_schema_extra={"file": True},
    )  # fmt: skip
    steps: int = Field(60, ge=1, le=1_000_000, title="Steps", description="Number of optimiser steps")
    learning_rate: float = Field(3e-4, gt=0, le=1, title="Learning rate", description="AdamW's peak learning rate")
    batch_size: int = Field(16, ge=1, le=4096, title="Batch size", description="Examples in one step")
    max_length: int = Field(
        64, ge=8, le=131072, title="Longest example", description="Tokens; longer examples are cut",
        json_schema_extra=specialist(),
    )  # fmt: skip
    warmup: float = Field(
        0.0, ge=0, le=1, title="Warm-up", description="Share of the steps over which the rate rises",
        json_schema_extra=specialist(),
    )  # fmt: skip
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "linear", title="Schedule", description="How the learning rate falls", json_schema_extra=specialist()
    )
    weight_decay: float = Field(
        0.0, ge=0, le=1, title="Weight decay", description="AdamW's decay", json_schema_extra=specialist()
    )


class Lora(FineTune):
    """LoRA (Hu et al. 2021, arXiv 2106.09685), or DoRA (Liu et al. 2024, arXiv 2402.09353) by one switch."""

    label: ClassVar[str] = "LoRA"
    about: ClassVar[str] = "Trains small added matrices and merges them: cheap, the usual choice."

    method: Literal["lora"] = "lora"
    rank: int = Field(32, ge=1, le=1024, title="Rank", description="Size of the added matrices")
    alpha: float = Field(64, gt=0, le=4096, title="Alpha", description="Scale of the added matrices, over the rank")
    dropout: float = Field(
        0.05, ge=0, lt=1, title="Dropout", description="Share of inputs dropped while training",
        json_schema_extra=specialist(),
    )  # fmt: skip
    dora: bool = Field(False, title="DoRA", description="Also train the length of each weight column")


class FullFineTune(FineTune):
    """Every weight is trained."""

    label: ClassVar[str] = "all weights"
    about: ClassVar[str] = "Trains every weight: the strongest adaptation, and the most forgetful."

    method: Literal["full"] = "full"


Operation = Memit | Lora | FullFineTune
METHODS: tuple[type[Operation], ...] = (Memit, Lora, FullFineTune)
