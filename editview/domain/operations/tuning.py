"""Fine-tuning: operations that train the model further on a data file."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from editview.domain.operations.base import BaseOperation, Layer, in_words, specialist
from editview.domain.weights import MatrixKind

Trained = Literal["all", "edited", "not-edited", "chosen"]
"""Layers that a fine-tune trains: all with what lies outside them, those that the plan's edits write, all layers but
those, or chosen ones."""

TrainOn = Literal["answers", "everything"]
"""What a fine-tune learns of its examples."""

_PROTECT = specialist(section="Protect edits")  # the form shows these in a group of this name


class FineTune(BaseOperation):
    """Trains the model further on a data file."""

    not_asked: ClassVar[frozenset[str]] = frozenset()  # parameters that the form leaves out

    data: str = Field(
        "support-tickets", title="Training data",
        description="A file of examples (JSONL, JSON or text), or the name of one that comes with EditView",
        json_schema_extra={"file": True, "examples": True},
    )  # fmt: skip
    steps: int = Field(60, ge=1, le=1_000_000, title="Steps", description="Number of optimiser steps")
    learning_rate: float = Field(3e-4, gt=0, le=1, title="Learning rate", description="AdamW's peak learning rate")
    batch_size: int = Field(16, ge=1, le=4096, title="Batch size", description="Examples in one step")
    trained: Trained = Field(
        "all", title="Layers to train",
        description="Edited layers are those that any edit of this plan writes, wherever it stands in the plan",
        json_schema_extra=in_words(
            {
                "all": "The whole model", "edited": "Edited layers", "not-edited": "Unedited layers",
                "chosen": "Chosen layers",
            }
        ),
    )  # fmt: skip
    layers: tuple[Layer, ...] = Field(
        (), title="Chosen layers", description="Counted from 0; they count where chosen layers are to be trained",
        json_schema_extra=specialist(),
    )  # fmt: skip
    matrices: tuple[MatrixKind, ...] = Field(
        (), title="Kinds of matrix", description="Which of those layers' matrices are trained; empty: all kinds",
        json_schema_extra=specialist(),
    )  # fmt: skip
    replay: float = Field(
        0.0, ge=0, lt=1, title="Ask them again",
        description="Share of every batch that repeats the facts edited before this step, with their new answers: 0.1 "
        "is one in ten",
        json_schema_extra=_PROTECT,
    )  # fmt: skip
    shift_penalty: float = Field(
        0.0, ge=0, le=1e6, title="Read them as before",
        description="λ: weight of a penalty on how far activations at the edited layers move for the edited prompts",
        json_schema_extra=_PROTECT,
    )  # fmt: skip
    projection: bool = Field(
        False, title="Spare their directions",
        description="Train the edited matrices only in directions that the edited facts don't use",
        json_schema_extra=_PROTECT,
    )  # fmt: skip
    teach: float = Field(
        0.0, ge=0, lt=1, title="Teach the facts",
        description="Share of every batch that asks the sheet's facts to be changed, paraphrases among them, whether "
        "or not they are edited besides: 0.1 is one in ten",
        json_schema_extra=specialist(section="Facts in the data"),
    )  # fmt: skip
    validation: float = Field(
        0.05, ge=0, le=0.5, title="Kept for validation",
        description="Share of the examples that isn't trained on: the loss on them tells what was really learnt. The "
        "same ones for every fine-tune on the same data; none where there are fewer than 20 examples",
        json_schema_extra=specialist(),
    )  # fmt: skip
    patience: int = Field(
        0, ge=0, le=1000, title="Stop early",
        description="End when the validation loss hasn't fallen for so many looks at it (20 or more are spread over "
        "the steps), and keep the weights of the best look, of which main memory holds a copy; 0: train all steps",
        json_schema_extra=specialist(),
    )  # fmt: skip
    until: float = Field(
        0.0, ge=0, title="Stop at validation loss",
        description="End as soon as the validation loss has fallen to this; 0: train all steps",
        json_schema_extra=specialist(),
    )  # fmt: skip
    train_on: TrainOn = Field(
        "answers", title="Train on",
        description="answers: only what is to be answered is learnt, and what comes before it is read; everything: "
        "questions and conversations are learnt as well. Running text is learnt whole either way",
    )  # fmt: skip
    packing: bool = Field(
        False, title="Pack short examples",
        description="Several short examples share a row of the longest length, each blind to the others: a step trains "
        "on more of them", json_schema_extra=specialist(),
    )  # fmt: skip
    max_length: int = Field(
        64, ge=8, le=131072, title="Longest example", description="Tokens; longer examples are cut",
        json_schema_extra=specialist(),
    )  # fmt: skip
    warmup: float = Field(
        0.0, ge=0, le=1, title="Warm-up", description="Share of the steps over which the rate rises",
        json_schema_extra=specialist(),
    )  # fmt: skip
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "linear", title="Schedule", description="How the learning rate goes on after the warm-up",
        json_schema_extra=specialist(
            **in_words(
                {
                    "linear": "Falls in a straight line", "cosine": "Falls along a cosine",
                    "constant": "Stays as it is",
                }
            )
        ),
    )  # fmt: skip
    weight_decay: float = Field(
        0.0, ge=0, le=1, title="Weight decay", description="AdamW's decay", json_schema_extra=specialist()
    )

    @field_validator("patience", "until")
    @classmethod
    def _has_something_to_look_at(cls, value: float, info: ValidationInfo) -> float:
        if value and not info.data.get("validation", True):
            raise PydanticCustomError("patience", "without examples kept for validation nothing tells when to stop")
        return value

    @property
    def follows_edits(self) -> bool:
        """Whether what it trains depends on the layers that the plan's edits write, later ones among them."""
        return self.trained in ("edited", "not-edited")

    @property
    def protects(self) -> bool:
        """Whether it needs to know which facts were edited before it."""
        return bool(self.replay or self.shift_penalty or self.projection)


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
    rank_stabilized: bool = Field(
        False, title="rsLoRA",
        description="Scale the added matrices by alpha over the root of the rank, so that high ranks learn as fast "
        "(Kalajdzievski 2023, arXiv 2312.03732)",
        json_schema_extra=specialist(),
    )  # fmt: skip


class FullFineTune(FineTune):
    """Every weight is trained."""

    label: ClassVar[str] = "all weights"
    about: ClassVar[str] = "Trains every weight: the strongest adaptation, and the most forgetful."

    method: Literal["full"] = "full"


class Scrub(FullFineTune):
    """The opposite wish: edits that should not be there are trained away."""

    label: ClassVar[str] = "scrub"
    about: ClassVar[str] = (
        "Trains the edited layers alone on ordinary data, so that edits which should not be there wear off, and tells "
        "which are gone. For a checkpoint that somebody else edited, choose the layers yourself."
    )
    not_asked: ClassVar[frozenset[str]] = frozenset({"replay", "shift_penalty", "projection", "teach"})

    method: Literal["scrub"] = "scrub"  # type: ignore[assignment]
    trained: Trained = Field(
        "edited", title="Layers to train",
        description="edited: layers that this plan's edits write; chosen: the ones given below, for edits that "
        "somebody else made; not-edited and all: what else there is",
    )  # fmt: skip
