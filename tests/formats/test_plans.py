"""Plans as files: what is written is read again, and mistakes made by hand are named by their line."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editview.domain.errors import EditViewError
from editview.domain.operations import FullFineTune, Lora, Memit, Operation
from editview.domain.plan import Checkpoint, Plan
from editview.formats.fact_csv import COLUMNS
from editview.formats.plans import demo_plan, read_plan, write_plan
from editview.formats.toml_lines import lines

GOOD = """\
editview = 1
name = "Two steps"

[checkpoint]
source = "demo"

[[operation]]
method = "memit"
layers = [
    0,  # the first
    1,
]

[[operation]]
method = "lora"
steps = 60
"""


def content(plan: Plan) -> Any:
    """A plan without the ids of its cards, which no file keeps."""
    return plan.model_dump(exclude={"operations"}), [(type(o), o.enabled, o.content()) for o in plan.operations]


def saved(folder: Path, text: str) -> Path:
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> EditViewError:
    with pytest.raises(EditViewError) as caught:
        read_plan(saved(folder, text))
    return caught.value


OPERATIONS: st.SearchStrategy[Operation] = st.one_of(
    st.builds(
        Memit,
        only=st.lists(st.text(min_size=1, max_size=12), max_size=30).map(tuple),
        layers=st.lists(st.integers(0, 50), max_size=5).map(tuple),
        clamp=st.floats(0.1, 100),
        relative_rate=st.booleans(),
        enabled=st.booleans(),
    ),
    st.builds(Lora, rank=st.integers(1, 64), dora=st.booleans(), schedule=st.sampled_from(["linear", "constant"])),
    st.builds(FullFineTune, learning_rate=st.floats(1e-8, 1), data=st.sampled_from(["support-tickets", "/data/x.txt"])),
)
PLANS = st.builds(
    Plan,
    name=st.text(max_size=30),
    seed=st.integers(0, 2**32 - 1),
    check_every=st.just("auto") | st.integers(0, 1000),
    columns=st.dictionaries(st.sampled_from(list(COLUMNS)), st.text(max_size=12), max_size=3),
    checkpoint=st.builds(Checkpoint, source=st.sampled_from(["demo", "gpt2", "org/name"]), allow_pickle=st.booleans()),
    operations=st.lists(OPERATIONS, max_size=4).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(plan=PLANS)
def test_what_is_written_is_read_again(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("plans") / "plan.toml"
    write_plan(plan, path)
    assert content(read_plan(path)) == content(plan)


@settings(max_examples=60, deadline=None)
@given(plan=PLANS)
def test_every_key_is_found_in_its_line(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("plans") / "plan.toml"
    write_plan(plan, path)
    text = path.read_bytes().decode()
    found, split = lines(text), text.split("\n")
    data = tomllib.loads(text)
    for i, table in enumerate(data.get("operation", [])):
        assert split[found["operation", i] - 1] == "[[operation]]"
        for key in table:
            line = found["operation", i, key]
            assert split[line - 1].startswith(f"{key} = ")
            assert found["operation", i] < line
    assert split[found["checkpoint",] - 1] == "[checkpoint]"


def test_a_plan_reads_as_a_person_would_write_it(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    operations = (Memit(layers=(0, 1, 2), clamp=1.0), FullFineTune(enabled=False))
    columns = {"subject": "wer", "prompt": "was man fragt"}
    write_plan(Plan(name="Mine", columns=columns, operations=operations), path)
    assert path.read_text(encoding="utf-8").split("\n\n") == [
        'editview = 1\nname = "Mine"\nfacts = "demo"\nseed = 0\ncheck_every = "auto"',
        '[columns]\nsubject = "wer"\nprompt = "was man fragt"',
        '[checkpoint]\nsource = "demo"',
        '[[operation]]\nmethod = "memit"\nlayers = [0, 1, 2]  '
        "# Layers to edit, counted from 0: layers 1 to 3 in the window\nclamp = 1.0  # Largest change\n"
        "covariance_weight = 15000.0  # Protect other facts",
        '[[operation]]\nmethod = "full"\nenabled = false  # Switched on\ndata = "support-tickets"  # Training data\n'
        "steps = 60  # Steps\nlearning_rate = 0.0003  # Learning rate\nbatch_size = 16  # Batch size\n"
        'trained = "all"  # Layers to train\ntrain_on = "answers"  # Train on\n',
    ]


def test_paths_start_from_the_folder_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    (home / "model").mkdir(parents=True)
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    text = GOOD.replace('source = "demo"', 'source = "model"').replace("steps = 60", 'data = "data/mine.jsonl"')
    path = saved(home, text.replace('name = "Two steps"', 'facts = "../sheet.csv"'))
    plan = read_plan(path)
    assert plan.checkpoint.source == str(home / "model")
    assert plan.facts == str(tmp_path / "sheet.csv")
    assert plan.operations[1].data == str(home / "data" / "mine.jsonl")  # type: ignore[union-attr]
    assert plan.name == "plan"
    write_plan(plan, path)
    written = path.read_text(encoding="utf-8")
    assert 'source = "./model"' in written
    assert 'data = "./data/mine.jsonl"' in written
    assert str(tmp_path / "sheet.csv") in written
    os.rename(home, tmp_path / "moved")
    assert read_plan(tmp_path / "moved" / "plan.toml").checkpoint.source == str(tmp_path / "moved" / "model")


def test_a_relative_path_of_a_plan_in_memory_is_meant_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_plan(Plan(facts="facts.json"), tmp_path / "plans" / "plan.toml")
    assert read_plan(tmp_path / "plans" / "plan.toml").facts == str(tmp_path / "facts.json")


def test_names_of_the_hub_and_of_what_is_packaged_are_no_paths(tmp_path: Path) -> None:
    text = GOOD.replace('source = "demo"', 'source = "openai-community/gpt2"')
    plan = read_plan(saved(tmp_path, text))
    assert plan.checkpoint.source == "openai-community/gpt2"
    assert plan.facts == "demo"
    assert plan.operations[1].data == "support-tickets"  # type: ignore[union-attr]
    assert plan.operations[0].statistics == "packaged"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        (
            'name = "Two steps"',
            'name = "Two steps"\ncheck_every = -1',
            3,
            "'check_every' is not as expected: it must be 'auto' or a whole number, 0 or",
        ),
        (
            'name = "Two steps"',
            'name = "Two steps"\ncheck_every = "often"',
            3,
            "'check_every' is not as expected: it must be 'auto' or a whole number",
        ),
        ("steps = 60", "validation = 0.0\npatience = 2", 17, "'patience' is not as expected: without examples kept"),
        ("steps = 60", "setps = 60", 16, "'setps' is not known here; did you mean 'steps'?"),
        ("steps = 60", "zzz = 60", 16, "'zzz' is not known here; expected one of: enabled, data, steps"),
        ('method = "lora"', 'method = "lora"\nid = 3', 16, "'id' must be text in quotes"),
        ("steps = 60", 'steps = "60"', 16, "'steps' must be a whole number, and is the text \"60\""),
        ("steps = 60", "steps = 60.5", 16, "'steps' must be a whole number, and is 60.5"),
        ("steps = 60", "steps = true", 16, "'steps' must be a whole number, and is true"),
        ("steps = 60", "steps = 0", 16, "'steps' must be at least 1, and is 0"),
        ("steps = 60", "learning_rate = 2", 16, "'learning_rate' must be at most 1, and is 2"),
        ("steps = 60", "learning_rate = 0", 16, "'learning_rate' must be above 0, and is 0"),
        ("steps = 60", "dropout = 1.0", 16, "'dropout' must be below 1, and is 1.0"),
        ("steps = 60", "data = 3", 16, "'data' must be text in quotes, and is 3"),
        ("steps = 60", "dora = 1", 16, "'dora' must be true or false, and is 1"),
        ("steps = 60", 'schedule = "fast"', 16, "'schedule' must be 'linear', 'cosine' or 'constant'"),
        (
            "layers = [",
            "layers = [ -1,",
            9,
            "in 'layers', entry 1 must be at least 0, and is -1; layers are counted from 0 here: layer 1 of",
        ),
        ("    1,", "    'x',", 9, "in 'layers', entry 2 must be a whole number, and is the text \"x\""),
        ("layers = [", "layers = 3\nonly = [", 9, "'layers' must be a list in square brackets, and is 3"),
        ('"lora"', '"lroa"', 15, "there is no method 'lroa'; did you mean 'lora'?"),
        ('"lora"', "7", 15, "there is no method '7'; expected one of: memit, "),
        ('method = "lora"\n', "", 14, "doesn't say its method; expected one of: memit, "),
        ('source = "demo"', 'sauce = "demo"', 5, "'sauce' is not known here; did you mean 'source'?"),
        ('source = "demo"', 'dtype = "int8"', 5, "'dtype' must be 'auto', 'float32', 'bfloat16' or 'float16'"),
        ('name = "Two steps"', "seed = -1", 2, "'seed' must be at least 0, and is -1"),
        ('name = "Two steps"', "operations = []", 2, "'operations' is not known here; did you mean 'operation'?"),
        (
            "[checkpoint]\n",
            '[columns]\nsubjct = "wer"\n[checkpoint]\n',
            5,
            "'subjct' is not known here; did you mean 'subject'?",
        ),
        ("[checkpoint]\n", "[columns]\nsubject = 3\n[checkpoint]\n", 5, "'subject' must be text in quotes, and is 3"),
        (
            "[checkpoint]\n",
            '[columns]\ncontradictions = "lst"\n[checkpoint]\n',
            5,
            "there is no 'lst' for 'contradictions'; did you mean 'last'?",
        ),
        ('name = "Two steps"', 'columns = "wer"', 2, "'columns' must be a table, and is the text \"wer\""),
        (
            "steps = 60",
            f"steps = 0x{'f' * 5000}",
            16,
            "'steps' must be at most 1000000, and is a number beyond all bounds",
        ),
        ('name = "Two steps"', 'dtype = "auto"', 2, "'dtype' is not known here; expected one of: editview, name"),
        ('[[operation]]\nmethod = "memit"', '[operation]\nmethod = "memit"', 14, "can't be read"),
        ("steps = 60", "steps 60", 16, "can't be read: expected '=' after a key"),
        ("steps = 60", "steps = 60\nsteps = 61", 17, "can't be read: cannot overwrite a value"),
    ],
)
def test_a_mistake_is_named_by_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    error = refused(tmp_path, GOOD.replace(old, new, 1))
    assert str(error).startswith(f"Line {line} of 'plan.toml'")
    assert said in str(error)


def test_a_single_operation_in_single_brackets(tmp_path: Path) -> None:
    error = refused(tmp_path, 'editview = 1\n\n[operation]\nmethod = "lora"\n')
    assert "Line 3" in str(error)
    assert "[[operation]]" in str(error)


def test_all_mistakes_are_in_the_details_the_first_one_leads(tmp_path: Path) -> None:
    error = refused(tmp_path, GOOD.replace("steps = 60", "steps = 0\nrank = 0").replace('"demo"', "3"))
    assert str(error).startswith("Line 5 ")
    assert "There are 2 more mistakes" in str(error)
    assert [detail.split()[1] for detail in error.details.splitlines()] == ["5", "16", "17"]


def test_strings_brackets_and_comments_do_not_mislead_the_line_finder() -> None:
    text = (
        'name = """\n[checkpoint]\nseed = 1\n"""  # [x]\n\'odd key\'.inner = [\n  ["]", \'[\'],\n  # ]\n]\n'
        'point = {a = 1, b = "}"}\nseed = 2\n[ checkpoint ]\nsource = "#"\n[[operation]]\n[[operation]]\nmethod = 1\n'
    )
    tomllib.loads(text)
    assert lines(text) == {
        ("name",): 1, ("odd key", "inner"): 5, ("point",): 9, ("seed",): 10, ("checkpoint",): 11,
        ("checkpoint", "source"): 12, ("operation", 0): 13, ("operation", 1): 14, ("operation", 1, "method"): 15,
    }  # fmt: skip


def test_a_plan_from_a_newer_version_says_so(tmp_path: Path) -> None:
    error = refused(tmp_path, 'editview = 2\nsomething_new = "x"\n')
    assert "made by a newer EditView" in str(error)
    assert "Update EditView" in str(error)


@pytest.mark.parametrize("text", ["", 'name = "x"\n', 'editview = "1"\n', "editview = true\n", "editview = 0\n"])
def test_a_file_that_is_no_plan(tmp_path: Path, text: str) -> None:
    assert "is no plan of EditView" in str(refused(tmp_path, text))


def test_a_missing_plan_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(EditViewError, match="There is no file"):
        read_plan(tmp_path / "nothing.toml")
    (tmp_path / "latin.toml").write_bytes("editview = 1\nname = 'Café'\n".encode("latin-1"))
    with pytest.raises(EditViewError, match="line 2"):
        read_plan(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("value", "reason"), [("9" * 5000, "more digits than can be read"), ("[" * 3000 + "]" * 3000, "nested too deeply")]
)
def test_a_value_beyond_what_can_be_read(tmp_path: Path, value: str, reason: str) -> None:
    assert reason in str(refused(tmp_path, f"editview = 1\nseed = {value}\n"))


def test_the_folder_of_nobody_stays_as_written(tmp_path: Path) -> None:
    plan = read_plan(saved(tmp_path, 'editview = 1\nfacts = "~nobody-of-this-name/facts.csv"\n'))
    assert plan.facts.endswith("~nobody-of-this-name/facts.csv")
    write_plan(Plan(facts="~nobody-of-this-name/facts.csv"), tmp_path / "plan.toml")


def test_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert content(read_plan(path)) == content(read_plan(saved(tmp_path, GOOD)))


def test_the_built_in_plan_edits_then_tunes() -> None:
    plan = demo_plan()
    assert [type(operation) for operation in plan.active] == [Memit, FullFineTune]
    assert plan.checkpoint.source == plan.facts == "demo"
