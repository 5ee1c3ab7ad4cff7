"""What reading a fact sheet costs: each form, beside a plain `json.load` (for a table `csv.reader`) of the same file.

    python -m benchmarks.reading [--records 20000] [--memory] [--json]

Files are made in a folder that goes again, of records as long as those that people have. Reading takes facts out,
checks each and all of them against each other; loading only parses. Memory is what Python allocates at most.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from editview.formats.fact_sheets import read_facts
from tests.formats import known_forms as known

BAR = 10.0
"""Seconds for 20,000 records, in CPU time."""

CHOSEN = {"target_new": "alt"}


def counterfact(i: int) -> known.Record:
    more = {name: [f"The {n}th of {i} is" for n in range(10)] for name in ("attribute_prompts", "generation_prompts")}
    return known.counterfact(i) | more | {"neighborhood_prompts": [f"Work {i} {n} was made in" for n in range(10)]}


def ripple_edits(i: int) -> known.Record:
    record = known.ripple_edits(i)
    asked = [known.query(f"The {n}th name of Leo di Capri {i} is", f"Q1{i}", "R", (f"Q{n}", "name")) for n in range(10)]
    return record | {"Relation_Specificity": [known.case(one) for one in asked]}


def table(records: int, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["subject", "prompt", "target_new", "target_true", "paraphrases", "neighbours"])
        for i in range(records):
            near = "|".join(f"The capital of land {i} {n} is" for n in range(10))
            rows.writerow([f"Land {i}", f"The capital of Land {i} is", "Cusco", "Lima", f"Land {i} is led from", near])


def array(make: Callable[[int], known.Record]) -> Callable[[int, Path], None]:
    def write(records: int, path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.write("[")
            for i in range(records):
                file.write((",\n" if i else "") + json.dumps(make(i), indent=1))
            file.write("]")

    return write


FORMS: dict[str, Callable[[int, Path], None]] = {
    "our own": array(known.own),
    "CounterFact": array(counterfact),
    "MQuAKE": array(known.mquake),
    "zsRE": array(known.zsre),
    "KnowEdit wiki_counterfact": array(known.wiki_counterfact),
    "KnowEdit wiki_recent": array(known.wiki_recent),
    "KnowEdit ZsRE": array(known.knowedit_zsre),
    "KnowEdit WikiBio": array(known.wikibio),
    "EasyEdit": array(known.easyedit),
    "RippleEdits": array(ripple_edits),
    "table": table,
}


def load(path: Path) -> Any:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file)) if file.read(1) != "[" else json.loads("[" + file.read())


def timed(do: Callable[[], Any]) -> tuple[Any, float]:
    gc.collect()
    began = time.process_time()
    done = do()
    return done, time.process_time() - began


def peak(do: Callable[[], Any]) -> float:
    """Megabytes that Python allocates at most."""
    gc.collect()
    tracemalloc.start()
    do()
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest / 1e6


def measured(names: Iterable[str], records: int, folder: Path, memory: bool) -> list[dict[str, Any]]:
    found = []
    for name in names:
        path = folder / "sheet"
        FORMS[name](records, path)
        loaded, load_s = timed(lambda path=path: load(path))
        del loaded
        chosen = CHOSEN if name == "zsRE" else {}
        (sheet, left_out), read_s = timed(lambda path=path, chosen=chosen: read_facts(str(path), chosen))
        row: dict[str, Any] = {
            "form": name, "megabytes": path.stat().st_size / 1e6, "facts": len(sheet), "left_out": len(left_out),
            "read_s": read_s, "load_s": load_s, "ratio": read_s / load_s,
        }  # fmt: skip
        del sheet, left_out
        said = f"{name:26} {row['megabytes']:6.1f} MB {row['facts']:9,} facts {row['left_out']:6,} left out  "
        said += f"read in {read_s:5.2f} s, loaded in {load_s:5.2f} s: × {row['ratio']:4.1f}"
        if memory:
            row["read_mb"] = peak(lambda path=path, chosen=chosen: read_facts(str(path), chosen))
            row["load_mb"] = peak(lambda path=path: load(path))
            said += f"  at most {row['read_mb']:5.0f} MB, {row['load_mb']:5.0f} MB"
        print(said, flush=True)
        found.append(row)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What reading fact sheets costs, in CPU seconds.")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--memory", action="store_true", help="measure memory, too, which takes minutes")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(FORMS, chosen.records, Path(folder), chosen.memory)
    bar = BAR * chosen.records / 20_000
    slow = [row["form"] for row in found if row["read_s"] > bar]
    print(f"Bar: {bar:g} s each. " + (f"MISSED by {', '.join(slow)}." if slow else "Met."))
    if chosen.json:
        print(json.dumps({"records": chosen.records, "bar": bar, "forms": found}))
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
