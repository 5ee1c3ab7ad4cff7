"""Edits held against a reference program's, stage by stage: targets, keys, values, changes of weights, answers.

Judged is the distance to its float32 numbers; how far its float64 ones are, where it kept some, is told beside it. ROME
inverts an ill-conditioned covariance, which float32 gets right to a hundredth or so, while EditView solves in float64:
there it is the other way round, and the float32 numbers need only be near.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from benchmarks.golden.answers import answer_lines, asked
from benchmarks.golden.cases import Case
from benchmarks.golden.lines import Line, NotComparable, distance, tensors, tensors_if_there
from editview.domain.operations import AlphaEdit, Memit, Rome
from editview.domain.progress import silent
from editview.edits import alphaedit, memit, rome
from editview.edits.workings import Workings
from editview.lm.anatomy import writes_transposed
from editview.lm.model import LanguageModel

TARGETS = KEYS = 1e-4
NULL_SPACE = 1e-2  # one direction too many or too few is more than that, up to 10,000 of them
CHANGES = {Memit: 1e-4, AlphaEdit: 5e-4, Rome: 1e-3}  # of weights; ROME's u and v too
INVERSE = 5e-2  # what a float32 inverse may be off by
NEAR = 0.2  # and what may become of that in a long row of edits
ROUNDED = 6e-8  # golden changes are differences of float32 weights: off by this share of the weights' own length


def compare(case: Case) -> tuple[list[Line], float]:
    """The lines of one case, and the seconds that its edits took, on as many threads as the reference program had."""
    torch.set_num_threads(case.settings.get("torch_threads") or torch.get_num_threads())
    lm = case.model()
    before = answer_lines(case, "pre", asked(case, lm, range(len(case.requests))))
    stages, seconds = _rome(case, lm) if isinstance(case.operation, Rome) else _spread(case, lm)
    return before + stages, seconds


def _spread(case: Case, lm: LanguageModel) -> tuple[list[Line], float]:
    """MEMIT and AlphaEdit, chunk after chunk."""
    statistics, layers, operation = case.statistics(), case.layers, case.operation
    given = {"statistics": statistics, "templates": case.templates}
    before = {layer: _matrix(lm, layer).clone() for layer in layers}
    of_chunks = tensors_if_there(case.folder / "chunk_deltas.safetensors")
    lines: list[Line] = []
    sums = {layer: torch.zeros_like(weight, dtype=torch.float64) for layer, weight in before.items()}
    memory: dict[int, Tensor] = {}
    seconds, key_calls = 0.0, 0
    if isinstance(operation, AlphaEdit):
        lines += _null_spaces(case, operation)
    for number, part in enumerate(case.chunks):
        said = f", chunk {number}" if len(case.chunks) > 1 else ""
        done, began = Workings(), time.perf_counter()
        if isinstance(operation, AlphaEdit):
            outcome = alphaedit.edit(
                lm, case.facts[part], operation, 0, silent, memory=memory, workings=done, **given
            )  # fmt: skip
            memory = outcome.memory
        else:
            memit.edit(lm, case.facts[part], operation, 0, silent, workings=done, **given)
        seconds += time.perf_counter() - began
        lines.append(_judged(case, "target vectors", f"z{said}", done.targets, "z", TARGETS, part))
        for at, layer in enumerate(layers):
            where, values = f"layer {layer}{said}", f"cur_zs_call{number * len(layers) + at}"
            lines.append(_judged(case, "keys", where, done.keys[layer], f"ks_call{key_calls + at}", KEYS))
            lines.append(_judged(case, "current values", where, done.values[layer], values, KEYS))
            sums[layer] += done.changes[layer]
            if (name := f"chunk{number}_layer{layer}") in of_chunks:
                lines.append(_changed(case, where, done.changes[layer], of_chunks[name], name, before[layer]))
        key_calls += len(layers)
        for layer, keys in done.keys_after.items():
            lines.append(_judged(case, "keys after", f"layer {layer}{said}", keys, f"ks_call{key_calls}", KEYS))
            key_calls += 1
    for layer in layers:
        lines.append(_changed_in_all(case, layer, sums[layer], before[layer]))
    return lines + answer_lines(case, "post", asked(case, lm, range(len(case.requests)))), seconds


def _rome(case: Case, lm: LanguageModel) -> tuple[list[Line], float]:
    """ROME, request after request: each on the untouched model, or on what the last one left."""
    [layer] = case.layers
    given = {"statistics": case.statistics(), "templates": case.templates}
    before = _matrix(lm, layer).clone()
    everyone = range(len(case.requests))
    done, checks, seconds = Workings(), [], 0.0
    for index in everyone:
        began = time.perf_counter()
        rome.edit(lm, [case.facts[index]], case.operation, 0, silent, workings=done, **given)
        seconds += time.perf_counter() - began
        if case.independent:
            checks += asked(case, lm, [index])
            _matrix(lm, layer).copy_(before)
    checks = checks or asked(case, lm, everyone)
    ours = {"u": torch.stack(done.directions), "v": torch.stack(done.answers)}
    lines = [_judged(case, "rank one", name, ours[name], name, CHANGES[Rome]) for name in ours]
    if (off := _apart(ours, case.golden)) is None:
        raise NotComparable(f"{case.folder}: intermediates.safetensors holds no 'u' and 'v'")
    lines.append(_line(case, "weight change", "u v", off, _apart(ours, case.exact), CHANGES[Rome]))
    if not case.independent and (case.folder / f"delta_layer{layer}.safetensors").exists():
        change = ours["v"].T @ ours["u"]
        own = change.T if writes_transposed(lm.anatomy.mlp_output(lm.model, layer)) else change
        lines.append(_changed_in_all(case, layer, own, before))
    return lines + answer_lines(case, "post", checks, min(NEAR, 2 * off)), seconds


def _null_spaces(case: Case, operation: AlphaEdit) -> list[Line]:
    """P = UUᵀ of each layer; without the file, what it should be is known by the changes alone."""
    lines = []
    for name, golden in tensors_if_there(case.folder / "null_space_P.safetensors").items():
        layer = int(name.removeprefix("P_layer"))
        if layer in case.layers:
            free = alphaedit.free_directions(case.statistics()[layer], operation.threshold, layer)
            said = f"layer {layer}: {free.shape[1]} of {free.shape[0]}"
            lines.append(Line(case.name, "null space", said, distance(free @ free.T, golden), NULL_SPACE))
    return lines


def _judged(
    case: Case, quantity: str, of: str, ours: Tensor | None, name: str, tolerance: float, part: slice = slice(None)
) -> Line:
    """One of the tensors computed on the way, if it was kept."""
    if name not in case.golden:
        return Line(case.name, quantity, of, torch.nan, None, f"intermediates.safetensors holds no '{name}'")
    assert ours is not None
    golden, exact = case.golden[name][part], case.exact[name][part] if name in case.exact else None
    return _held(case, quantity, of, ours, golden, exact, tolerance)


def _changed(case: Case, of: str, ours: Tensor, golden: Tensor, name: str, before: Tensor, times: int = 1) -> Line:
    """A change of weights, which was rounded `times` times on its way into the golden numbers."""
    rounded = times * ROUNDED * float(before.norm()) / float(golden.norm() or 1.0)
    tolerance = CHANGES[type(case.operation)] + rounded
    return _held(case, "weight change", of, ours, golden, case.exact.get(name), tolerance)


def _changed_in_all(case: Case, layer: int, ours: Tensor, before: Tensor) -> Line:
    name = f"delta_layer{layer}"
    golden = tensors(case.folder / f"{name}.safetensors")["delta"]
    times = len(case.requests) if isinstance(case.operation, Rome) else len(case.chunks)
    return _changed(case, f"layer {layer}", ours, golden, name, before, times)


def _held(
    case: Case, quantity: str, of: str, ours: Tensor, golden: Tensor, exact: Tensor | None, tolerance: float
) -> Line:
    to_exact = None if exact is None else distance(ours, exact)
    return _line(case, quantity, of, distance(ours, golden), to_exact, tolerance)


def _line(case: Case, quantity: str, of: str, to_float32: float, to_float64: float | None, tolerance: float) -> Line:
    if isinstance(case.operation, Rome):
        if to_float64 is None:
            return Line(case.name, quantity, of, to_float32, INVERSE, "no float64 numbers to hold it against")
        apart = to_float64 if to_float32 <= NEAR else torch.inf
        return Line(case.name, quantity, of, apart, tolerance, f"float64; from float32 {to_float32:.1e}")
    return Line(
        case.name, quantity, of, to_float32, tolerance, "" if to_float64 is None else f"from float64 {to_float64:.1e}"
    )


def _apart(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float | None:
    """The distance of the changes u vᵀ of all requests, without building them; None where they weren't kept."""
    if not {"u", "v"} <= theirs.keys():
        return None
    if any(ours[name].shape != theirs[name].shape for name in ("u", "v")):
        return torch.inf
    mine, golden = ({name: of[name].double() for name in ("u", "v")} for of in (ours, theirs))

    def product(one: dict[str, Tensor], other: dict[str, Tensor]) -> Tensor:
        return ((one["u"] * other["u"]).sum(1) * (one["v"] * other["v"]).sum(1)).sum()

    apart = product(mine, mine) - 2 * product(mine, golden) + product(golden, golden)
    return float((apart.clamp(min=0) / product(golden, golden)).sqrt())


def _matrix(lm: LanguageModel, layer: int) -> Tensor:
    return lm.anatomy.mlp_output(lm.model, layer).weight.detach()
