"""What the literature measures, from the same checks that verdicts come from.

CounterFact's figures (Meng et al. 2022, arXiv 2202.05262, section 3.3), zsRE's, and how many edits a later change flips
(arXiv 2511.05852). All are shares from 0 to 1; None: the sheet has nothing to measure it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, harmonic_mean

from editview.domain.facts import Fact, Group
from editview.domain.plan import writing_of
from editview.domain.session import Run
from editview.domain.verdicts import Answer, Check


@dataclass(frozen=True, slots=True)
class Figures:
    """One way of judging an answer, on an edit's prompt, on its paraphrases and on its neighbours."""

    efficacy: float | None
    paraphrase: float | None
    neighbourhood: float | None

    @property
    def score(self) -> float | None:
        """The harmonic mean of the three; None when one of them is."""
        three = [self.efficacy, self.paraphrase, self.neighbourhood]
        known = [figure for figure in three if figure is not None]
        return harmonic_mean(known) if len(known) == len(three) else None


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of all edits of a sheet at one stage."""

    likelier: Figures  # ES, PS, NS of CounterFact: the wanted answer is likelier than the other one
    strict: Figures  # every token of the wanted answer is the model's first choice
    tokens: Figures  # zsRE: the share of the wanted answer's tokens that are

    @property
    def sentence(self) -> str:
        """'Efficacy 75.0 %, paraphrases 50.0 %, neighbourhood 90.0 %, score 67.5; strict efficacy 50.0 %.'

        Only what could be measured; empty without edits.
        """
        named = {
            "efficacy": self.likelier.efficacy,
            "paraphrases": self.likelier.paraphrase,
            "neighbourhood": self.likelier.neighbourhood,
        }
        parts = [f"{name} {100 * value:.1f} %" for name, value in named.items() if value is not None]
        if self.likelier.score is not None:
            parts.append(f"score {100 * self.likelier.score:.1f}")
        said = ", ".join(parts)
        if self.strict.efficacy is not None:
            said += f"; strict efficacy {100 * self.strict.efficacy:.1f} %"
        return f"{said[0].upper()}{said[1:]}." if self.likelier.efficacy is not None else ""


def scores(facts: Iterable[Fact], checks: Mapping[str, Check]) -> Scores:
    """What `checks`, by fact id, say of the edits among `facts` and of their neighbours.

    Each figure is the mean over an edit's wordings, or over its neighbours', then the mean over edits. Facts that
    weren't asked, and edits without paraphrases or neighbours, don't count where they have nothing to say.
    """
    asked = [(fact, checks[fact.id]) for fact in facts if fact.id in checks]
    edits = [check for fact, check in asked if fact.group is Group.EDITED and fact.new_answer is not None]
    neighbours: dict[str, list[Answer]] = {}
    for fact, check in asked:
        if fact.group is Group.NEIGHBOURS:
            neighbours.setdefault(fact.neighbour_of or fact.id, []).extend(check.answers)

    def figures(judge: Callable[[Answer], float | None]) -> Figures:
        return Figures(
            _mean_of_means(judge, [check.answers[:1] for check in edits]),
            _mean_of_means(judge, [check.answers[1:] for check in edits]),
            _mean_of_means(judge, neighbours.values()),
        )

    return Scores(figures(_likelier), figures(_strict), figures(_tokens))


@dataclass(frozen=True, slots=True)
class Flips:
    """How many that succeeded before a change fail after it."""

    flipped: int
    of: int

    @property
    def rate(self) -> float | None:
        return self.flipped / self.of if self.of else None


def flips(facts: Iterable[Fact], group: Group, before: Mapping[str, Check], after: Mapping[str, Check]) -> Flips:
    """Edits: the edit flip rate (arXiv 2511.05852). Controls: 1 - rate is their retention, without which no survival of
    edits can be judged.

    A fact succeeds when its prompt's wanted answer is likelier than the other one, or, where there is no other one,
    the model's first choice throughout. Only facts asked both times count.
    """
    both = [fact.id for fact in facts if fact.group is group and fact.id in before and fact.id in after]
    succeeded = [fact_id for fact_id in both if _succeeds(before[fact_id].answers[0])]
    return Flips(sum(not _succeeds(after[fact_id].answers[0]) for fact_id in succeeded), len(succeeded))


def flips_at(run: Run, stage: int, group: Group) -> Flips:
    """What the operation that made a stage (1 or later) flipped; of the edits, those written before it."""
    facts = (
        fact for fact in run.sheet.group(group)
        if group is not Group.EDITED or writing_of(run.plan, fact.id, stage - 1) is not None
    )  # fmt: skip
    return flips(facts, group, run.stages[stage - 1].checks, run.stages[stage].checks)


SCORES = ("ES", "PS", "NS", "Score", "Strict ES", "Flipped", "Kept")


def score_row(run: Run, stage: int) -> list[str]:
    """The literature's figures at a stage in per cent, by `SCORES`; a dash: nothing to measure it on."""
    found = scores(run.sheet, run.stages[stage].checks)
    figures = found.likelier
    values = [figures.efficacy, figures.paraphrase, figures.neighbourhood, figures.score, found.strict.efficacy]
    if stage:
        lost = flips_at(run, stage, Group.CONTROL).rate
        values += [flips_at(run, stage, Group.EDITED).rate, None if lost is None else 1 - lost]
    cells = ["–" if value is None else f"{100 * value:.1f}" for value in values]
    return cells + [""] * (len(SCORES) - len(cells))


def _likelier(answer: Answer) -> float | None:
    """A tie fails."""
    return None if answer.nll_other is None else float(answer.nll_wanted < answer.nll_other)


def _strict(answer: Answer) -> float | None:
    return None if answer.wanted_first is None else float(answer.wanted_first == answer.wanted_tokens)


def _tokens(answer: Answer) -> float | None:
    return None if answer.wanted_first is None else answer.wanted_first / answer.wanted_tokens


def _succeeds(answer: Answer) -> bool:
    judged = next((value for value in (_likelier(answer), _strict(answer)) if value is not None), answer.gives)
    return bool(judged)


def _mean_of_means(judge: Callable[[Answer], float | None], answers: Iterable[Sequence[Answer]]) -> float | None:
    means = []
    for of_one in answers:
        judged = [value for answer in of_one if (value := judge(answer)) is not None]
        if judged:
            means.append(fmean(judged))
    return fmean(means) if means else None
