"""Fine-tuning: operations that train the model further on a data file."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from editview.domain.operations.base import BaseOperation, specialist


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
