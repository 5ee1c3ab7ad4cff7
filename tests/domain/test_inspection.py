"""What is said of an inspection, and how candidates come together."""

from __future__ import annotations

from dataclasses import replace

from editview.domain.facts import Fact, Group
from editview.domain.inspection import (
    BothSaid,
    Candidate,
    Inspection,
    Memory,
    Touched,
    candidates_of,
    headline,
    memory_sentence,
    merged,
    remarks,
    touched_sentence,
    written_sentence,
)
from editview.domain.plan import Checkpoint

HERE, THERE = Checkpoint(source="here"), Checkpoint(source="there")


def touched(subject: str, before: str, after: str) -> Touched:
    return Touched(subject, 12.3, 1, (BothSaid(f"{subject} is", "a land", "A land"), BothSaid("?", before, after)))


def test_candidates_of_one_subject_become_one() -> None:
    facts = [
        Fact("a", Group.EDITED, "Peru", "The capital of {} is", "Lima", "Paris"),
        Fact("b", Group.CONTROL, "Peru", "{} lies in", "America"),
        Fact("c", Group.NEIGHBOURS, "", "The capital of Chad is", "N'Djamena", "Paris"),
    ]
    assert candidates_of(facts) == (Candidate("Peru", ("The capital of {} is", "{} lies in")),)
    both = merged([Candidate("Chad"), *candidates_of(facts), Candidate("Chad", ("{} is",))])
    assert [(one.subject, len(one.prompts)) for one in both] == [("Chad", 1), ("Peru", 2)]


def test_the_case_of_letters_is_no_difference() -> None:
    assert not BothSaid("", "Lima", "lima").differs
    assert touched("Peru", "Lima", "Paris").telling.after == "Paris"
    assert not touched("Peru", "Lima", "Lima").differs


def test_sentences_with_the_original() -> None:
    found = Inspection(THERE, HERE, (0, 1), 2000, (touched("Peru", "Lima", "Paris"), touched("Chad", "x", "x")))
    assert headline(found) == (
        "The memory differs in layers 1 and 2. Of 2,000 candidate subjects, the 2 that this acts on most were asked: "
        "1 is answered differently, *Peru*."
    )
    assert len(remarks(found)) == 1
    assert touched_sentence(found.touched[0]) == (
        "? … *Lima* before, *Paris* now. In layer 2 the change acts on it 12 times as strongly as on the usual subject."
    )
    assert "and still." in touched_sentence(found.touched[1])
    assert "all are answered as before" in headline(Inspection(THERE, HERE, (0,), 9, found.touched[1:]))
    assert headline(Inspection(THERE, HERE, (), 9, ())) == (
        "The memory (MLP) of both models is the same, so no fact was edited there."
    )


def test_what_could_not_be_looked_at_or_asked_is_said() -> None:
    said = Touched("Peru", 12.0, 1, (BothSaid("?", "Lima", None),))
    found = Inspection(THERE, HERE, (0, 1), 2000, (said,), skipped=(3,))
    assert found.unasked == "after"
    assert not found.differing
    assert headline(found) == (
        "The memory differs in layers 1 and 2. Of 2,000 candidate subjects it acts most on *Peru*; only one of the two "
        "could be asked."
    )
    assert remarks(found)[0] == (
        "The memory of layer 4 wasn't looked at: one of the two lacks it, or holds values there that are no numbers."
    )
    assert "What the model after says isn't known" in remarks(found)[1]
    assert said.telling.shown == ("Lima", "not known")
    assert "*Lima* before, *not known* now" in touched_sentence(said)
    assert BothSaid("?", None, "Lima").shown == ("not known", "Lima")
    assert BothSaid("?", "", "").shown == ("nothing", "the same")
    nothing = Inspection(THERE, HERE, (), 9, (), skipped=(3,))
    assert headline(nothing) == "The memory (MLP) of both models is the same where it could be looked at."
    assert len(remarks(nothing)) == 1


def test_sentences_without_it() -> None:
    memory = Memory(1, "w", 8.5, 2, ("Paris", "Rome"))
    found = Inspection(THERE, None, (1,), 9, (touched("Peru", "Lima", "Paris"),), (memory,))
    assert headline(found).startswith("Layer 2 may have been edited. Of 9 candidate subjects")
    assert "a guess" in remarks(found)[1]
    assert memory_sentence(memory) == (
        "Layer 2 looks edited: 2 directions stand out, and its strongest direction is 8.5 times as strong as is usual "
        "in this model."
    )
    assert memory_sentence(Memory(0, "w", 1.0, 0)).startswith("Layer 1 doesn't look edited")
    assert "don't say that it was edited" in headline(Inspection(THERE, None, (), 9, ()))


def test_what_was_written_is_told_by_how_strongly_it_shows() -> None:
    def one(subject: str, times: float, *after: str) -> Touched:
        return Touched(subject, times, 0, tuple(BothSaid(f"{subject} is", "", said) for said in after))

    found = Inspection(
        THERE, None, (0,), 9,
        (
            one("Chad", 3, "Rome"), one("Peru", 9, "Paris", "?!"), one("Cuba", 5, "paris in France"),
            one("Mali", 2, "Bern"),
        ),
    )  # fmt: skip
    assert [(each.answer, each.subject, each.probable) for each in found.written] == [
        ("Paris", "Peru", True), ("Rome", "Chad", False),
    ]  # fmt: skip
    assert written_sentence(found).startswith(
        "It was probably made to say *Paris* (Peru); perhaps made to say *Rome* (Chad). Measured on the demo model"
    )
    many = replace(found, touched=tuple(one(f"land {at}", 9, f"city {at}") for at in range(12)))
    assert "*city 4* (land 4); the table has 7 more." in written_sentence(many)
    assert written_sentence(replace(found, original=HERE)) == ""
    alone = replace(found, touched=(), memories=(Memory(0, "w", 8.5, 2, ("Paris", "Rome")),))
    assert written_sentence(alone).startswith(
        "No candidate subject shows what it was made to say. Its strongest directions would say *Paris*, *Rome*. Such "
        "guesses are mostly wrong"
    )
