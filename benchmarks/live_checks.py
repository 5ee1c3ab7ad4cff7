"""What live checks cost: a fine-tune that is watched, beside a plain Trainer run without EditView in the same process.

    python -m benchmarks.live_checks [--repeats 5] [--json]

Model, facts, data, interval and what is kept for validation are the demo's. Runs alternate, and the fastest of each
kind counts, since everything else on the machine only makes them slower. `plain_s` holds what a Trainer user writes:
tokenising, training.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
import time
from typing import Any

import torch
from transformers import Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from editview.domain.checkpoint import Device
from editview.domain.examples import Example
from editview.domain.facts import Fact
from editview.domain.operations import FineTune, FullFineTune, Lora
from editview.domain.plan import Checkpoint, Every
from editview.domain.progress import silent
from editview.domain.verdicts import LiveCheck
from editview.formats.fact_sheets import read_facts
from editview.formats.plans import demo_plan
from editview.formats.training_data import training_data
from editview.lm.answers import live_check
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model
from editview.runs.walk import watched_facts
from editview.tuning.fine_tune import fine_tune
from editview.tuning.watch import Watch

BAR = 0.10


def plain(lm: LanguageModel, operation: FineTune, examples: list[Example]) -> None:
    """The same training as its user would write it with transformers alone."""
    tokenizer = lm.tokenizer
    encoded = tokenizer([example.completion + tokenizer.eos_token for example in examples], truncation=True,
                        max_length=operation.max_length)  # fmt: skip

    def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        batch = tokenizer.pad(rows, return_tensors="pt")
        batch["labels"] = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        return dict(batch)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, max_steps=operation.steps, per_device_train_batch_size=operation.batch_size,
            learning_rate=operation.learning_rate, use_cpu=True, dataloader_pin_memory=False, save_strategy="no",
            report_to="none", disable_tqdm=True,
        )  # fmt: skip
        rows = [{"input_ids": ids} for ids in encoded["input_ids"]]
        trainer = Trainer(model=lm.model, args=arguments, train_dataset=rows, data_collator=collate)
        trainer.remove_callback(PrinterCallback)
        trainer.train()


def watched(
    lm: LanguageModel,
    operation: Lora | FullFineTune,
    examples: list[Example],
    facts: tuple[Fact, ...],
    every: Every,
    before: LiveCheck,
    seen: list[LiveCheck],
) -> None:
    """As a run does it: what the facts are answered before the first step is known from the stage before."""
    seen.clear()
    watch = Watch(every, lambda step: live_check(lm, facts, step) if step else before, seen.append)
    fine_tune(lm, operation, examples, 0, watch)
    assert seen[0].step == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="What live checks cost beside a plain Trainer run.")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each kind; the fastest counts")
    parser.add_argument(
        "--threads", type=int, default=max(1, torch.get_num_threads() - 1), help="as the window: all but one"
    )
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)

    lm = open_model(Checkpoint(), Device("cpu", "CPU", 0), silent)
    plan = demo_plan()
    operation = next(operation for operation in plan.active if isinstance(operation, FullFineTune))
    facts = watched_facts(read_facts("demo")[0])
    examples, _ = training_data(operation.data).read()
    before, asked = copy.deepcopy(lm.model.state_dict()), live_check(lm, facts, 0)

    def timed(run: Any, *arguments: Any) -> tuple[float, float]:
        """Seconds by the clock, and of this process alone."""
        lm.model.load_state_dict(before)
        clock, process = time.perf_counter(), time.process_time()
        run(lm, operation, examples, *arguments)
        return time.perf_counter() - clock, time.process_time() - process

    plain_runs, watched_runs, seen = [], [], list[LiveCheck]()
    for _ in range(chosen.repeats):
        plain_runs.append(timed(plain))
        watched_runs.append(timed(watched, facts, plan.check_every, asked, seen))
    (plain_s, plain_cpu), (watched_s, watched_cpu) = (
        [min(figures) for figures in zip(*runs, strict=True)] for runs in (plain_runs, watched_runs)
    )
    overhead, overhead_cpu = watched_s / plain_s - 1, watched_cpu / plain_cpu - 1
    print(
        f"{operation.steps} steps of {operation.batch_size} on the demo's model, {len(facts)} facts asked at steps "
        f"{', '.join(str(check.step) for check in seen)} and those kept for validation read, {chosen.threads} "
        f"thread(s), fastest of {chosen.repeats}"
    )
    print(
        f"plain Trainer {plain_s:.2f} s, watched {watched_s:.2f} s: live checks, validation and all cost "
        f"{overhead:.1%} (bar {BAR:.0%}: {'met' if overhead <= BAR else 'MISSED'}); in CPU time, which a busy machine "
        f"disturbs less, {plain_cpu:.2f} s and {watched_cpu:.2f} s: {overhead_cpu:.1%}"
    )
    if chosen.json:
        result = {
            "overhead": overhead, "plain_s": plain_s, "watched_s": watched_s, "overhead_cpu": overhead_cpu,
            "plain_cpu_s": plain_cpu, "watched_cpu_s": watched_cpu, "bar": BAR, "facts": len(facts),
            "steps": [check.step for check in seen],
        }  # fmt: skip
        print(json.dumps(result))
    return int(overhead > BAR)


if __name__ == "__main__":
    sys.exit(main())
