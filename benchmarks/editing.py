"""How fast facts are edited, held against the published procedure carried out literally (`benchmarks/literal.py`).

    python -m benchmarks.editing [--facts N] [--literal N] [--json]
    python -m benchmarks.editing --growth [--json]
    python -m benchmarks.editing --gpu [--facts N] [--json]

Both sides edit the same facts into the same model in the same process, with the same statistics and openings, and must
compute the same numbers in the same number of iterations. On one thread CPU seconds are taken, which other programs
hardly disturb; on all threads seconds of the clock. The literal side works one fact at a time: on the larger models it
is timed on the first `--literal` facts, and its search and keys are scaled. Exits 1 when a bar is missed or the
numbers differ.

--growth edits 100, 1,000 and 10,000 facts into a tiny model, each in a process of its own: seconds, and memory at its
peak. --gpu times a model of the size of GPT-J in bfloat16 on a GPU, and says what share of its arithmetic is used.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import literal, worlds
from benchmarks.worlds import World
from editview.domain.facts import Fact
from editview.edits import memit
from editview.edits.workings import Workings

BAR = 4.0  # times faster than the literal procedure, on one thread
TOLERANCE = 1e-4  # relative distance of target vectors and weight changes
GROWTH = (100, 1000, 10_000)
Clock = Callable[[], float]


def ours(world: World, facts: Sequence[Fact], clock: Clock) -> tuple[Workings, dict[str, float]]:
    """EditView's edit and the seconds of its phases; the weights are put back."""
    marks: dict[str, float] = {}
    solving = 0.0
    plain = memit.memit_change

    def timed(*given: Any) -> Tensor:
        nonlocal solving
        start = clock()
        change = plain(*given)
        solving += clock() - start
        return change

    def mark(done: int, total: int, what: str) -> None:
        if what not in marks:
            marks[what] = clock()

    statistics, workings, kept = world.statistics, Workings(), weights(world)
    start = clock()
    with patch.object(memit, "memit_change", timed):
        memit.edit(world.lm, facts, world.operation, 0, mark, statistics=statistics, templates=world.templates,
                   workings=workings)  # fmt: skip
    end = clock()
    put_back(kept)
    search = marks["Writing the facts into the layers"] - start
    return workings, {"search": search, "keys": end - start - search - solving, "solve": solving}


def theirs(world: World, facts: Sequence[Fact], clock: Clock) -> literal.Literal:
    kept = weights(world)
    made = literal.edit(world.lm, facts, world.operation, world.covariances, world.templates, clock)
    put_back(kept)
    return made


def weights(world: World) -> list[tuple[Tensor, Tensor]]:
    """The matrices that are edited, and what is in them now."""
    matrices = [world.lm.anatomy.mlp_output(world.lm.model, layer).weight.data for layer in world.operation.layers]
    return [(matrix, matrix.clone()) for matrix in matrices]


def put_back(kept: list[tuple[Tensor, Tensor]]) -> None:
    for matrix, before in kept:
        matrix.copy_(before)


def far(one: Tensor, other: Tensor) -> float:
    return float((one.double() - other.double()).norm() / other.double().norm())


def compare(world: World, clock: Clock, most: int) -> dict[str, Any]:
    """Both sides, the literal one, of at most `most` facts, between two rounds of ours on the same facts or more."""
    some = world.facts[:most]
    ours(world, world.facts[:2], clock)  # so that nothing is done for the first time
    workings, phases = ours(world, world.facts, clock)
    made = theirs(world, some, clock)
    same, again = ours(world, some, clock)
    if len(some) == len(world.facts):
        assert torch.equal(workings.targets, same.targets), "two edits differ"
        phases = min(phases, again, key=lambda seconds: sum(seconds.values()))
    scale = {"search": len(world.facts) / len(some), "keys": len(world.facts) / len(some), "solve": 1.0}
    whole = {phase: taken * scale[phase] for phase, taken in made.seconds.items()}  # a solve costs the same for fewer
    slow, fast = sum(whole.values()), sum(phases.values())
    changes = {str(layer): far(same.changes[layer], made.changes[layer]) for layer in world.operation.layers}
    return {
        "facts": len(world.facts), "literal_facts": len(some), "ratio": slow / fast,
        "seconds": fast, "literal_seconds": slow, "literal_seconds_measured": sum(made.seconds.values()),
        "facts_per_second": len(world.facts) / fast, "literal_facts_per_second": len(world.facts) / slow,
        "shares": shares(phases), "literal_shares": shares(whole), "seconds_by_phase": phases,
        "distance_targets": far(workings.targets[:most], made.targets), "distance_changes": changes,
        "iterations": workings.iterations, "same_iterations": workings.iterations[:most] == made.iterations,
    }  # fmt: skip


def shares(seconds: dict[str, float]) -> dict[str, float]:
    return {phase: taken / sum(seconds.values()) for phase, taken in seconds.items()}


