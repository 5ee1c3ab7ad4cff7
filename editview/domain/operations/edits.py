"""Knowledge editing: operations that write facts into the weights, and one that takes an edit back."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from editview.domain.operations.base import BaseOperation, Layer, specialist


class Edit(BaseOperation):
    """Writes the new answers of a sheet's edited facts into the feed-forward output matrices of some layers."""

    layers: tuple[Layer, ...] = Field(
        (),
        title="Layers to edit",
        description="Counted from 0: 0, 1, 2 are layers 1 to 3 of the picture. Empty: the preset of this model. "
        "The last one is where the new answer is aimed",
        json_schema_extra={"layers": True},
    )
    only: tuple[str, ...] = Field(
        (),
        title="Facts",
        description="Which of the sheet's facts this step edits; empty: all that are to be edited",
        json_schema_extra={"facts": True},
    )
    failing: bool = Field(
        False,
        title="Repair: only facts that fail here",
        description="Of those facts, write only the ones that don't give the new answer at this point of the plan",
    )
    strength: float = Field(
        100.0,
        ge=0,
        le=150,
        title="Strength",
        description="How much of the change is put in, in per cent: 0 leaves the model as it was, 100 is the method's "
        "own result, more goes beyond it",
        json_schema_extra={"strength": True},
    )

    @property
    def texts_a_fact(self) -> int:
        """How many texts the model reads for one fact, roughly: what the time of an edit grows with."""
        return 1

    def full(self) -> Edit:
        """The same edit at full strength, which the others are scaled from."""
        return self.model_copy(update={"strength": 100.0})


class TargetEdit(Edit):
    """Edits that search, for each fact, the hidden state that makes the model give the new answer, and write it.

    Defaults are the published hyperparameters of MEMIT (Meng et al. 2023, arXiv 2210.07229).
    """

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
    prefixes: int = Field(
        5, ge=0, le=50, title="Random openings",
        description="Number of sampled openings before the prompt, so that the edit holds in running text",
        json_schema_extra=specialist(),
    )  # fmt: skip
    statistics: str = Field(
        "packaged", title="Text for statistics", json_schema_extra=specialist(file=True),
        description="A text file that shows the model's ordinary use, or the training data of a fine-tune; 'packaged': "
        "the text that comes with EditView",
    )  # fmt: skip
    statistics_tokens: int = Field(
        0, ge=0, le=100_000_000, title="Tokens for statistics", json_schema_extra=specialist(),
        description="How much of that text is read; 0: as much as it takes until the edit wouldn't change any more",
    )  # fmt: skip

    @property
    def texts_a_fact(self) -> int:
        return self.steps * (self.prefixes + 2)


class OneLayerEdit(Edit):
    """Edits that write into a single layer."""

    layers: tuple[Layer, ...] = Field(
        (), max_length=1, title="Layer to edit",
        description="Counted from 0: 0 is layer 1 of the picture. Empty: the preset of this model",
        json_schema_extra={"layers": True},
    )  # fmt: skip


class Memit(TargetEdit):
    """MEMIT (Meng et al. 2023, arXiv 2210.07229)."""

    label: ClassVar[str] = "MEMIT"
    about: ClassVar[str] = (
        "Writes many facts at once, spread over a few layers, keeping everything else as close as it can. "
        "The usual choice for ten facts and more."
    )

    method: Literal["memit"] = "memit"
    covariance_weight: float = Field(
        15000.0, gt=0, title="Protect other facts",
        description="λ: higher keeps other facts better and writes the new ones less firmly",
    )  # fmt: skip


class AlphaEdit(TargetEdit):
    """AlphaEdit (Fang et al. 2025, arXiv 2410.02355)."""

    label: ClassVar[str] = "AlphaEdit"
    about: ClassVar[str] = (
        "Writes only in directions that ordinary text doesn't use, and remembers earlier AlphaEdit steps of the plan. "
        "The right one for edits that come one batch after another."
    )

    method: Literal["alphaedit"] = "alphaedit"
    threshold: float = Field(
        2e-2, gt=0, title="Null-space threshold", json_schema_extra={"threshold": True},
        description="Directions that ordinary text uses less than this are free to be written. It is an absolute "
        "value, so it depends on the model's scale: look at the spectrum",
    )  # fmt: skip
    l2: float = Field(
        10.0, gt=0, title="Keep the change small",
        description="L2: higher keeps the change of the weights smaller and writes the new facts less firmly",
    )  # fmt: skip


class Rome(OneLayerEdit, TargetEdit):
    """ROME (Meng et al. 2022, arXiv 2202.05262): facts one after the other, each on the model the last one left."""

    label: ClassVar[str] = "ROME"
    about: ClassVar[str] = (
        "Writes one fact after the other into a single layer, each exactly. "
        "The right one for a single fact or a handful; many wear the layer out."
    )

    method: Literal["rome"] = "rome"
    protect: bool = Field(
        True, title="Protect other facts",
        description="Write where ordinary text reads least (C⁻¹k). Off: the plain key, as some published settings for "
        "Llama-like models have it; no statistics are needed then",
    )  # fmt: skip


