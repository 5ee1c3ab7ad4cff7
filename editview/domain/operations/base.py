"""What every operation has."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

Layer = Annotated[int, Field(ge=0)]
"""A layer, counted from 0."""


def new_id() -> str:
    return uuid.uuid4().hex[:12]


def specialist(**extra: Any) -> dict[str, Any]:
    """Marks a parameter that the form keeps behind 'More settings', or in a group of its own, `section`; `file=True`
    marks one that names a file."""
    return {"specialist": True, **extra}


def in_words(words: Mapping[str, str]) -> dict[str, Any]:
    """What the values of a choice are called where a person sees them."""
    return {"words": dict(words)}


def in_words_of(info: FieldInfo, value: Any) -> Any:
    """What a parameter's value is called; the value itself where nothing is declared."""
    extra = info.json_schema_extra
    words = extra.get("words") if isinstance(extra, dict) else None
    return words.get(value, value) if isinstance(words, dict) else value


class BaseOperation(BaseModel):
    """One change to the model. `id` follows a card through reordering; it is no part of what is computed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: ClassVar[str]  # the method's name, 'MEMIT'
    about: ClassVar[str]  # what it does and when it is the right one, in a person's words

    method: str  # its name in plan files

    id: str = Field(
        default_factory=new_id, min_length=1, exclude=True,
        title="Name of this step", description="By which other steps name it",
    )  # fmt: skip
    enabled: bool = Field(True, title="Switched on", description="A card that is switched off is skipped")

    def content(self) -> dict[str, Any]:
        """The parameters that decide what is computed: everything but the card's own id and its switch."""
        return self.model_dump(mode="json", exclude={"id", "enabled"})
