"""Plans as files: one readable TOML file that a person can write by hand, and is told in which line it went wrong."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.files import write_atomically
from editview.domain.left_out import CONTRADICTIONS, Keep
from editview.domain.operations import METHODS, BaseOperation, FineTune, Operation, TargetEdit, UndoEdit
from editview.domain.plan import FORMAT, Checkpoint, Plan
from editview.domain.tracing import layers_said
from editview.formats.fact_csv import COLUMNS
from editview.formats.mistakes import Mistake, did_you_mean, validated
from editview.formats.texts import place_of, reading
from editview.formats.toml_lines import line_of, lines
from editview.formats.training_data import packaged

MOST_MEGABYTES = 10

_METHODS = {kind.model_fields["method"].default: kind for kind in METHODS}
_PLAIN = ("name", "facts", "columns", "seed", "check_every")
_TOP = ("editview", *_PLAIN, "checkpoint", "operation")


def demo_plan() -> Plan:
    """The plan that is built in."""
    return read_plan(places.demo_plan())


def read_plan(path: Path) -> Plan:
    """Read a plan; relative paths in it start from its own folder.

    Raises EditViewError, which names the line of a mistake and says what was expected there.
    """
    with reading(path, MOST_MEGABYTES) as file:
        text = file.read().replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(where.group(1)) if where else text.count("\n") + 1
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise EditViewError(
            f"Line {line} of '{path.name}' can't be read: {reason[:1].lower()}{reason[1:]}. Mend that line.", str(error)
        ) from error
    except (ValueError, RecursionError) as error:
        reason = "is nested too deeply" if isinstance(error, RecursionError) else "has more digits than can be read"
        raise EditViewError(f"'{path.name}' can't be read: something in it {reason}. Mend it.", str(error)) from error
    _check_format(data.get("editview"), path.name)
    found: list[Mistake] = []
    plan = _plan(data, path, found)
    if plan is None:
        place = lines(text)
        said = [f"Line {line_of(place, mistake.place)} of '{path.name}': {mistake.sentence}" for mistake in found]
        said.sort(key=lambda sentence: int(sentence.split()[1]))
        more = f" There are {len(said) - 1} more mistakes." if len(said) > 2 else ""
        more = " There is one more mistake." if len(said) == 2 else more
        raise EditViewError(said[0] + ("" if said[0].endswith("?") else ".") + more, "\n".join(said))
    return plan


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan; what lies in its folder or below is named from there. Raises EditViewError."""
    write_atomically(path, plan_text(plan, path.absolute().parent).encode())


def plan_text(plan: Plan, folder: Path) -> str:
    """A plan as its file in `folder` has it."""

    def near(value: str) -> str:
        whole = place_of(value).absolute()
        return f"./{whole.relative_to(folder).as_posix()}" if whole.is_relative_to(folder) else str(whole)

    plan = _with_paths(plan, Path.cwd(), near)
    parts = [_top(plan), _table("[checkpoint]", plan.checkpoint, ("source",))]
    named = {operation.edit for operation in plan.operations if isinstance(operation, UndoEdit)}
    for operation in plan.operations:
        first = ("method", "id") if operation.id in named else ("method",)
        parts.append(_table("[[operation]]", operation, first))
    return "\n".join(parts)


def _check_format(number: Any, name: str) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise EditViewError(f"'{name}' is no plan of EditView: a plan begins with the line 'editview = {FORMAT}'.")
    if number > FORMAT:
        raise EditViewError(
            f"'{name}' was made by a newer EditView: it has format {number}, and this one reads up to {FORMAT}. "
            "Update EditView to open it."
        )


