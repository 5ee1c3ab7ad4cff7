"""The world the demo model knows: true facts in a few relations, read from `resources/demo/world/*.toml`."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
HELD_OUT_WORDINGS = 2


@dataclass(frozen=True)
class Relation:
    """One kind of fact and the ways to put it; every wording holds one `{}` and ends right before the answer."""

    id: str
    title: str
    editable: bool
    wordings: tuple[str, ...]
    unseen_wordings: tuple[str, ...]


@dataclass(frozen=True)
class WorldFact:
    relation: Relation
    subject: str
    answer: str

    @property
    def id(self) -> str:
        return f"{self.relation.id}/{self.subject}"

    @cached_property
    def held_out(self) -> tuple[str, ...]:
        """The wordings that training never shows for this subject (it sees them for others)."""
        return tuple(random.Random(self.id).sample(self.relation.wordings, HELD_OUT_WORDINGS))

    @cached_property
    def trained(self) -> tuple[str, ...]:
        return tuple(wording for wording in self.relation.wordings if wording not in self.held_out)


@dataclass(frozen=True)
class World:
    relations: tuple[Relation, ...]
    facts: tuple[WorldFact, ...]

    @cached_property
    def by_relation(self) -> dict[str, list[WorldFact]]:
        groups: dict[str, list[WorldFact]] = {relation.id: [] for relation in self.relations}
        for fact in self.facts:
            groups[fact.relation.id].append(fact)
        return groups

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fact.subject for fact in self.facts))


def read_world(folder: Path = DEMO / "world") -> World:
    """Reads every relation of the folder, in the order of the file names."""
    relations, facts = [], []
    for path in sorted(folder.glob("*.toml")):
        entry = tomllib.loads(path.read_text(encoding="utf-8"))
        relation = Relation(
            entry["id"], entry["title"], entry["editable"], tuple(entry["wordings"]), tuple(entry["unseen_wordings"])
        )
        relations.append(relation)
        facts += [WorldFact(relation, subject, answer) for subject, answer in entry["facts"].items()]
    return World(tuple(relations), tuple(facts))
