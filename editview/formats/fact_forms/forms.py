"""Which form a record has, told from its fields alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from editview.formats.fact_forms import counterfact, knowedit, mquake, own, ripple_edits, zsre
from editview.formats.fact_forms.fields import Read, Record

Reader = Callable[[Record, str], Read]
"""Reads a record, given its number in the file."""


@dataclass(frozen=True, slots=True)
class Form:
    name: str  # as people call it; '' is our own
    fits: Callable[[Record], bool]
    reader: Reader | None  # None: it depends on what is chosen
    by_new_answer: Mapping[str, Reader] = field(default_factory=dict)  # the field that a person takes for it
    shown: tuple[str, ...] = ()  # fields to show when that is asked


FORMS = (
    Form("CounterFact", counterfact.fits, counterfact.read),
    Form("MQuAKE", mquake.fits, mquake.read),
    Form("RippleEdits", ripple_edits.fits, ripple_edits.read),
    Form(
        "zsRE", zsre.fits, None,
        {name: partial(zsre.read, target_new=name) for name in (zsre.RIGHT, zsre.WRONG)}, zsre.SHOWN,
    ),
    Form("KnowEdit", knowedit.fits, knowedit.read),
    Form("", own.fits, own.read),
)  # fmt: skip


def form_of(record: Any) -> Form | None:
    """The form of a record; None: it is none that is known here."""
    return next((form for form in FORMS if form.fits(record)), None) if isinstance(record, dict) else None
