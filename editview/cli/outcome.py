"""A run's outcome for machines: JSON, and JUnit XML for CI."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.files import replacing
from editview.domain.operations import FineTune
from editview.domain.scope import parameters
from editview.domain.scores import Figures, flips_at, scores
from editview.domain.session import Run
from editview.domain.verdicts import Answer, Check, Verdict

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


def run_outcome(run: Run) -> dict[str, Any]:
    """Everything a run has found, by stage and by fact."""
    return {
        "plan": run.plan.name,
        "seed": run.plan.seed,
        "state": run.state.value,
        "seconds": run.seconds,
        "stages": [_stage(run, index) for index in range(len(run.stages))],
        "facts": [_fact(run, fact) for fact in run.sheet],
    }


def check_outcome(sheet: FactSheet, checks: Sequence[Check], left_out: Sequence[str]) -> dict[str, Any]:
    """What a check of one model has found, and what of the sheet couldn't be asked."""
    by_id = {check.fact_id: check for check in checks}
    groups = {
        group.value: {
            verdict.value: sum(by_id[fact.id].verdict is verdict for fact in sheet.group(group)) for verdict in Verdict
        }
        for group in Group
    }
    facts = [
        {
            **_about(fact),
            "verdict": by_id[fact.id].verdict.value,
            "answer": by_id[fact.id].said,
            "wordings": [_answer(answer) for answer in by_id[fact.id].answers],
        }
        for fact in sheet
    ]
    return {"groups": groups, "scores": _scores(sheet, by_id), "facts": facts, "left_out": list(left_out)}


def write_junit(
    sheet: FactSheet,
    checks: Sequence[Check],
    left_out: Sequence[str],
    allow_left_out: bool,
    seconds: float,
    path: Path,
) -> None:
    """One test case a fact, failed where the fact doesn't hold; a suite for each group and for what was left out."""
    root = ElementTree.Element("testsuites", name=_xml(sheet.name), time=f"{seconds:.3f}")
    by_id = {check.fact_id: check for check in checks}
    for group in Group:
        facts = sheet.group(group)
        if not facts:
            continue
        failed = sum(by_id[fact.id].verdict is not Verdict.HOLDS for fact in facts)
        suite = ElementTree.SubElement(
            root, "testsuite", name=group.value, tests=str(len(facts)), failures=str(failed), errors="0"
        )
        for fact in facts:
            case = ElementTree.SubElement(
                suite, "testcase", classname=group.value, name=_xml(f"{fact.id}: {fact.prompt}")
            )
            check = by_id[fact.id]
            wrong = [answer for answer in check.answers if not answer.gives]
            if wrong:
                message = f"wanted '{fact.wanted}', the model says '{wrong[0].said}'"
                failure = ElementTree.SubElement(case, "failure", type=check.verdict.value, message=_xml(message))
                failure.text = _xml("\n".join(f"{answer.prompt} → {answer.said}" for answer in wrong))
    count, (outcome, counted) = str(len(left_out)), ("skipped", "skipped") if allow_left_out else ("error", "errors")
    if left_out:
        about = {"name": "left out", "tests": count, "failures": "0", "errors": "0", counted: count}
        suite = ElementTree.SubElement(root, "testsuite", about)
        for problem in map(_xml, left_out):
            case = ElementTree.SubElement(suite, "testcase", classname="left out", name=problem)
            ElementTree.SubElement(case, outcome, message=problem)
    root.set("tests", str(len(sheet) + len(left_out)))
    root.set("failures", str(sum(check.verdict is not Verdict.HOLDS for check in checks)))
    root.set(counted, count)
    with replacing(path) as file:
        ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _stage(run: Run, index: int) -> dict[str, Any]:
    stage = run.stages[index]
    return {
        "name": stage.info.title,
        "state": stage.state.value,
        "seconds": stage.seconds,
        "groups": {
            group.value: {verdict.value: count for verdict, count in run.counts(index, group).items()}
            for group in Group
        },
        "scores": _stage_scores(run, index),
        "validation": [
            {"step": look.step, "loss": _number(look.loss), "exact_match": look.exact_match, "of": look.of}
            for look in stage.validations.values()
        ],
        "kept_step": stage.kept_step,
        "trained": list(stage.trained),
        "trained_weights": _trained_weights(run, index),
        "changes": [{"name": change.name, "relative": _number(change.relative)} for change in stage.changes],
    }


def _trained_weights(run: Run, index: int) -> int:
    """How many numbers a fine-tune trained, those of an adapter or the tensors' own."""
    operation, names = run.plan.active[index - 1] if index else None, set(run.stages[index].trained)
    if not isinstance(operation, FineTune):
        return 0
    return parameters((tensor for tensor in run.tensors if tensor.name in names), operation)


def _stage_scores(run: Run, index: int) -> dict[str, Any]:
    """With what the operation did to earlier edits and to what was known; null at the checkpoint itself."""
    known = flips_at(run, index, Group.CONTROL).rate if index else None
    return {
        **_scores(run.sheet, run.stages[index].checks),
        "edit_flip_rate": flips_at(run, index, Group.EDITED).rate if index else None,
        "control_retention": None if known is None else 1 - known,
    }


def _scores(sheet: FactSheet, checks: Mapping[str, Check]) -> dict[str, Any]:
    """The literature's figures, shares from 0 to 1; null where there is nothing to measure them on."""
    found = scores(sheet, checks)
    return {**_figures(found.likelier), "strict": _figures(found.strict), "tokens": _figures(found.tokens)}


def _figures(figures: Figures) -> dict[str, float | None]:
    return {
        "efficacy": figures.efficacy,
        "paraphrase": figures.paraphrase,
        "neighbourhood": figures.neighbourhood,
        "score": figures.score,
    }


def _fact(run: Run, fact: Fact) -> dict[str, Any]:
    """Lists have one entry a stage, null where the fact wasn't asked."""
    checks = [stage.checks.get(fact.id) for stage in run.stages]
    changes = [run.change(fact, index) for index in range(len(run.stages))]
    losses = [stage.lost_between(fact.id) for stage in run.stages]  # seen, by live checks with steps between them
    return {
        **_about(fact),
        "verdicts": [check.verdict.value if check else None for check in checks],
        "answers": [check.said if check else None for check in checks],
        "changes": [change.value if change else None for change in changes],
        "watched": [stage.watches(fact.id) for stage in run.stages],  # asked while it trained: else no step is known
        "step_last_held": [None if lost is None else lost[0] for lost in losses],
        "step_lost": [None if lost is None else lost[1] for lost in losses],
        "wordings": [[_answer(answer) for answer in check.answers] if check else None for check in checks],
    }


def _about(fact: Fact) -> dict[str, Any]:
    return {"id": fact.id, "group": fact.group.value, "prompt": fact.prompt, "wanted": fact.wanted}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "prompt": answer.prompt,
        "said": answer.said,
        "gives": answer.gives,
        "nll_wanted": _number(answer.nll_wanted),
        "nll_other": _number(answer.nll_other),
        "p_wanted": _number(answer.p_wanted),
        "p_other": _number(answer.p_other),
    }


def _number(value: float | None) -> float | None:
    """JSON knows no infinity."""
    return value if value is not None and math.isfinite(value) else None


def _xml(text: str) -> str:
    """Without the characters that XML forbids."""
    return _FORBIDDEN.sub("�", text)
