"""The command line, from outside: what it prints, its exit codes, and that a person is never shown a traceback."""

from __future__ import annotations

import io
import json
import os
import queue
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from editview.__main__ import main
from editview.cli import outcome
from editview.cli.screen import Bar
from editview.domain.checkpoint import Device
from editview.domain.errors import Cancelled
from editview.domain.events import Event, Failed
from editview.domain.examples import Example
from editview.domain.facts import Fact, FactSheet, Group
from editview.domain.operations import LocalFineTune
from editview.domain.plan import Plan
from editview.domain.progress import silent
from editview.domain.requests import ChooseDevice, RunPlan
from editview.domain.run_events import RunFailed, RunFinished
from editview.domain.verdicts import Answer, Check
from editview.formats.fact_sheets import read_facts
from editview.formats.plans import read_plan, write_plan
from editview.jobs.service import Jobs
from editview.lm import answers
from editview.lm.opening import open_model
from editview.runs import inspection, workbench
from editview.runs.model_card import PLAN_FILE
from editview.runs.store import StageStore
from editview.tuning.fine_tune import fine_tune
from tests import small
from tests.formats.pages import read


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> small.World:
    return small.World.make(tmp_path_factory.mktemp("world"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("EDITVIEW_HOME", str(tmp_path / "home"))
    threads = torch.get_num_threads()
    yield tmp_path / "home"
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        """The JSON object in the last line."""
        return json.loads(self.out.splitlines()[-1])


Editview = Callable[..., Done]


@pytest.fixture
def editview(capsys: pytest.CaptureFixture[str]) -> Editview:
    """The command in this process, which has the model libraries already."""

    def call(*arguments: object) -> Done:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err + captured.out
        return Done(code, captured.out, captured.err)

    return call


def plan_file(world: small.World, path: Path, *operations: object, **settings: object) -> Path:
    plan: Plan = small.plan(world.checkpoint, *operations, facts=str(world.sheet_file()), **settings)  # type: ignore[arg-type]
    write_plan(plan, path)
    return path


def test_help_needs_no_model_libraries() -> None:
    code = (
        "import sys\nfrom editview.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "False"
    assert "{open,run,export,report,check" in done.stdout


def test_a_run_prints_everything_as_json_and_the_second_time_from_the_store(
    world: small.World, editview: Editview, tmp_path: Path
) -> None:
    path = plan_file(world, tmp_path / "plan.toml", small.edit(world.text), small.tune(world.data))
    first = editview("run", path, "--json", "--device", "cpu")
    assert first.code == 0, first.err
    told = first.told
    assert [stage["name"] for stage in told["stages"]] == ["Checkpoint", "Edit 3 facts", "Fine-tune on tickets"]
    for stage in told["stages"]:
        assert {group: sum(counts.values()) for group, counts in stage["groups"].items()} == {
            "edited": 3, "neighbours": 3, "control": 2,
        }  # fmt: skip
        assert set(stage["groups"]["edited"]) == {"holds", "weak", "fails"}
    assert len(told["stages"][1]["changes"]) == 2
    assert all(change["relative"] > 0 for change in told["stages"][1]["changes"])
    assert len(told["stages"][2]["changes"]) > 20
    assert [stage["trained_weights"] > 0 for stage in told["stages"]] == [False, False, True]
    facts = {fact["id"]: fact for fact in told["facts"]}
    assert list(facts) == [fact.id for fact in world.sheet]
    assert all(len(fact[name]) == 3 for fact in facts.values() for name in ("verdicts", "answers", "changes"))
    assert facts["e0"]["changes"][0] == "not yet edited"
    for stage in told["stages"]:
        assert set(stage["scores"]) == {
            "efficacy", "paraphrase", "neighbourhood", "score", "strict", "tokens", "edit_flip_rate",
            "control_retention",
        }  # fmt: skip
        of_prompts = [fact["wordings"][told["stages"].index(stage)][0] for fact in told["facts"][:3]]
        likelier = sum(answer["nll_wanted"] < answer["nll_other"] for answer in of_prompts)
        assert stage["scores"]["efficacy"] == pytest.approx(likelier / 3)

    again = editview("run", path, "--json", "--device", "cpu").told
    assert [stage["state"] for stage in again["stages"]] == ["reused"] * 3
    assert again["facts"] == told["facts"]

    fresh = editview("run", path, "--json", "--device", "cpu", "--fresh").told
    assert [stage["state"] for stage in fresh["stages"]] == ["done"] * 3
    assert fresh["facts"] == told["facts"]


def test_a_run_ends_with_a_table_for_people(world: small.World, editview: Editview, tmp_path: Path) -> None:
    other = tmp_path / "two.json"
    facts = [asdict(fact) for fact in world.sheet.facts[-2:]]
    other.write_text(json.dumps({"format": 1, "facts": facts}))
    done = editview("run", plan_file(world, tmp_path / "plan.toml", small.tune(world.data)), "--facts", other)
    assert done.code == 0
    assert "Fine-tune on tickets" in done.out
    assert "of 2" in done.out
    assert "Edits" not in done.out
    assert "As the literature counts" not in done.out
    with_edits = editview("run", plan_file(world, tmp_path / "plan.toml", small.tune(world.data)))
    assert "As the literature counts" in with_edits.out


def test_a_run_that_fails_says_why_and_where_the_details_are(
    world: small.World, editview: Editview, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(workbench, "carry_out", broken)
    done = editview("run", plan_file(world, tmp_path / "plan.toml", small.tune(world.data)), "--json")
    assert done.code == 1
    assert "unexpected" in done.err
    assert "ZeroDivisionError" in (home / "logs" / "last-error.txt").read_text()
    assert [stage["state"] for stage in done.told["stages"]] == ["done", "failed"]


def reached(home: Path, finished: int) -> None:
    """Wait until so many stages of the run under way are finished."""
    until = time.monotonic() + 60
    while not any(f'"finished": {finished}' in path.read_text() for path in home.glob("stages/run-*.journal")):
        assert time.monotonic() < until
        time.sleep(0.02)


def long_plan(world: small.World, path: Path) -> Path:
    return plan_file(world, path, small.tune(world.data, steps=2), small.tune(world.data, steps=10**6))


def test_ctrl_c_stops_and_keeps_what_is_finished(
    world: small.World, editview: Editview, tmp_path: Path, home: Path
) -> None:
    def press() -> None:
        reached(home, 2)
        os.kill(os.getpid(), signal.SIGINT)

    path = long_plan(world, tmp_path / "plan.toml")
    thread = threading.Thread(target=press)
    thread.start()
    done = editview("run", path, "--json")
    thread.join()
    assert done.code == 130
    assert "Stopped" in done.err
    assert [stage["state"] for stage in done.told["stages"]] == ["done", "done", "waiting"]


def test_a_kill_costs_at_most_the_operation_under_way_and_the_next_start_says_so(
    world: small.World, editview: Editview, tmp_path: Path, home: Path
) -> None:
    command = [sys.executable, "-m", "editview", "run", str(long_plan(world, tmp_path / "plan.toml"))]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    reached(home, 2)
    running.kill()
    running.wait()
    done = editview("run", plan_file(world, tmp_path / "short.toml", small.tune(world.data, steps=2)), "--json")
    assert "Small plan was cut off during Fine-tune on tickets" in done.err
    assert [stage["state"] for stage in done.told["stages"]] == ["reused", "reused"]
    assert list(home.glob("stages/run-*")) == []
    latest, cut_off = editview("runs", "--json").told["runs"]
    assert (latest["state"], cut_off["state"]) == ("finished", "stopped")
    assert cut_off["stage"].startswith("Fine-tune on tickets (step ")  # the kill comes as the second one begins
    assert cut_off["sentence"]  # what had been asked before
    assert (latest["name"], latest["begun_from"], latest["ended"] > latest["began"]) == (
        "Small plan", "command line", True
    )  # fmt: skip
    listed = editview("runs")
    assert listed.code == 0
    assert listed.out.index("today") < listed.out.index("Stopped during Fine-tune on")


def test_without_runs_the_list_says_where_to_begin(editview: Editview, home: Path) -> None:
    assert "editview run demo" in editview("runs").out
    assert editview("runs", "--json").told == {"runs": []}


def test_a_list_of_a_newer_version_is_a_sentence_and_left_alone(editview: Editview, home: Path) -> None:
    home.mkdir()
    with sqlite3.connect(home / "runs.sqlite") as file:
        file.execute(f"PRAGMA application_id = {0x45645677}")
        file.execute("PRAGMA user_version = 99")
    done = editview("runs")
    assert done.code == 2
    assert "newer EditView" in done.err


def test_check_tells_holding_from_failing_by_its_exit_code(
    world: small.World, editview: Editview, tmp_path: Path
) -> None:
    junit = tmp_path / "deep" / "junit.xml"
    done = editview("check", world.folder / "model", world.sheet_file(), "--junit", junit, "--json")
    assert done.code == 1
    assert done.told["groups"]["edited"] == {"holds": 0, "weak": 0, "fails": 3}
    assert done.told["scores"]["strict"]["efficacy"] == 0
    answers = [fact["wordings"][0] for fact in done.told["facts"][:3]]
    likelier = sum(answer["nll_wanted"] < answer["nll_other"] for answer in answers)
    assert done.told["scores"]["efficacy"] == pytest.approx(likelier / 3)
    told = editview("check", world.folder / "model", world.sheet_file()).out
    assert f"As the literature counts: Efficacy {100 * likelier / 3:.1f} %, paraphrases" in told
    root = ElementTree.parse(junit).getroot()
    assert (root.get("tests"), root.get("failures")) == ("8", "8")
    assert len(root.findall("testsuite/testcase/failure")) == 8
    assert [suite.get("name") for suite in root] == ["edited", "neighbours", "control"]

    fact = {"id": "c", "group": "control", "subject": "Thing 1", "template": "{} is made of", "true_answer": "wood"}
    holding = tmp_path / "holding.json"
    holding.write_text(json.dumps({"format": 1, "facts": [fact]}))
    done = editview("check", taught(world, tmp_path / "taught"), holding, "--junit", junit)
    assert done.code == 0, done.out
    assert "1 of 1 facts hold" in done.out
    assert ElementTree.parse(junit).getroot().get("failures") == "0"


def taught(world: small.World, folder: Path) -> Path:
    """The small model trained until it knows one fact, saved."""
    lm = open_model(world.checkpoint, Device("cpu", "CPU", 10**10), silent)
    examples = [Example("Thing 1 is made of wood.")]
    fine_tune(lm, small.tune(world.data, steps=80, learning_rate=1e-2, schedule="constant"), examples, seed=0)
    lm.model.save_pretrained(folder)
    lm.tokenizer.save_pretrained(folder)
    return folder


def test_check_tells_what_was_left_out_and_is_not_content_with_the_rest(
    world: small.World, editview: Editview, tmp_path: Path
) -> None:
    junit, sheet = tmp_path / "junit.xml", tmp_path / "sheet.csv"
    sheet.write_text("subject,prompt,target_true\nPeru,Peru is,big\nChad,,\nOman,Peru is,big\n")
    call = ("check", world.folder / "model", sheet, "--junit", junit, "--json")
    said = ["Line 3 has an empty 'prompt'.", "Line 4 has a prompt that doesn't contain its subject: 'Oman' is not in "
            "'Peru is'."]  # fmt: skip
    done = editview(*call)
    assert done.code == 2
    assert done.told["left_out"] == said
    assert all(sentence in done.err for sentence in said)
    root = ElementTree.parse(junit).getroot()
    assert (root.get("tests"), root.get("errors"), root.get("failures")) == ("3", "2", "1")
    assert [error.get("message") for error in root.findall("testsuite/testcase/error")] == said

    done = editview(*call, "--allow-left-out")
    assert done.code == 1  # the fact that was asked doesn't hold
    assert done.told["left_out"] == said
    root = ElementTree.parse(junit).getroot()
    assert (root.get("errors"), root.get("skipped")) == (None, "2")


def test_columns_are_named_in_the_plan_or_on_the_command_line(
    world: small.World, editview: Editview, tmp_path: Path
) -> None:
    sheet, path = tmp_path / "sheet.csv", tmp_path / "plan.toml"
    sheet.write_text("wer,was,wahr\nPeru,Peru is,big\n")
    columns = {"subject": "wer", "prompt": "was", "target_true": "wahr"}
    named = [f"--column={ours}={theirs}" for ours, theirs in columns.items()]
    assert "can't be told" in editview("check", world.folder / "model", sheet).err
    assert editview("check", world.folder / "model", sheet, "--json", *named).told["facts"][0]["prompt"] == "Peru is"
    write_plan(small.plan(world.checkpoint, facts=str(sheet), columns=columns), path)
    assert editview("run", path, "--json").told["facts"][0]["prompt"] == "Peru is"
    assert "can't be told" in editview("run", path, "--facts", sheet).err
    assert editview("run", path, "--facts", sheet, *named).code == 0


def test_how_a_sheet_is_read_is_said_in_the_plan_or_on_the_command_line(
    world: small.World, editview: Editview, tmp_path: Path
) -> None:
    sheet, model = tmp_path / "sheet.csv", world.folder / "model"
    zsre = {"subject": "Peru", "src": "What is Peru?", "answers": ["big"], "alt": "small", "loc": "", "loc_ans": ""}
    sheet.write_text(json.dumps([zsre, zsre | {"alt": "wide"}]))
    assert "--column target_new=answers" in editview("check", model, sheet).err
    said = ("--column=target_new=alt", "--column=contradictions=last")
    done = editview("check", model, sheet, "--json", "--allow-left-out", *said)
    assert [fact["wanted"] for fact in done.told["facts"]] == ["wide"]
    assert "read as zsRE with its 'alt' as the new answers: 1 fact to edit" in done.err
    assert "'small' (record 1) or 'wide' (record 2). 'wide' is used." in done.told["left_out"][0]
    write_plan(small.plan(world.checkpoint, facts=str(sheet), columns={"target_new": "answers"}), tmp_path / "p.toml")
    assert editview("run", tmp_path / "p.toml", "--json").told["facts"][0]["wanted"] == "big"


def test_a_checkpoint_is_opened_as_the_options_say(world: small.World, editview: Editview, tmp_path: Path) -> None:
    model = tmp_path / "model"
    lm = open_model(world.checkpoint, Device("cpu", "CPU", 10**10), silent)
    lm.model.config.save_pretrained(model)
    lm.tokenizer.save_pretrained(model)
    torch.save(lm.model.state_dict(), model / "pytorch_model.bin")
    assert "pickle files only" in editview("check", model, world.sheet_file()).err
    assert editview("check", model, world.sheet_file(), "--allow-pickle").code == 1
    assert "float16 loses too much" in editview("check", "demo", "demo", "--dtype", "float16", "--device", "cpu").err


def test_the_result_is_printed_though_its_file_can_t_be_written(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    junit = tmp_path / "reports" / "junit.xml"

    def and_spoil(*_: object) -> Iterator[list[Check]]:
        junit.parent.rmdir()
        junit.parent.write_text("in the way")
        yield [Check(fact.id, (Answer(fact.prompt, "x", False, 1.0, None),)) for fact in world.sheet]

    monkeypatch.setattr(answers, "check", and_spoil)
    done = editview("check", world.folder / "model", world.sheet_file(), "--junit", junit)
    assert done.code == 2
    assert "0 of 8 facts hold" in done.out
    assert "junit.xml' couldn't be saved" in done.err


def test_nothing_is_asked_when_the_result_can_t_be_written(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("editview.lm.opening.open_model")
    (tmp_path / "file").write_text("x")
    for junit in (tmp_path, tmp_path / "file" / "junit.xml"):
        done = editview("check", world.folder / "model", world.sheet_file(), "--junit", junit)
        assert (done.code, "couldn't be saved" in done.err) == (2, True)


def test_junit_holds_any_text(tmp_path: Path) -> None:
    odd = "[/b] \0\x1b\ud800\ufffe\uffff <&>'\" 🙂"
    facts = (Fact("c", Group.CONTROL, odd, "{} is", odd), Fact("d", Group.CONTROL, odd, "{} is", odd))
    checks = [Check(fact.id, (Answer(odd, odd, False, 1.0, None),)) for fact in facts]
    outcome.write_junit(FactSheet(odd, facts), checks, [odd], False, 1.0, tmp_path / "junit.xml")
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert root.get("name") == "[/b] ����� <&>'\" 🙂"


def test_trace_names_the_layers_that_a_plan_can_take(editview: Editview, tmp_path: Path) -> None:
    controls = read_facts("demo")[0].group(Group.CONTROL)[:6]
    sheet = tmp_path / "controls.json"
    sheet.write_text(json.dumps({"format": 1, "facts": [asdict(fact) for fact in controls]}), "utf-8")
    done = editview("trace", "demo", sheet, "--json", "--device", "cpu", "--seed", "3")
    assert done.code == 0
    assert (done.told["used"], len(done.told["memory"])) == (6, 6)
    assert done.told["suggested"][-1] == done.told["peak"]
    said = editview("trace", "demo", sheet, "--device", "cpu", "--seed", "3")
    assert said.out.startswith("The model seems to look up these facts in layer")
    assert f"layers = {done.told['suggested']}" in said.out


def test_trace_refuses_a_model_that_knows_nothing(world: small.World, editview: Editview) -> None:
    done = editview("trace", world.folder / "model", world.sheet_file())
    assert done.code == 2
    assert "The model knows none of the" in done.err


def test_diff_tells_what_lies_between_two_checkpoints(
    editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = tmp_path / "one"
    small.checkpoint(one)
    assert editview("diff", one, one).out.startswith("Nothing was changed: the weights are identical.\n")
    small.checkpoint(tmp_path / "other", seed=1)
    done = editview("diff", one, tmp_path / "other", "--json")
    assert done.code == 1
    assert done.told["changed"] == sum(not tensor["same"] for tensor in done.told["tensors"]) > 4
    assert sum(tensor["share"] for tensor in done.told["tensors"]) == pytest.approx(1)
    assert all((tensor["spectrum"]["rank"] > 8) for tensor in done.told["tensors"] if len(tensor["shape"]) == 2)
    said = editview("diff", one, tmp_path / "other")
    assert (said.code, "Changed most" in said.out) == (1, True)
    assert said.out.startswith(done.told["update"]["sentence"])
    names = {tensor["name"] for tensor in done.told["tensors"] if not tensor["same"]}
    assert names <= set(said.out.split())  # piped, nothing is cut
    quick = editview("diff", one, tmp_path / "other", "--quick", "--json").told
    assert quick["update"]["kind"] == "unclear"
    assert not any(tensor["spectrum"] for tensor in quick["tensors"])
    assert editview("diff", one, tmp_path / "nowhere").code == 2
    shutil.copytree(one, tmp_path / "set")
    settings = tmp_path / "set" / "config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text("utf-8")) | {"activation_function": "relu"}), "utf-8")
    set_ = editview("diff", one, tmp_path / "set")
    assert (set_.code, "activation_function is gelu_new in the first" in " ".join(set_.out.split())) == (1, True)
    _, quickly, whole, *_, same = editview("runs", "--json").told["runs"]
    assert (whole["kind"], whole["name"], whole["begun_from"]) == ("comparison", "one → other", "command line")
    assert same["sentence"] == "Nothing was changed: the weights are identical."
    for entry, told in ((whole, done.told), (quickly, quick)):
        again = editview("runs", "show", entry["id"], "--json")
        assert (again.code, again.told) == (0, told)
    assert editview("runs", "show", whole["id"]).out == said.out
    listed = " ".join(editview("runs").out.split())
    assert "one → other" in listed
    monkeypatch.chdir(tmp_path)
    assert editview("diff", "one", "other", "--quick").code == 1
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    nearer = editview("runs", "--json").told["runs"][0]
    assert "where it was" not in editview("runs", "show", nearer["id"]).err
    assert "Comparison" in listed
    assert "holds no adapter" in editview("diff", one, one, "--first-adapter", one).err


def again_from(report: Path, editview: Editview, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What a report says, and what the one says that the command in it writes, from another folder."""
    page = read(report.read_text("utf-8"))
    (command,) = page.all("pre")
    program, *arguments = shlex.split(command.text)
    assert program == "editview"
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert editview(*arguments).code == 1 - (arguments[0] == "inspect")
    (written,) = (folder / "elsewhere").iterdir()
    pages = (page, read(written.read_text("utf-8")))
    first, second = ("".join(part.text for tag in ("h1", "section") for part in page.all(tag)) for page in pages)
    return first, second


def test_a_comparison_s_report_names_the_command_that_writes_it_again(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small.checkpoint(tmp_path / "it's one")
    small.checkpoint(tmp_path / "other", seed=1)
    sheet = tmp_path / "a sheet.csv"
    rows = (f"{fact.subject},{fact.template},{fact.true_answer},{fact.new_answer or ''}" for fact in world.sheet)
    sheet.write_text("\n".join(("wer,was,wahr,neu", *rows)), "utf-8")
    columns = [f"--column={one}" for one in ("subject=wer", "prompt=was", "target_true=wahr", "target_new=neu")]
    asked = ("diff", "it's one", "other", "--device", "cpu", "--facts", "a sheet.csv", *columns)
    done = editview(*asked, "--report", "told.html")
    assert (done.code, "The report is in 'told.html'." in done.err) == (1, True), done.err
    assert f"of {len(world.sheet)} facts" in done.out
    assert "still to be made" not in done.out + done.err  # nobody knows what the update was for
    first, second = again_from(tmp_path / "told.html", editview, tmp_path, monkeypatch)
    assert first == second
    assert all(fact.prompt in first for fact in world.sheet)
    monkeypatch.chdir(tmp_path)
    told = editview(*asked, "--json", "--quick").told["asked"]
    assert [fact["id"] for fact in told["facts"]]
    assert all(fact["differs"] for fact in told["facts"] if len(set(fact["answers"])) > 1)
    assert all(sentence in " ".join(first.split()) for sentence in told["sentence"].split(". "))


def test_a_sheet_that_can_t_be_asked_takes_nothing_from_the_comparison(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(workbench, "open_model", broken)
    report = tmp_path / "told.html"
    done = editview("diff", world.checkpoint.source, world.checkpoint.source, "--facts", world.sheet_file(),
                    "--report", report)  # fmt: skip
    assert (done.code, "memory ran out" in done.err) == (2, True)
    assert done.out.startswith("Nothing was changed: the weights are identical.")
    page = read(report.read_text("utf-8"))
    assert not page.all("table", id="facts")
    assert " --facts " not in page.all("pre")[0].text  # it wasn't found


def test_an_inspection_s_report_names_the_command_that_writes_it_again(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "YARDSTICK", 0)
    monkeypatch.chdir(tmp_path)
    small.checkpoint(tmp_path / "one")
    small.checkpoint(tmp_path / "other", seed=1)
    Path("my lands.txt").write_text("\n".join(small.LANDS[3:]), "utf-8")
    asked = ("inspect", "other", "--before", "one", "--subjects", "my lands.txt", "--facts", world.sheet_file())
    done = editview(*asked, "--report", "told.html")
    assert done.code == 0, done.err
    first, second = again_from(tmp_path / "told.html", editview, tmp_path, monkeypatch)
    assert first == second
    assert all(land in first for land in small.LANDS)


def test_what_cannot_be_reported_is_said_before_anything_is_compared(editview: Editview, tmp_path: Path) -> None:
    for command in ("diff", "inspect"):
        done = editview(command, *["nowhere"] * (1 + (command == "diff")), "--report", tmp_path / "told.txt")
        assert (done.code, "an HTML file or a PDF" in done.err) == (2, True)


def test_a_narrow_terminal_still_tells_tensors_apart(
    editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.checkpoint(tmp_path / "one")
    small.checkpoint(tmp_path / "other", seed=1)
    monkeypatch.setenv("COLUMNS", "80")
    lines = editview("diff", tmp_path / "one", tmp_path / "other").out.splitlines()
    assert all(len(line) <= 80 and "…" not in line for line in lines)
    told = [line.partition(")")[0] for line in lines if "(" in line]
    assert any("Layer 2, memory: writing (c_proj" in line for line in told)
    assert len(set(told)) == len(told)


def test_inspect_tells_which_facts_were_touched(
    editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "YARDSTICK", 0)  # the few lands are enough here
    small.checkpoint(tmp_path / "one")
    small.checkpoint(tmp_path / "other", seed=1)
    lands = tmp_path / "lands.txt"
    lands.write_text("\n".join(small.LANDS), "utf-8")
    asked = ("inspect", tmp_path / "other", "--before", tmp_path / "one", "--subjects", lands)
    done = editview(*asked, "--json")
    assert done.code == 0
    assert (done.told["layers"], done.told["candidates"], len(done.told["touched"])) == ([0, 1], 8, 8)
    assert done.told["touched"][0]["differs"]
    said = editview(*asked)
    assert "The memory differs in layers 1 and 2." in said.out
    assert "isn't on the list" in said.err
    same = editview("inspect", tmp_path / "one", "--before", tmp_path / "one")
    assert (same.code, same.out) == (1, "The memory (MLP) of both models is the same, so no fact was edited there.\n")
    assert editview("inspect", tmp_path / "one", "--subjects", tmp_path / "nowhere").code == 2
    *_, first = editview("runs", "--json").told["runs"]
    assert (first["kind"], first["name"], first["steps"]) == ("inspection", "other", "against one")
    assert editview("runs", "show", first["id"], "--json").told == done.told
    assert editview("runs", "show", first["id"]).out == said.out
    assert "is the inspection of other, and no run" in editview("runs", "compare", first["id"], first["id"]).err


def test_stopping_a_check_keeps_nothing_and_claims_nothing(
    world: small.World, editview: Editview, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise Cancelled

    monkeypatch.setattr(answers, "check", stopped)
    done = editview("check", world.folder / "model", world.sheet_file())
    assert (done.code, done.out, done.err) == (130, "", "Stopped.\n")


def test_names_in_square_brackets_are_shown_as_they_are(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    data = small.data(tmp_path / "data [red].jsonl")
    path = plan_file(world, tmp_path / "plan.toml", small.tune(data), name="My [/b] plan [v2]")
    done = editview("run", path)
    assert (done.code, "My [/b] plan [v2]" in done.out, "[red]" in done.out) == (0, True, True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Bar() as bar:
        bar.show(0, 1, "Reading [/b] [v2]")
    assert "Reading [/b] [v2]" in capsys.readouterr().err


def test_a_reader_who_is_gone_ends_it_quietly(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (
        ("--help",),
        ("check", world.folder / "model", world.sheet_file(), "--json"),
        ("run", plan_file(world, tmp_path / "plan.toml", small.tune(world.data))),
    ):
        ours, theirs = os.pipe()
        os.close(ours)
        with os.fdopen(theirs, "w") as nobody, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", nobody)
            done = editview(*arguments)
        assert done.code == 141, (arguments, done.err)
        assert "rror" not in done.err


def test_a_terminal_that_knows_few_signs_gets_what_it_can_show(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet, narrow = tmp_path / "sheet.csv", io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    sheet.write_text("subject,prompt,target_true\nŁódź,Łódź is,日本\n", "utf-8")
    plan = plan_file(world, tmp_path / "plan.toml", name="Łódź")
    monkeypatch.setattr(sys, "stdout", narrow)
    for arguments in (("check", world.folder / "model", sheet), ("run", plan, "--json"), ("run", plan)):
        assert editview(*arguments).code in (0, 1)
    assert b"\\u0141\\xf3d\\u017a is" in narrow.buffer.getvalue()  # type: ignore[attr-defined]


def test_whatever_goes_wrong_is_a_sentence_and_its_details_are_kept(
    editview: Editview, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("editview.cli.check.read_facts", broken)
    done = editview("check", "demo", "demo")
    assert done.code == 2
    assert done.err.splitlines()[-1] == f"Details: {home / 'logs' / 'last-error.txt'}"
    assert "ZeroDivisionError" in (home / "logs" / "last-error.txt").read_text()
    (home / "logs" / "last-error.txt").unlink()
    (home / "logs").rmdir()
    (home / "logs").write_text("a file in the way")
    done = editview("check", "demo", "demo")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("The details are lost: ")


def test_details_stand_below_the_sentence_or_in_a_file_when_they_are_long(
    editview: Editview, tmp_path: Path, home: Path
) -> None:
    plan, sheet = tmp_path / "plan.toml", tmp_path / "sheet.csv"
    plan.write_text('editview = 1\nseed = "x"\nfoo = 1\n\n[checkpoint]\nsorce = "y"\n')
    lines = editview("run", plan).err.splitlines()
    assert lines[0].endswith("There are 2 more mistakes.")
    assert [line.split(" of ")[0] for line in lines[1:]] == ["Line 2", "Line 3", "Line 6"]
    plan.write_text('editview = 1\nseed = "x"\n')
    assert len(editview("run", plan).err.splitlines()) == 1  # nothing is said twice
    sheet.write_text("subject,prompt,target_true\n" + "Peru,,big\n" * 50)
    lines = editview("check", "demo", sheet).err.splitlines()
    assert lines[1:] == [f"Details: {home / 'logs' / 'last-error.txt'}"]
    assert len((home / "logs" / "last-error.txt").read_text().splitlines()) == 50


def test_bad_input_is_a_sentence_and_exit_code_2(world: small.World, editview: Editview, tmp_path: Path) -> None:
    broken, nothing = tmp_path / "broken.toml", tmp_path / "facts.json"
    broken.write_text("editview = 1\nseed = = 3\n")
    nothing.write_text("{}")
    model, sheet = world.folder / "model", world.sheet_file()
    for arguments, words in (
        (("run", tmp_path / "missing.toml"), "no file"),
        (("run", broken), "Line 2"),
        (("check", tmp_path / "nowhere", sheet), "no folder"),
        (("check", model, nothing), "facts.json"),
        (("check", model, tmp_path / "none.csv"), "no file"),
        (("check", model, sheet, "--device", "abacus"), "no device 'abacus'"),
        (("check", model, sheet, "--junit", "/proc/nowhere/junit.xml"), "couldn't be saved"),
    ):
        done = editview(*arguments)
        assert done.code == 2, (arguments, done.err)
        assert words in done.err, (arguments, done.err)


def test_the_window_s_jobs_compute_the_same_bits(
    world: small.World, editview: Editview, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plan_file(world, tmp_path / "plan.toml", small.edit(world.text), small.lora(world.data))
    assert editview("run", path, "--device", "cpu").code == 0
    monkeypatch.setenv("EDITVIEW_HOME", str(tmp_path / "window"))
    events: queue.Queue[Event] = queue.Queue()
    jobs = Jobs(events.put)
    jobs.send(ChooseDevice("cpu"))
    jobs.send(RunPlan(read_plan(path), read_facts(str(world.sheet_file()))[0]))
    while not isinstance(event := events.get(timeout=60), RunFinished):
        assert not isinstance(event, Failed | RunFailed), event
    jobs.close()
    first, second = StageStore(home / "stages"), StageStore(tmp_path / "window" / "stages")
    keys = {folder.name for folder in first.root.iterdir()}
    assert keys == {folder.name for folder in second.root.iterdir()}
    assert len(keys) == 3
    assert all(small.same(first.weights(key), second.weights(key)) for key in keys)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_the_window_says_what_to_do_instead() -> None:
    """In a process of its own: where a test has opened a window before, there is a display."""
    without = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    there = {name: value for name, value in os.environ.items() if name not in without}
    for arguments in ((), ("some-plan.toml",)):
        command = [sys.executable, "-m", "editview", *arguments]
        done = subprocess.run(command, env=there, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert "editview run demo" in done.stderr


def test_interference_carries_the_plan_out_and_says_what_it_found(
    world: small.World, editview: Editview, tmp_path: Path
) -> None:
    edit = LocalFineTune(id="edit", layers=(1,), learning_rate=1e-2, epochs=60)  # it takes even in nonsense
    path = plan_file(world, tmp_path / "plan.toml", edit, small.tune(world.data))
    done = editview("interference", path, "--json", "--device", "cpu")
    assert done.code == 0, done.err
    assert [one["layer"] for one in done.told["layers"] if one["edited"]] == [1]
    assert done.told["kept"] + done.told["lost"] > 0
    said = editview("interference", path, "--step", "2", "--device", "cpu")
    assert said.out.startswith(done.told["headline"])
    assert done.told["weights"] in said.out
    assert "2*" in said.out


def test_interference_says_what_is_missing(world: small.World, editview: Editview, tmp_path: Path) -> None:
    path = plan_file(world, tmp_path / "plan.toml", small.tune(world.data))
    done = editview("interference", path, "--device", "cpu")
    assert done.code == 2
    assert "no fine-tune after an edit" in done.err
    assert "A seed is" in editview("interference", path, "--seed", "-1").err


# ---- export --------------------------------------------------------------------------------------------------------


def test_a_stage_is_exported_and_nothing_kept_is_computed_again(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    original = workbench.carry_out

    def counted(lm: Any, prepared: Any, *rest: Any) -> Any:
        computed.append(prepared.operation.method)
        return original(lm, prepared, *rest)

    monkeypatch.setattr(workbench, "carry_out", counted)
    path = plan_file(world, tmp_path / "plan.toml", small.edit(world.text), small.tune(world.data))
    first = editview("export", path, "--out", tmp_path / "one", "--stage", 1, "--device", "cpu", "--json")
    assert first.code == 0, first.err
    assert first.told["title"] == "Edit 3 facts"
    assert (first.told["folder"], first.told["form"], first.told["off"]) == (str(tmp_path / "one"), "checkpoint", 0)
    last = editview("export", path, "--out", tmp_path / "last", "--device", "cpu")
    assert "Fine-tune on tickets was written to" in last.out
    assert "all 8 facts have the verdicts they had. Every weight is what was computed" in last.out
    adapter = editview("export", path, "--out", tmp_path / "adapter", "--stage", 1, "--adapter", "--device", "cpu")
    assert adapter.code == 0, adapter.err
    again = editview("export", tmp_path / "one" / PLAN_FILE, "--out", tmp_path / "again", "--stage", 1, "--json")
    assert again.code == 0, again.err
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "again")]
    assert weights[0] == weights[1]
    assert computed == ["memit", "full"]

    asked = editview("check", tmp_path / "one", world.sheet_file(), "--json").told
    told = json.loads((tmp_path / "one" / "editview.json").read_text())
    assert [fact["verdict"] for fact in asked["facts"]] == [fact["verdict"] for fact in told["facts"]]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--stage", "3"], "has no stage 3"),
        (["--adapter"], "A fine-tune of all"),
        ([], "no export of EditView"),
    ],
)
def test_what_cannot_be_exported_is_said_before_anything_is_computed(
    world: small.World, editview: Editview, tmp_path: Path, home: Path, more: list[str], says: str
) -> None:
    path = plan_file(world, tmp_path / "plan.toml", small.tune(world.data))
    done = editview("export", path, "--out", tmp_path / "out" if more else tmp_path, *more)
    assert done.code == 2
    assert says in done.err
    assert not (tmp_path / "out").exists()
    assert not (home / "stages").exists()


def test_a_run_that_fails_exports_nothing(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(workbench, "carry_out", broken)
    path = plan_file(world, tmp_path / "plan.toml", small.tune(world.data))
    done = editview("export", path, "--out", tmp_path / "out", "--device", "cpu")
    assert done.code == 1
    assert "memory ran out" in done.err
    assert not (tmp_path / "out").exists()


def test_a_report_is_written_and_nothing_kept_is_computed_again(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plan_file(world, tmp_path / "plan.toml", small.edit(world.text), small.tune(world.data))
    assert editview("run", path, "--device", "cpu").code == 0

    def nothing(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(workbench, "carry_out", nothing)
    monkeypatch.setattr(workbench, "open_model", nothing)
    done = editview("report", path, "--device", "cpu", "--out", tmp_path / "told" / "report.html")
    assert done.code == 0, done.err
    assert "Written to" in done.out
    page = (tmp_path / "told" / "report.html").read_text("utf-8")
    assert all(fact.prompt in page for fact in world.sheet)


def test_a_report_that_can_t_be_written_is_said_before_anything_is_computed(
    world: small.World, editview: Editview, tmp_path: Path, home: Path
) -> None:
    path = plan_file(world, tmp_path / "plan.toml", small.edit(world.text))
    done = editview("report", path, "--out", path)
    assert done.code == 2
    assert "call it 'plan.html'" in done.err
    (tmp_path / "in-the-way.html").mkdir()
    assert "couldn't be saved" in editview("report", path, "--out", tmp_path / "in-the-way.html").err
    assert not (home / "stages").exists()


def test_a_run_that_fails_leaves_the_earlier_report(
    world: small.World, editview: Editview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(workbench, "carry_out", broken)
    (tmp_path / "report.html").write_text("earlier")
    path = plan_file(world, tmp_path / "plan.toml", small.tune(world.data))
    assert editview("report", path, "--out", tmp_path / "report.html", "--device", "cpu").code == 1
    assert (tmp_path / "report.html").read_text() == "earlier"


def test_two_orders_are_told_in_one_report(world: small.World, editview: Editview, tmp_path: Path) -> None:
    steps = small.edit(world.text), small.tune(world.data)
    first = plan_file(world, tmp_path / "first.toml", *steps)
    second = plan_file(world, tmp_path / "second.toml", *steps[::-1])
    done = editview("report", first, second, "--device", "cpu", "--out", tmp_path / "report.html")
    assert done.code == 0, done.err
    assert "Fine-tune → Edit: " in done.out
    assert "Two orders of the same steps" in (tmp_path / "report.html").read_text("utf-8")
    edit_alone = plan_file(world, tmp_path / "other.toml", steps[0])
    done = editview("report", first, edit_alone, "--device", "cpu", "--out", tmp_path / "any.html")
    assert done.code == 0, done.err
    assert "Two runs side by side" in (tmp_path / "any.html").read_text("utf-8")
    done = editview("report", first, first, "--out", tmp_path / "none.html")
    assert done.code == 2
    assert "the same steps in the same order" in done.err
    done = editview("report", first, "demo", "--out", tmp_path / "none.html")
    assert done.code == 2
    assert "no fact in common" in done.err
    assert not (tmp_path / "none.html").exists()


def test_two_runs_of_the_list_are_compared_and_told_in_a_report(
    world: small.World, editview: Editview, tmp_path: Path
) -> None:
    steps = small.edit(world.text), small.tune(world.data)
    for name, some in (("one", steps), ("two", steps[:1])):
        assert editview("run", plan_file(world, tmp_path / f"{name}.toml", *some), "--device", "cpu").code == 0
    entries = editview("runs", "--json").told["runs"]
    second, first = (entry["id"] for entry in entries)
    done = editview("runs", "compare", first[:6], second, "--out", tmp_path / "report.html")
    assert done.code == 0, done.err
    told = editview("runs", "compare", first, second, "--json").told
    assert told["sentence"] in " ".join(done.out.split())
    assert told["names"] == ["Edit → Fine-tune", "Edit"]
    assert "with itself" in editview("runs", "compare", first, first).err
    assert len(told["facts"]) == len(world.sheet)
    assert "Two runs side by side" in (tmp_path / "report.html").read_text("utf-8")
    again = editview("runs", "show", first, "--json")
    assert again.err.startswith("This is Small plan as of today")
    assert again.told["facts"] == editview("run", tmp_path / "one.toml", "--device", "cpu", "--json").told["facts"]
    assert editview("runs", "show", first).out.endswith(f"{entries[1]['sentence']}\n")
    bad = editview("runs", "compare", first, second, "--out", tmp_path / "report.txt")
    assert (bad.code, "an HTML file or a PDF" in bad.err) == (2, True)
    assert editview("runs", "compare", first, "zzz").code == 2
