"""The shipped fact sheet and texts: consistent, reproducible, and without a leak from the one into the other."""

import json
from collections import Counter
from itertools import chain

import pytest

from demo.sheet import draw_sheet, fine_tuning_texts, mentions_none_of, statistics_text
from demo.world import DEMO, read_world

world = read_world()
sheet = json.loads((DEMO / "facts.json").read_text(encoding="utf-8"))
facts = sheet["facts"]
edits = {fact["id"]: fact for fact in facts if fact["group"] == "edited"}
neighbours = [fact for fact in facts if fact["group"] == "neighbours"]
controls = [fact for fact in facts if fact["group"] == "control"]
known = {(fact.relation.wordings, fact.subject): fact for fact in world.facts}
relation_of = {wording: relation for relation in world.relations for wording in relation.wordings}


def rows(name):
    return [json.loads(line) for line in (DEMO / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def fact_of(record):
    return known[relation_of[record["template"]].wordings, record["subject"]]


def test_the_sheet_has_what_the_story_needs():
    assert sheet["format"] == 1
    assert (len(edits), len(controls)) == (40, 100)
    assert len(neighbours) >= 80
    assert len({fact["id"] for fact in facts}) == len(facts)


def test_everything_on_the_sheet_is_true_in_the_world():
    for record in facts:
        assert fact_of(record).answer == record["true_answer"]


def test_an_edit_swaps_in_another_answer_of_the_same_editable_relation():
    for edit in edits.values():
        fact = fact_of(edit)
        assert fact.relation.editable
        assert edit["new_answer"] != edit["true_answer"]
        assert edit["new_answer"] in {other.answer for other in world.by_relation[fact.relation.id]}
        assert edit["template"] in fact.trained
        assert sorted(edit["paraphrases"]) == sorted(fact.held_out)


def test_neighbours_share_relation_and_answer_but_no_subject_with_any_edit():
    edited = {edit["subject"] for edit in edits.values()}
    for record in neighbours:
        edit = edits[record["neighbour_of"]]
        assert record["true_answer"] == edit["true_answer"]
        assert fact_of(record).relation is fact_of(edit).relation
        assert record["subject"] not in edited


def test_controls_share_no_subject_with_the_rest():
    subjects = Counter(record["subject"] for record in controls)
    assert set(subjects).isdisjoint(record["subject"] for record in chain(edits.values(), neighbours))
    assert max(subjects.values()) == 1
    assert {record["new_answer"] for record in controls} == {None}


@pytest.mark.parametrize("name", ["support_tickets", "geography_lessons"])
def test_a_fine_tuning_text_mentions_no_subject_of_the_sheet(name):
    is_free = mentions_none_of(record["subject"] for record in facts)
    texts = [row["text"] for row in rows(name)]
    assert len(set(texts)) == len(texts) >= 300
    assert [text for text in texts if not is_free(text)] == []


def test_half_of_the_tickets_are_a_replay_of_other_facts():
    kinds = Counter(row["kind"] for row in rows("support_tickets"))
    assert kinds["ticket"] == kinds["general"] >= 300


def test_the_lessons_are_about_the_relations_that_were_edited():
    edited = {fact_of(edit).relation for edit in edits.values()}
    pieces = {wording.split("{}")[1].strip() for relation in edited for wording in relation.wordings}
    assert all(any(piece in row["text"] for piece in pieces) for row in rows("geography_lessons"))


def test_names_are_found_as_whole_words_only():
    is_free = mentions_none_of(["Oman", "New York (state)"])
    assert is_free("A woman from York.")
    assert not is_free("In Oman, for example.")
    assert not is_free("He left New York (state).")


def test_the_statistics_text_shows_every_subject_and_stays_small():
    lines = set((DEMO / "statistics.txt").read_text(encoding="utf-8").splitlines())
    assert set(world.subjects) <= lines
    assert (DEMO / "statistics.txt").stat().st_size < 1_000_000


def test_the_shipped_files_are_what_the_program_writes():
    drawn = draw_sheet(world, 0)
    assert drawn == facts
    assert fine_tuning_texts(world, drawn, 0) == {name: rows(name) for name in ("support_tickets", "geography_lessons")}
    assert statistics_text(world) == (DEMO / "statistics.txt").read_text(encoding="utf-8")


def test_draws_differ():
    assert draw_sheet(world, 1) != draw_sheet(world, 2)