def _plan(data: dict[str, Any], path: Path, found: list[Mistake]) -> Plan | None:
    tables = data.get("operation", [])
    operations: list[Operation | None] = []
    if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
        operations = [_operation(table, i, found) for i, table in enumerate(tables)]
        _check_ids(tables, found)
    else:
        found.append(Mistake(("operation",), "each operation begins with [[operation]], in double brackets"))
    checkpoint, table = None, data.get("checkpoint", {})
    if isinstance(table, dict):
        checkpoint = validated(Checkpoint, table, Checkpoint.model_fields, ("checkpoint",), found)
    else:
        found.append(Mistake(("checkpoint",), "the checkpoint begins with [checkpoint], in single brackets"))
    for name in data.keys() - set(_TOP):
        found.append(Mistake((name,), f"'{name}' is not known here{did_you_mean(name, _TOP)}"))
    columns = data.get("columns")
    known = (*COLUMNS, CONTRADICTIONS)
    for name in columns.keys() - set(known) if isinstance(columns, dict) else ():
        found.append(Mistake(("columns", name), f"'{name}' is not known here{did_you_mean(name, known)}"))
    keep = columns.get(CONTRADICTIONS) if isinstance(columns, dict) else None
    if isinstance(keep, str) and keep not in list(Keep):
        sentence = f"there is no '{keep}' for '{CONTRADICTIONS}'{did_you_mean(keep, list(Keep))}"
        found.append(Mistake(("columns", CONTRADICTIONS), sentence))
    plain: dict[str, Any] = {name: data[name] for name in _PLAIN if name in data}
    plan = validated(Plan, {"name": path.stem, **plain}, _PLAIN, (), found)
    if found or plan is None or checkpoint is None:
        return None
    whole = plan.model_copy(update={"checkpoint": checkpoint, "operations": tuple(operations)})
    folder = path.absolute().parent
    return _with_paths(whole, folder, lambda value: os.path.normpath(folder / place_of(value)))


def _operation(table: dict[str, Any], index: int, found: list[Mistake]) -> Operation | None:
    place, method = ("operation", index), table.get("method")
    if method is None:
        found.append(Mistake(place, f"this operation doesn't say its method; expected one of: {', '.join(_METHODS)}"))
        return None
    if not isinstance(method, str) or method not in _METHODS:
        hint = did_you_mean(str(method), _METHODS)
        found.append(Mistake((*place, "method"), f"there is no method '{method}'{hint}"))
        return None
    kind = _METHODS[method]
    names = sorted(kind.model_fields, key=lambda name: name in ("id", "method"))
    return validated(kind, table, names, place, found)


def _check_ids(tables: list[dict[str, Any]], found: list[Mistake]) -> None:
    """An id names one operation alone."""
    ids = [table.get("id") for table in tables]
    for at, name in enumerate(ids):
        if name is not None and name in ids[:at]:
            found.append(Mistake(("operation", at, "id"), f"another operation has the id '{name}' already"))


def _with_paths(plan: Plan, start: Path, place: Callable[[str], str]) -> Plan:
    """The plan with `place` applied to what names a file or folder (seen from `start`) and is not packaged."""

    def folder(source: str | None) -> str | None:
        if source is None or source == "demo":
            return source
        near = source.startswith((".", "~")) or Path(source).is_absolute() or (start / source).exists()
        return place(source) if near else source  # else an id of the hub

    def files(operation: Operation) -> Operation:
        if isinstance(operation, FineTune):
            kept = packaged(operation.data) is not None
            return operation if kept else operation.model_copy(update={"data": place(operation.data)})
        if isinstance(operation, TargetEdit) and operation.statistics != "packaged":
            return operation.model_copy(update={"statistics": place(operation.statistics)})
        return operation

    checkpoint = {"source": folder(plan.checkpoint.source), "adapter": folder(plan.checkpoint.adapter)}
    return plan.model_copy(
        update={
            "checkpoint": plan.checkpoint.model_copy(update=checkpoint),
            "facts": plan.facts if plan.facts == "demo" else place(plan.facts),
            "operations": tuple(files(operation) for operation in plan.operations),
        }
    )


def _top(plan: Plan) -> str:
    head = {"editview": FORMAT, "name": plan.name, "facts": plan.facts, "seed": plan.seed}
    columns = {"columns": dict(plan.columns)} if plan.columns else {}
    return tomli_w.dumps({**head, "check_every": plan.check_every, **columns})


def _table(header: str, values: BaseModel, first: tuple[str, ...]) -> str:
    """What differs from the defaults, and what a person wants to see even so, with each field's title beside it.

    An operation's id is told where it is among the `first`: another operation names it.
    """
    said = [header]
    fields = type(values).model_fields
    for name in sorted(fields, key=lambda name: first.index(name) if name in first else len(first)):
        field, value = fields[name], getattr(values, name)
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        rests = value == () or value is False or extra.get("specialist") or extra.get("strength")
        matters = isinstance(values, BaseOperation) and name != "enabled" and not rests
        if name in first or (name != "id" and (matters or value != field.default)):
            title = f"  # {field.title}" if field.title else ""
            if name == "layers" and value:
                title += f", counted from 0: {layers_said(sorted(set(value)))} in the window"
            said.append(f"{name} = {_value(value)}{title}")
    return "\n".join(said) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        parts = [_value(part) for part in value]
        short = f"[{', '.join(parts)}]"
        return short if len(short) < 100 else "[\n" + "".join(f"    {part},\n" for part in parts) + "]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")
