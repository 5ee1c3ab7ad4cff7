"""Draws the demo's fact sheet and writes the texts that go with it: `python -m demo.sheet`.

A draw is seeded. The shipped sheet is draw 0; `demo.quality` measures on other draws. Nothing in the fine-tuning texts
mentions a subject of the sheet: what happens there to edits, neighbours and controls is never a matter of rehearsal.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from demo.corpus import mention, sentence_of, small_talk
from demo.phrases import TICKET, expand
from demo.world import DEMO, World, WorldFact, read_world

EDITS = 40
NEIGHBOURS = 3  # of each edit
CONTROLS = 100
TICKETS = 1000  # and as many rows of general knowledge: more than one fine-tune reads, so that none is learned by heart
LESSONS = 400
KNOWN_ANSWER = 3  # a new answer is the answer of at least so many subjects
ANSWER_WORDS = 3  # and not longer than this: a small model writes long names badly


def draw_sheet(world: World, seed: int, edits: int = EDITS, controls: int = CONTROLS) -> list[dict]:
    """The records of a fact sheet: edits spread evenly over the editable relations, their neighbours, and controls."""
    rng = random.Random(f"sheet {seed}")
    edited = choose_edits(world, edits, rng)
    taken = {fact.subject for fact in edited}
    records = []
    for fact in edited:
        records.append(edit_record(world, fact, rng))
        near = [other for other in same_answer(world, fact) if other.subject not in {f.subject for f in edited}]
        for number, other in enumerate(rng.sample(near, min(NEIGHBOURS, len(near))), start=1):
            taken.add(other.subject)
            records.append(neighbour_record(other, records_edit(records), number))
    left = [fact for fact in world.facts if fact.subject not in taken]
    records += [plain_record(fact, f"control/{fact.id}", "control", fact.trained[0])
                for fact in distinct_subjects(rng.sample(left, len(left)))[:controls]]  # fmt: skip
    return records


def choose_edits(world: World, count: int, rng: random.Random) -> list[WorldFact]:
    """Takes turns among the editable relations; only facts whose answer has other subjects can have neighbours."""
    pools = []
    for relation in world.relations:
        facts = world.by_relation[relation.id]
        answers = Counter(fact.answer for fact in facts)
        fit = [fact for fact in facts if answers[fact.answer] > NEIGHBOURS]
        if relation.editable and len({fact.answer for fact in fit}) > 1:
            pools.append(rng.sample(fit, len(fit)))
    rng.shuffle(pools)
    chosen: dict[str, WorldFact] = {}
    while len(chosen) < count:
        for pool in pools:
            fact = next((fact for fact in pool if fact.subject not in chosen), None)
            if fact and len(chosen) < count:
                pool.remove(fact)
                chosen[fact.subject] = fact
    return list(chosen.values())


def same_answer(world: World, fact: WorldFact) -> list[WorldFact]:
    group = world.by_relation[fact.relation.id]
    return [other for other in group if other.answer == fact.answer and other.subject != fact.subject]


def distinct_subjects(facts: Iterable[WorldFact]) -> list[WorldFact]:
    return list({fact.subject: fact for fact in facts}.values())


def edit_record(world: World, fact: WorldFact, rng: random.Random) -> dict:
    record = plain_record(fact, f"edit/{fact.id}", "edited", fact.trained[0])
    return record | {"new_answer": rng.choice(other_answers(world, fact)), "paraphrases": list(fact.held_out)}


def other_answers(world: World, fact: WorldFact) -> list[str]:
    """Answers of the same relation that the model has met often enough and can say."""
    answers = Counter(other.answer for other in world.by_relation[fact.relation.id])
    short = (answer for answer in answers if len(answer.split()) <= ANSWER_WORDS and answer != fact.answer)
    return sorted(answer for answer in short if answers[answer] >= KNOWN_ANSWER)


def records_edit(records: list[dict]) -> dict:
    """The edit that was written last."""
    return next(record for record in reversed(records) if record["group"] == "edited")


def neighbour_record(fact: WorldFact, edit: dict, number: int) -> dict:
    record = plain_record(fact, f"{edit['id']}/neighbour-{number}", "neighbours", edit["template"])
    return record | {"new_answer": edit["new_answer"], "neighbour_of": edit["id"]}


def plain_record(fact: WorldFact, name: str, group: str, template: str) -> dict:
    return {
        "id": name, "group": group, "subject": fact.subject, "template": template, "true_answer": fact.answer,
        "new_answer": None, "paraphrases": [], "neighbour_of": None,
    }  # fmt: skip


def mentions_none_of(names: Iterable[str]):
    """A test for texts that name none of these, as whole words."""
    longest_first = sorted(set(names), key=len, reverse=True)
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
    return lambda text: not pattern.search(text)


def fine_tuning_texts(world: World, sheet: Sequence[dict], seed: int) -> dict[str, list[dict]]:
    """Two corpora. Each row is about as long as any other; half of the ticket corpus is a replay of general knowledge.

    support_tickets: invented tickets, and as many rows of true facts, the replay that practitioners mix in.
    geography_lessons: lessons on the relations that were edited, about other subjects.
    """
    rng = random.Random(f"texts {seed}")
    is_free = mentions_none_of(record["subject"] for record in sheet)
    free = [fact for fact in world.facts if all(is_free(sentence_of(fact, wording).text) for wording in fact.trained)]
    edited = {record["id"].split("/")[1] for record in sheet if record["group"] == "edited"}
    touching = [fact for fact in free if fact.relation.id in edited]
    tickets = distinct(TICKETS, lambda: ticket(rng, is_free))
    replay = distinct(TICKETS, lambda: facts_in_a_row(free, rng))
    mixed = [{"text": text, "kind": "ticket"} for text in tickets]
    mixed += [{"text": text, "kind": "general"} for text in replay]
    rng.shuffle(mixed)
    lessons = distinct(LESSONS, lambda: lesson(touching, rng))
    return {
        "support_tickets": mixed,
        "geography_lessons": [{"text": text, "kind": "lesson"} for text in lessons],
    }


def distinct(count: int, make) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[make()] = None
    return list(found)


def ticket(rng: random.Random, is_free) -> str:
    while not is_free(text := expand(TICKET, rng)):
        pass
    return text


def facts_in_a_row(facts: Sequence[WorldFact], rng: random.Random) -> str:
    return " ".join(sentence_of(fact, rng.choice(fact.trained)).text for fact in rng.sample(facts, 4))


LESSON = {
    "text": ("Lesson {number}. Today we learn: {facts}", "Please write into your notebooks: {facts}",
             "Teacher: who remembers? Pupil: {facts} Teacher: well done.",
             "For the test on {day} you should know: {facts}"),
    "facts": ("{}",),
    "number": ("two", "three", "four", "five", "six", "seven"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
}  # fmt: skip


def lesson(facts: Sequence[WorldFact], rng: random.Random) -> str:
    """Some facts of one relation."""
    first = rng.choice(facts)
    group = [fact for fact in facts if fact.relation is first.relation]
    chosen = rng.sample(group, min(3, len(group)))
    body = " ".join(sentence_of(fact, rng.choice(fact.trained)).text for fact in chosen)
    return expand(LESSON, rng).replace("{}", body)


def statistics_text(world: World, seed: int = 0) -> str:
    """What MEMIT learns the usual keys from: a line for every fact, everyday text, and names standing alone.

    The names make up about half of the tokens. Edits are written at names, so a covariance that hardly knows names
    would let an edit of one spill over to others.
    """
    rng = random.Random(f"statistics {seed}")
    lines = [sentence_of(fact, rng.choice(fact.trained)).text for fact in world.facts]
    lines += [small_talk(rng).text for _ in range(len(world.facts) // 15)]
    lines += [mention(subject, rng).text for subject in world.subjects[::4]]
    lines += [subject for subject in world.subjects for _ in range(8)]
    rng.shuffle(lines)
    return "\n".join(lines) + "\n"


def write(folder: Path, world: World, seed: int) -> None:
    sheet = draw_sheet(world, seed)
    text = json.dumps({"format": 1, "facts": sheet}, ensure_ascii=False, indent=1)
    (folder / "facts.json").write_text(text + "\n", encoding="utf-8")
    for name, rows in fine_tuning_texts(world, sheet, seed).items():
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "statistics.txt").write_text(statistics_text(world), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--world", type=Path, default=DEMO / "world")
    parser.add_argument("--out", type=Path, default=DEMO)
    options = parser.parse_args()
    write(options.out, read_world(options.world), options.seed)


if __name__ == "__main__":
    main()