class TunedEdit(OneLayerEdit):
    """Edits that train one feed-forward output matrix on the new answers. They need no subject and no statistics."""

    learning_rate: float = Field(5e-4, gt=0, le=1, title="Learning rate", description="Step size of the training")
    epochs: int = Field(
        25, ge=1, le=1000, title="Passes",
        description="How often all facts are gone through at most; it ends earlier when every answer is learnt",
    )  # fmt: skip
    batch_size: int = Field(
        100, ge=1, le=4096, title="Batch size", description="Facts in one step", json_schema_extra=specialist()
    )

    @property
    def texts_a_fact(self) -> int:
        return self.epochs


class LocalFineTune(TunedEdit):
    """LocFT-BF (Yang et al. 2025, arXiv 2509.22072). Defaults are those of its public program for Llama 3 and Qwen."""

    label: ClassVar[str] = "LocFT-BF"
    about: ClassVar[str] = (
        "Trains one matrix of one layer on all new answers together, pass after pass. Quick, needs no statistics and "
        "no subjects: the right one for very many facts. Watch the neighbours: on the demo model they suffer more than "
        "with MEMIT."
    )

    method: Literal["locft"] = "locft"
    end_of_text: bool = Field(
        True, title="End after the answer",
        description="Also teach the model to stop after the new answer, as the authors do",
        json_schema_extra=specialist(),
    )  # fmt: skip


class ConstrainedFineTune(TunedEdit):
    """FT-L (Zhu et al. 2020, arXiv 2012.00363, as set up by Meng et al. 2022, arXiv 2202.05262)."""

    label: ClassVar[str] = "FT-L"
    about: ClassVar[str] = (
        "Trains one matrix of one layer on the new answers, no weight moving further than a limit. "
        "The plain baseline that papers compare with."
    )

    method: Literal["ft-l"] = "ft-l"
    batch_size: int = Field(
        128, ge=1, le=4096, title="Batch size", description="Facts in one step", json_schema_extra=specialist()
    )
    limit: float = Field(
        5e-4, gt=0, le=10, title="Largest change of a weight",
        description="ε: lower keeps other facts better and writes the new ones less firmly. It is an absolute value, "
        "so it depends on the model's scale",
    )  # fmt: skip


class UltraEdit(Edit):
    """UltraEdit (Gu et al. 2025, arXiv 2505.14679)."""

    label: ClassVar[str] = "UltraEdit"
    about: ClassVar[str] = (
        "Computes the change in one go from a single look at each fact: no search, no statistics, no subjects. "
        "The quickest one for very many facts, in one step or step after step; it can't write a lone one-word answer."
    )

    method: Literal["ultraedit"] = "ultraedit"
    layers: tuple[Layer, ...] = Field(
        (), title="Layers to edit",
        description="Counted from 0: 0, 1, 2 are layers 1 to 3 of the picture. Empty: the preset of this model. "
        "Each is changed on its own account; late layers suit it",
        json_schema_extra={"layers": True},
    )  # fmt: skip
    learning_rate: float = Field(
        1e-6, gt=0, le=10, title="Size of the change",
        description="η: higher writes the new answers more firmly and disturbs other facts more",
    )  # fmt: skip
    turn: int = Field(
        100, ge=1, le=100_000, title="Facts at a time",
        description="So many facts are written at once; the next ones are looked at on the model as they left it",
        json_schema_extra=specialist(),
    )  # fmt: skip
    batch_size: int = Field(
        10, ge=1, le=4096, title="Batch size",
        description="Facts looked at together; a fact's weight is its share of their answers' tokens",
        json_schema_extra=specialist(),
    )  # fmt: skip


class UndoEdit(BaseOperation):
    """Takes out of the weights exactly what an earlier edit put in; what later steps did stays."""

    label: ClassVar[str] = "undo"
    about: ClassVar[str] = "Takes an earlier edit out of the weights again; whatever came after it stays."

    method: Literal["undo"] = "undo"
    edit: str = Field(
        "", title="Edit to take back", description="The edit of this plan whose change is taken out",
        json_schema_extra={"edit": True},
    )  # fmt: skip


class Reverse(BaseOperation):
    """Bottom-rank approximation (Youssef et al. 2026, arXiv 2505.20819): the top of the spectrum is dropped."""

    label: ClassVar[str] = "reverse"
    about: ClassVar[str] = (
        "Takes out edits that somebody else made, where no copy of the model from before is left: it looks for what "
        "was written into a few layers far more strongly than into the others, and removes that. It is a guess and may "
        "take facts along that nobody edited: ask a fact sheet with controls what came back and what it cost."
    )

    method: Literal["reverse"] = "reverse"
    layers: tuple[Layer, ...] = Field(
        (), title="Layers to clear",
        description="Counted from 0: 0, 1, 2 are layers 1 to 3 of the picture. Empty: it picks those that look edited. "
        "Name some only if you know where the edit was made",
    )  # fmt: skip
    directions: int = Field(
        0, ge=0, le=100_000, title="Directions to take out",
        description="An edit of one fact leaves about one direction, a pattern that stands out, in a layer. So many "
        "go, the strongest first; the more, the more goes along that nobody edited. 0: only those that stand out",
    )  # fmt: skip
