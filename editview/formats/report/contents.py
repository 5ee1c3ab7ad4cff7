"""What a report says of a run, put together from what the domain knows: counts, scores, steps, one row a fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from editview.domain.facts import Fact, Group
from editview.domain.look import NOT_ASKED, NOT_EDITED, RECOVERED, Mark, mark_at, mark_of
from editview.domain.operations import Edit, Operation
from editview.domain.orders import FactPair
from editview.domain.sentences import duration, method_name, stage_titles, stage_verbs, when_lost
from editview.domain.session import Run, StageState
from editview.domain.tracing import layers_said
from editview.domain.validation import gained
from editview.domain.verdicts import Change, Check, Verdict
from editview.domain.weight_map import layer_words, percent
from editview.domain.weights import TensorChange, combined

GROUP_NAMES = {Group.EDITED: "Edits", Group.NEIGHBOURS: "Neighbours", Group.CONTROL: "Controls"}
GROUP_WORDS = {Group.EDITED: "edit", Group.NEIGHBOURS: "neighbour", Group.CONTROL: "control"}

_FATES = (
    Change.LOST, Change.DAMAGED, Change.NEVER_TOOK, Change.RECOVERED, Change.TAKEN_BACK, Change.KNOWN_BEFORE,
    Change.PENDING, Change.TOOK, Change.SURVIVED, Change.INTACT, Change.NEVER_KNOWN, None,
)  # fmt: skip
"""What became of a fact, what a reader looks for first, first."""

_TENSORS = 8  # named of each step: those that changed most
_FEW = 12  # values of a list that are written out


# ---- facts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """What a fact was answered at one stage. `but`: a wording that isn't answered as wanted, and what it gets."""

    mark: Mark
    said: str
    but: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Row:
    """One fact. `fate` is its place in the order of the table; `became` says what became of it, and when."""

    fact: Fact
    group: str
    cells: tuple[Cell, ...]
    change: str
    fate: int
    became: str


def rows(run: Run, stage: int) -> list[Row]:
    """Every fact up to a stage: lost ones first, then what else a reader looks for, each in the sheet's order."""
    found = [_row(run, stage, fact, verbs) for verbs in [stage_verbs(run)] for fact in run.sheet]
    return sorted(found, key=lambda row: row.fate)


def _row(run: Run, stage: int, fact: Fact, verbs: list[str]) -> Row:
    change = run.change(fact, stage)
    words = "not asked" if change is None else "not known before" if change is Change.NEVER_KNOWN else change.value
    became = words
    if change in (Change.LOST, Change.DAMAGED) and (at := run.lost_in(fact.id, stage)) is not None:
        steps = run.stages[at].lost_between(fact.id)
        became += f" {when_lost(*steps)} of {verbs[at]}" if steps else f" during {verbs[at]}"
    cells = tuple(_cell(each.checks.get(fact.id), run.change(fact, at)) for at, each in enumerate(run.stages))
    weak = cells[stage].mark is mark_of(Verdict.WEAK)
    fate = 2 * _FATES.index(change) + (not weak)
    return Row(fact, GROUP_WORDS[fact.group], cells, words, fate, became)


_KEPT = {
    (True, False): "only by the first",
    (False, True): "only by the second",
    (False, False): "by neither",
    (True, True): "by both",
}


def pairs_of_rows(pairs: Iterable[FactPair], first: Run, second: Run) -> Iterator[Row]:
    """Every fact at the end of two orders, in the order of the pairs."""
    kinds = list(_KEPT)
    for pair in pairs:
        cells = tuple(_cell(run.stages[-1].checks.get(pair.fact.id), None) for run in (first, second))
        words = _KEPT[pair.kept]
        yield Row(pair.fact, GROUP_WORDS[pair.fact.group], cells, words, kinds.index(pair.kept), words)


def _cell(check: Check | None, change: Change | None) -> Cell:
    return cell(check, mark_at(check.verdict, change)) if check else Cell(mark_of(None), "", None)


