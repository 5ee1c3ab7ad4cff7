"""What a fine-tune gained: how well it does on examples that it never trained on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from editview.domain.operations import FineTune


@dataclass(frozen=True, slots=True)
class Validation:
    """One look at the examples kept for validation, after a training step; 0: before the first.

    `loss` is the mean NLL per trained token. `exact_match` is the share, from 0 to 1, of the answers that come out word
    for word among the `of` that were asked; None: none were.
    """

    step: int
    loss: float
    exact_match: float | None = None
    of: int = 0


def gained(looks: Collection[Validation], kept: int | None = None) -> str:
    """'Validation loss 2.31 → 1.04; answers exactly right 4 → 31 of 40.'; empty: nothing was kept for validation.

    `kept` is the step whose weights were kept, if they aren't the last ones.
    """
    shown = [look for look in looks if kept is None or look.step <= kept]
    if not shown:
        return ""
    first, last = shown[0], shown[-1]
    if first is last:
        return f"Validation loss {first.loss:.2f} before training."
    text = f"Validation loss {first.loss:.2f} → {last.loss:.2f}"
    if first.exact_match is not None and last.exact_match is not None:
        text += f"; answers exactly right {_right(first)} → {_right(last)} of {last.of:,}"
    return f"{text}."


def how_it_ended(
    title: str, operation: FineTune, looks: Mapping[int, Validation], reached: int, kept_step: int | None
) -> tuple[str, ...]:
    """What is worth saying of how a training of `reached` steps ended."""
    if not looks:
        few = f"*{title}*: the data is too small to keep examples for validation, so what was gained isn't measured."
        return (few,) if operation.validation else ()
    said = []
    if reached < operation.steps:
        reason = f"hadn't fallen for {operation.patience:,} look{'' if operation.patience == 1 else 's'}"
        if operation.until and min(look.loss for look in looks.values()) <= operation.until:
            reason = f"had fallen to {operation.until:g}"
        said.append(
            f"it ended early, after step {reached:,} of {operation.steps:,}, since the validation loss {reason}"
        )
    if kept_step is not None:
        loss = looks[kept_step].loss
        said.append(
            f"its weights are those after step {kept_step:,}, where the validation loss was lowest ({loss:.2f})"
        )
    return (f"*{title}*: {'; '.join(said)}.",) if said else ()


def _right(look: Validation) -> str:
    return f"{round((look.exact_match or 0.0) * look.of):,}"