def agrees(found: dict[str, Any], tolerance: float = TOLERANCE) -> bool:
    distances = [found["distance_targets"], *found["distance_changes"].values()]
    return max(distances) <= tolerance and found["same_iterations"]


def tell(name: str, found: dict[str, Any]) -> None:
    print(f"{name}: {found['facts']} facts in {found['seconds']:.2f} s ({found['facts_per_second']:.1f} facts/s)")
    measured = f"measured on {found['literal_facts']} facts: {found['literal_seconds_measured']:.2f} s"
    print(f"  literally {found['literal_seconds']:.1f} s ({measured})  →  {found['ratio']:.1f} times faster")
    for side in ("shares", "literal_shares"):
        line = ", ".join(f"{phase} {share:.1%}" for phase, share in found[side].items())
        print(f"  {'EditView' if side == 'shares' else 'literally'}: {line}")
    changes = ", ".join(f"{distance:.1e}" for distance in found["distance_changes"].values())
    print(f"  distances: target vectors {found['distance_targets']:.1e}, weight changes {changes}")
    counted = ", ".join(f"{times}×{count}" for count, times in sorted(Counter(found["iterations"]).items()))
    print(f"  iterations (facts×iterations): {counted}; the same on both sides: {found['same_iterations']}", flush=True)


def on_the_cpu(facts: int, most: int) -> tuple[dict[str, Any], bool]:
    result: dict[str, Any] = {}
    well = True
    every = torch.get_num_threads()
    for name, make, limit in (("demo", worlds.demo, facts), ("gpt2small", worlds.gpt2_small, most)):
        world = make(facts)
        for label, threads, clock in (("1thread", 1, time.process_time), ("allthreads", every, time.perf_counter)):
            torch.set_num_threads(threads)
            found = compare(world, clock, limit)
            tell(f"{name}, {threads} thread{'s' if threads > 1 else ''}", found)
            result |= {f"ratio_{name}_{label}": found["ratio"], f"{name}_{label}": found}
            well = well and agrees(found) and (threads > 1 or found["ratio"] >= BAR)
        torch.set_num_threads(every)
    return result, well


def growth() -> dict[str, Any]:
    rows = []
    for facts in GROWTH:
        command = [sys.executable, "-m", "benchmarks.editing", "--growth", "--facts", str(facts), "--json"]
        rows.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
        row = rows[-1]
        print(f"{row['facts']:6,} facts  {row['seconds']:7.2f} s  {row['ms_per_fact']:.2f} ms a fact", end="  ")
        print(f"peak {row['peak_mb']:.0f} MB, {row['edit_mb']:.0f} of them for the edit", flush=True)
    return {"growth": rows}


def grown(facts: int) -> dict[str, Any]:
    """One size, in this process."""
    torch.set_num_threads(1)
    world = worlds.tiny(facts)
    ours(world, world.facts[:20], time.process_time)
    before = peak()
    _, phases = ours(world, world.facts, time.process_time)
    taken = sum(phases.values())
    return {"facts": facts, "seconds": taken, "ms_per_fact": 1000 * taken / facts, "peak_mb": peak(),
            "edit_mb": peak() - before, **phases}  # fmt: skip


def peak() -> float:
    """Megabytes of memory at this process's peak."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def on_the_gpu(facts: int, most: int) -> dict[str, Any]:
    world = worlds.gpt_j(facts)

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    found = compare(world, clock, most)
    tell(torch.cuda.get_device_name(), found)
    counter = FlopCounterMode(display=False)
    with counter:
        ours(world, world.facts, clock)
    reached, limit = counter.get_total_flops() / found["seconds"], matmul_rate(clock)
    print(f"  {reached / 1e12:.0f} TFLOP/s, {reached / limit:.0%} of what a large matrix product reaches here")
    return {"gpu": found, "tflops": reached / 1e12, "tflops_limit": limit / 1e12, "share_of_limit": reached / limit}


def matmul_rate(clock: Clock, size: int = 8192, times: int = 20) -> float:
    """Operations a second in a large bfloat16 product on this GPU."""
    one = torch.randn(size, size, device="cuda", dtype=torch.bfloat16)
    one @ one
    start = clock()
    for _ in range(times):
        one @ one
    return 2 * size**3 * times / (clock() - start)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.editing", description=__doc__.splitlines()[0])
    parser.add_argument("--facts", type=int)
    parser.add_argument("--literal", type=int, default=6, help="facts of a large model that the literal side edits")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    given = parser.parse_args()
    well = True
    if given.growth:
        result = grown(given.facts) if given.facts else growth()
    elif given.gpu:
        if not torch.cuda.is_available():
            raise SystemExit("There is no GPU here, so nothing was measured.")
        result = on_the_gpu(given.facts or 1000, given.literal)
    else:
        result, well = on_the_cpu(given.facts or 100, given.literal)
    if given.json:
        print(json.dumps(result))
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