def cell(check: Check, mark: Mark) -> Cell:
    """What was answered, under a mark."""
    but = None
    if check.verdict is Verdict.WEAK:
        wrong = next(answer for answer in check.answers if not answer.gives)
        but = wrong.prompt, wrong.said
    return Cell(mark, check.said, but)


# ---- stages -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """How the facts of one group that were asked stand at a stage: marks, the word for several, and how many."""

    group: str
    of: int
    counts: tuple[tuple[Mark, str, int], ...]


def groups(run: Run) -> list[Group]:
    return [group for group in GROUP_NAMES if run.sheet.group(group)]


def counts(rows: Iterable[Row], groups: Iterable[Group], stage: int) -> list[Counted]:
    """Every group of the sheet at a stage: the three verdicts, and edits that are still to be made where there are."""
    marks: dict[Group, Counter[Mark]] = {group: Counter() for group in groups}
    for row in rows:
        marks[row.fact.group][row.cells[stage].mark] += 1
    return [_counted(group, found) for group, found in marks.items()]


def _counted(group: Group, found: Counter[Mark]) -> Counted:
    holds, weak, fails = (mark_of(verdict) for verdict in Verdict)
    hold = found[holds] + found[RECOVERED]
    known = [(holds, "hold", hold), (weak, "weak", found[weak]), (fails, "fail", found[fails])]
    if found[NOT_EDITED]:
        known.append((NOT_EDITED, "still to be edited", found[NOT_EDITED]))
    return Counted(GROUP_NAMES[group], found.total() - found[NOT_ASKED], tuple(known))


# ---- what was done ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: its settings that aren't the usual ones, as title, value and the usual value, and its traces."""

    title: str
    method: str
    about: str
    took: str
    settings: tuple[tuple[str, str, str], ...]
    trained: str
    changed: str
    tensors: tuple[tuple[str, str, str, str], ...]  # name, where, kind, by how much


def steps(run: Run) -> Iterator[Step]:
    titles = stage_titles(run)
    for operation, stage in zip(run.plan.active, run.stages[1:], strict=False):
        most = sorted(stage.changes, key=lambda change: change.relative, reverse=True)[:_TENSORS]
        took = f"took {duration(stage.seconds)}" if stage.seconds else "not carried out"
        if stage.state is StageState.REUSED and stage.seconds:
            took = f"reused; took {duration(stage.seconds)} when it was computed"
        losses = stage.losses
        trained = f"Training loss {losses[0][1]:.2f} → {losses[-1][1]:.2f}. " if losses else ""
        yield Step(
            title=titles[stage.info.index],
            method=method_name(operation),
            about=operation.about,
            took=took,
            settings=tuple(_settings(operation)),
            trained=trained + gained(stage.validations.values(), stage.kept_step),
            changed=_changed(stage.changes, len(run.tensors), len(most)),
            tensors=tuple((one.name, layer_words(one.layer), one.kind.value, percent(one.relative)) for one in most),
        )


def _settings(operation: Operation) -> Iterator[tuple[str, str, str]]:
    for name, field in type(operation).model_fields.items():
        value = getattr(operation, name)
        if name not in ("id", "enabled", "method") and value != field.default:
            if isinstance(operation, Edit) and name == "only":
                words = f"{len(value):,} facts"
            else:
                words = layers_said(value) if name == "layers" and value else _words(value)
            yield field.title or name, words, _words(field.default)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        shown = ", ".join(str(part) for part in value[:_FEW])
        return f"{shown} and {len(value) - _FEW:,} more" if len(value) > _FEW else shown or "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def _changed(changes: tuple[TensorChange, ...], tensors: int, named: int) -> str:
    if not changes:
        return ""
    of = f"{len(changes):,} of {tensors:,}" if len(changes) <= tensors else f"{len(changes):,}"
    most = f" The {named} that changed most:" if named < len(changes) else ""
    return f"Changed {of} tensors, by {percent(combined(list(changes)))} on the whole.{most}"
