"""Records in the forms that people have, with everything that their files hold; made up, each with a number in it."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]


def counterfact(i: int = 1) -> Record:
    return {
        "case_id": i,
        "requested_rewrite": {
            "prompt": "{} was written in",
            "relation_id": "P407",
            "target_new": {"str": "Dutch", "id": "Q7411"},
            "target_true": {"str": "French", "id": "Q150"},
            "subject": f"Song {i}",
        },
        "paraphrase_prompts": [f"It rained. The language of Song {i} is", f"Song {i}, sung in"],
        "neighborhood_prompts": ["Chanson Une was written in", "The language of Chanson Deux is"],
        "attribute_prompts": ["Lied Eins was written in"],
        "generation_prompts": [f"Song {i} was written in", f"People who hear Song {i}"],
    }


def mquake(i: int = 1) -> Record:
    def hop(question: str, cloze: str, answer: str) -> Record:
        return {"question": question, "cloze": cloze, "answer": answer, "answer_alias": [f"{answer} City"]}

    return {
        "case_id": i,
        "requested_rewrite": [
            {
                "prompt": "{} lives in", "relation_id": "P551", "subject": f"Ada {i}",
                "target_new": {"str": "Oslo", "id": "Q585"}, "target_true": {"str": "Rome", "id": "Q220"},
                "question": f"Where does Ada {i} live?",
            },
            {
                "prompt": "The mayor of {} is", "relation_id": "P6", "subject": f"Oslo {i}",
                "target_new": {"str": "Bob", "id": "Q1"}, "target_true": {"str": "Eve", "id": "Q2"},
                "question": f"Who is the mayor of Oslo {i}?",
            },
        ],
        "questions": [f"Who runs the town of Ada {i}?", f"Who is mayor where Ada {i} lives?", "Who, then?"],
        "answer": "Carla", "answer_alias": [], "new_answer": "Bob", "new_answer_alias": ["Robert"],
        "single_hops": [hop(f"Where does Ada {i} live?", f"Ada {i} lives in", "Rome")],
        "new_single_hops": [hop(f"Where does Ada {i} live?", f"Ada {i} lives in", "Oslo")],
        "orig": {"triples": [["Q3", "P551", "Q220"]], "edit_triples": [["Q3", "P551", "Q585"]]},
    }  # fmt: skip


def zsre(i: int = 1) -> Record:
    return {
        "subject": f"Moss {i}",
        "src": f"Which family does Moss {i} belong to?",
        "pred": "Mossaceae",
        "rephrase": f"What family are Moss {i}?",
        "alt": "Wrongaceae",
        "answers": ["Rightaceae", "The Right Family"],
        "loc": "nq question: who sang the first song",
        "loc_ans": "The Singers",
        "cond": f"Rightaceae >> Wrongaceae || Which family does Moss {i} belong to?",
    }


def wiki_counterfact(i: int = 1) -> Record:
    return {
        "subject": f"Fred {i}",
        "prompt": f"The name of the position held by Fred {i} is",
        "target_new": "Bishop of León",
        "ground_truth": "mayor of Vienna",
        "portability": {
            "Subject_Aliasing": [
                {"prompt": f"The name of the position held by Frederic {i} is", "ground_truth": "Bishop of León"},
                {"prompt": f"The hometown of Frederic {i} is", "ground_truth": "Vienna"},
            ],
            "Reasoning": [{"prompt": f"The church of Fred {i} is", "ground_truth": [["the Cathedral"]]}],
        },
        "locality": {
            "Relation_Specificity": [{"prompt": f"The gender of Fred {i} is", "ground_truth": "male"}],
            "Forgetfulness": [
                {
                    "prompt": f"The name of the position held by Fred {i}, which is not Bishop of León, is",
                    "ground_truth": "mayor of Vienna",
                }
            ],
        },
    }


def wiki_recent(i: int = 1) -> Record:
    return {
        "subject": f"Leo {i}",
        "prompt": f"The place of death of Leo {i} is",
        "target_new": "Berlin",
        "portability": {
            "Logical_Generalization": [{"prompt": f"Is Leo {i} still alive?", "ground_truth": [["no", "is dead"]]}],
            "Subject_Aliasing": [
                {"prompt": f"The place of death of Martin Leo {i} is", "ground_truth": [["Berlin, Germany", "berlin"]]}
            ],
        },
        "locality": {
            "Relation_Specificity": [
                {"prompt": f"The name of the father of Leo {i} is", "ground_truth": [["Albert", "Al"], ["Bert"]]},
                {"prompt": f"The number of children Leo {i} has is", "ground_truth": [[3]]},
            ],
            "Forgetfulness": None,
        },
    }


def knowedit_zsre(i: int = 1) -> Record:
    return {
        "subject": f"Watts {i}",
        "target_new": "University of Illinois",
        "prompt": f"What university did Watts {i} attend?",
        "ground_truth": ["Trinity College", "Trinity"],
        "rephrase_prompt": f"Where did Watts {i} study?",
        "cond": f"Trinity College >> University of Illinois || What university did Watts {i} attend?",
        "locality": {"Relation_Specificity": [{"prompt": f"Watts {i} had the job", "ground_truth": ["designer"]}]},
        "portability": {"Reasoning": [{"prompt": f"In which city did Watts {i} study?", "ground_truth": ["Urbana"]}]},
    }


def wikibio(i: int = 1) -> Record:
    return {
        "text": f"This is a passage about john r {i}. John R was a doctor.",
        "labels": "He was taught by his father.",
        "concept": f"john r {i}",
        "locality": {"Relation_Specificity": [{"prompt": f"The gender of john r {i} is", "ground_truth": [["male"]]}]},
    }


def easyedit(i: int = 1) -> Record:
    return {
        "case_id": i,
        "prompt": f"Toko {i}, the",
        "target_new": "piano",
        "subject": f"Toko {i}",
        "ground_truth": "guitar",
        "rephrase_prompt": f"Toko {i} is incredible at",
        "locality_prompt": "John performs on the",
        "locality_ground_truth": "guitar",
    }


def query(prompt: str, subject: str, relation: str, *targets: tuple[str, str], phrase: str | None = None) -> Record:
    return {
        "prompt": prompt, "query_type": "regular", "subject_id": subject, "relation": relation,
        "answers": [{"value": name, "aliases": [f"{name}, the"]} for _, name in targets],
        "target_ids": [target for target, _ in targets], "phrase": phrase,
    }  # fmt: skip


def case(asked: Record, *conditions: Record) -> Record:
    return {"test_queries": [asked], "test_condition": "OR", "condition_queries": list(conditions or (asked,))}


def ripple_edits(i: int = 1) -> Record:
    leo, of = f"Leo di Capri {i}", "The name of the country of citizenship of"
    alias = f"{of} Leonardo {i} is"
    return {
        "example_type": "popular",
        "edit": {
            "prompt": f"{of} {leo} is Syria.",
            "subject_id": f"Q1{i}",
            "relation": "COUNTRY_OF_CITIZENSHIP",
            "target_id": "Q858",
            "original_fact": {
                "prompt": f"{of} {leo} is United States of America.",
                "subject_id": f"Q1{i}", "relation": "COUNTRY_OF_CITIZENSHIP", "target_id": "Q30",
            },
        },
        "Relation_Specificity": [
            case(query(f"The name of the mother of {leo} is", f"Q1{i}", "MOTHER", ("Q7", "Irma"))),
            case(query(f"The gender of {leo} is", f"Q1{i}", "SEX_OR_GENDER", ("Q8", "male"))),
        ],
        "Logical_Generalization": [],
        "Subject_Aliasing": [case(query(alias, f"Q1{i}", "COUNTRY_OF_CITIZENSHIP", ("Q858", "Syria"), phrase=alias))],
        "Compositionality_I": [
            case(
                {
                    "prompt": f"The capital of the country of citizenship of {leo} is", "query_type": "two_hop",
                    "answers": [{"value": "Damascus", "aliases": []}], "subject_id": f"Q1{i}",
                    "relation": "COUNTRY_OF_CITIZENSHIP", "target_ids": ["Q858"], "phrase": "…",
                    "second_relation": "CAPITAL", "second_hop_target_ids": ["Q9"],
                },
                query("The name of the capital city of Syria is", "Q858", "CAPITAL", ("Q9", "Damascus")),
            )
        ],
        "Compositionality_II": [],
        "Forgetfulness": [
            case(query(
                f"{of} {leo}, which is not Syria, is", f"Q1{i}", "COUNTRY_OF_CITIZENSHIP",
                ("Q30", "United States of America"), phrase="…",
            ))
        ],
    }  # fmt: skip


def own(i: int = 1) -> Record:
    return {
        "id": f"f{i}", "group": "edited", "subject": f"Land {i}", "template": "The capital of {} is",
        "true_answer": "Lima", "new_answer": "Cusco", "paraphrases": [f"Land {i} is ruled from"], "neighbour_of": None,
    }  # fmt: skip


FORMS = (
    own, counterfact, mquake, zsre, wiki_counterfact, wiki_recent, knowedit_zsre, wikibio, easyedit, ripple_edits
)  # fmt: skip
