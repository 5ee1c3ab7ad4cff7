"""The world files: what the demo model knows."""

import re

import pytest

from demo.world import HELD_OUT_WORDINGS, read_world

world = read_world()


def test_the_world_is_large_enough_to_be_worth_asking_about():
    assert len(world.relations) >= 15
    assert len(world.facts) >= 2000
    assert len({fact.id for fact in world.facts}) == len(world.facts)
    assert len({relation.id for relation in world.relations}) == len(world.relations)


@pytest.mark.parametrize("relation", world.relations, ids=lambda relation: relation.id)
def test_a_relation_is_well_formed(relation):
    assert len(relation.wordings) == 8
    assert len(relation.unseen_wordings) >= 1
    wordings = relation.wordings + relation.unseen_wordings
    assert len(set(wordings)) == len(wordings)
    for wording in wordings:
        assert wording.count("{}") == 1
        assert not wording.endswith("{}"), "the answer needs a word between the subject and itself"
        assert wording == wording.strip()
        assert not re.search(r"\s{2}|[{}]", wording.replace("{}", "X"))


def test_facts_are_clean_and_hold_wordings_back():
    for fact in world.facts:
        assert not fact.answer.endswith(".")
        for text in (fact.subject, fact.answer):
            assert text == text.strip()
            assert text
            assert not re.search(r"[{}\n]", text)
        assert len(fact.held_out) == HELD_OUT_WORDINGS
        assert set(fact.held_out).isdisjoint(fact.trained)
        assert set(fact.held_out) | set(fact.trained) == set(fact.relation.wordings)


def test_an_answer_is_never_the_subject_itself():
    assert not [fact.id for fact in world.facts if fact.answer == fact.subject]
