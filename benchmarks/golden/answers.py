"""Answers before and after an edit, and the literature's figures made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import torch

from benchmarks.golden.cases import Case
from benchmarks.golden.lines import Line, NotComparable, distance, read
from editview.domain.progress import silent
from editview.domain.scores import Figures, scores
from editview.domain.verdicts import Answer, Check
from editview.lm.answers import check
from editview.lm.model import LanguageModel

NLL = 1e-4
PROMPTS = ("rewrite_prompts", "paraphrase_prompts", "neighborhood_prompts")  # as EditView asks them
SAID = {"pre": "before the edit", "post": "after the edit"}


def asked(case: Case, lm: LanguageModel, which: Iterable[int]) -> list[Check]:
    """The edits of these requests and their neighbours, asked as the model is now."""
    return [one for batch in check(lm, case.sheet(list(which)), silent) for one in batch]


def answer_lines(case: Case, when: str, checks: Sequence[Check], gap: float = 0.0) -> list[Line]:
    """NLL of both answers to every prompt, which answers are the model's first choice, and the figures.

    `gap`: how far answers may be apart because, for a known reason, the golden change of weights is.
    """
    if not (case.folder / "eval.json").exists():
        return []
    records = read(case.folder / "eval.json").get(when)
    if records is None:
        return []
    ours = _by_record(checks)
    if len(records) != len(ours):
        raise NotComparable(f"{case.folder}: eval.json holds {len(records)} records, not {len(ours)}")
    nll, golden, first, golden_first = [], [], [], []
    for record, answers in zip(records, ours, strict=True):
        for kind, here in answers.items():
            there = record.get(f"{kind}_probs", [])
            if len(there) != len(here):
                raise NotComparable(f"{case.folder}: eval.json's '{kind}_probs' aren't those of requests.json")
            for answer, values in zip(here, there, strict=True):
                nll += _new_and_true(kind, answer)
                golden += [values["target_new"], values["target_true"]]
            if len(choices := record.get(f"{kind}_correct", [])) == len(here):
                first += [answer.wanted_first == answer.wanted_tokens for answer in here]
                golden_first += choices
    of, loose = SAID[when], max(NLL, gap)
    note = "the change of weights is from float32" if gap > NLL else ""
    lines = [Line(case.name, "answers", of, distance(torch.tensor(nll), torch.tensor(golden)), loose, note)]
    if golden_first:
        differ = sum(a != b for a, b in zip(first, golden_first, strict=True))
        lines.append(Line(case.name, "first choices", of, differ / len(golden_first), 0.0))
    reach = max((abs(a - b) for a, b in zip(nll, golden, strict=True)), default=0.0)
    found = scores(case.sheet(range(len(case.requests))), {one.fact_id: one for one in checks})
    lines.append(_figures_line(case, of, found.likelier, records, "probs", 2 * reach))
    if golden_first:
        lines.append(_figures_line(case, f"{of}, strict", found.strict, records, "correct", 0.0))
    return lines


def _by_record(checks: Sequence[Check]) -> list[dict[str, list[Answer]]]:
    """The answers of each edit by kind of prompt; the neighbours' checks follow their edit's."""
    found: list[dict[str, list[Answer]]] = []
    for one in checks:
        if "/" not in one.fact_id:
            found.append({PROMPTS[0]: list(one.answers[:1]), PROMPTS[1]: list(one.answers[1:]), PROMPTS[2]: []})
        else:
            found[-1][PROMPTS[2]] += one.answers
    return found


def _new_and_true(kind: str, answer: Answer) -> tuple[float, float]:
    assert answer.nll_other is not None
    both = (answer.nll_wanted, answer.nll_other)
    return both[::-1] if kind == PROMPTS[2] else both


def _figures_line(case: Case, of: str, ours: Figures, records: list[Any], what: str, reach: float) -> Line:
    """The largest difference of a figure, which is to be none.

    Where the golden NLLs of both answers are closer than `reach`, either may come out first: that much is allowed.
    """
    differences, undecided = [0.0], 0
    theirs: list[float | None] = []
    for kind, mine in zip(PROMPTS, (ours.efficacy, ours.paraphrase, ours.neighbourhood), strict=True):
        lists = [values for record in records if (values := record.get(f"{kind}_{what}"))]
        if what == "probs":
            undecided += sum(0 < abs(p["target_new"] - p["target_true"]) < reach for ps in lists for p in ps)
            sign = -1 if kind == PROMPTS[2] else 1
            lists = [[sign * (p["target_true"] - p["target_new"]) > 0 for p in values] for values in lists]
        golden = sum(sum(values) / len(values) for values in lists) / len(lists) if lists else None
        theirs.append(golden)
        if (golden is None) != (mine is None):
            differences.append(inf)
        elif golden is not None and mine is not None:
            differences.append(abs(golden - mine))
    known = [value for value in theirs if value is not None]
    if len(known) == 3 and not undecided:
        score = 3 / sum(1 / value for value in known) if all(known) else 0.0
        differences.append(inf if ours.score is None else abs(score - ours.score))
    said = "/".join("–" if value is None else f"{100 * value:.1f}" for value in [*theirs, ours.score])
    allowed = undecided / max(len(records), 1) + 1e-9
    return Line(case.name, "scores", of, max(differences), allowed, f"efficacy/paraphrase/neighbourhood/score {said}")
