"""Operations: what can be done to a model, each with its parameters declared once.

The form in the window, the plan file, the command line and the documentation all come from these declarations.
A method is a class here and a module that carries it out in `edits` or `tuning`.
"""

from editview.domain.operations.base import BaseOperation, in_words_of, new_id
from editview.domain.operations.edits import (
    AlphaEdit,
    ConstrainedFineTune,
    Edit,
    LocalFineTune,
    Memit,
    Reverse,
    Rome,
    TargetEdit,
    TunedEdit,
    UltraEdit,
    UndoEdit,
)
from editview.domain.operations.tuning import FineTune, FullFineTune, Lora, Scrub, Trained
from editview.domain.operations.update import Update

Operation = (
    Memit | AlphaEdit | Rome | LocalFineTune | ConstrainedFineTune | UltraEdit | UndoEdit | Reverse | Lora
    | FullFineTune | Scrub
)  # fmt: skip
Unediting = Scrub | Reverse
"""What is to take edits out, whoever made them."""
METHODS: tuple[type[Operation], ...] = (
    Memit, AlphaEdit, Rome, LocalFineTune, ConstrainedFineTune, UltraEdit, UndoEdit, Reverse, Lora,
    FullFineTune, Scrub,
)  # fmt: skip

__all__ = [
    "METHODS",
    "AlphaEdit",
    "BaseOperation",
    "ConstrainedFineTune",
    "Edit",
    "FineTune",
    "FullFineTune",
    "LocalFineTune",
    "Lora",
    "Memit",
    "Operation",
    "Reverse",
    "Rome",
    "Scrub",
    "TargetEdit",
    "Trained",
    "TunedEdit",
    "UltraEdit",
    "UndoEdit",
    "Unediting",
    "Update",
    "in_words_of",
    "new_id",
]
