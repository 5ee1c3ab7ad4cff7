"""Telling files apart, and the dialogs that ask for one more word before something is opened."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.errors import EditViewError
from editview.domain.events import (
    CheckpointDescribed,
    EngineLoading,
    FactsOpened,
    FactsPreviewed,
    Failed,
    Noted,
    PlanOpened,
)
from editview.domain.left_out import Keep, LeftOut, Why
from editview.domain.plan import Checkpoint, Plan
from editview.domain.requests import DescribeCheckpoint, DownloadCheckpoint, OpenFacts, OpenPlan, PreviewFacts, Request
from editview.domain.run_events import RunFailed
from editview.formats.plans import demo_plan
from editview.lm.headers import read_header
from editview.ui.hub import Hub
from editview.ui.opening.checkpoint_dialog import CheckpointDialog
from editview.ui.opening.csv_dialog import CsvDialog
from editview.ui.opening.left_out_dialog import LeftOutDialog
from editview.ui.opening.new_answer_dialog import NewAnswerDialog
from editview.ui.opening.opening import Opening
from editview.ui.opening.recognise import Kind, cached_models, recognise
from editview.ui.problem import Problem
from tests import sample


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("plan.toml", "", Kind.PLAN),
        ("facts.CSV", "", Kind.SHEET),
        ("edits.json", '[{"example_type": "recent", "edit": {"prompt": "X is Y.", "subject_id": "Q1"}}]', Kind.SHEET),
        ("biography.jsonl", '{"text": "X", "labels": "Y", "concept": "Z"}', Kind.SHEET),
        ("table.txt", '"Subject";prompt\r\nX;Y', Kind.SHEET),
        ("prose.txt", "The subject, said Ada, is closed.", Kind.DATA),
        ("counterfact.json", '[{"requested_rewrite": {"subject": "X"}}]', Kind.SHEET),
        ("chat.jsonl", '{"messages": []}', Kind.DATA),
        ("facts.jsonl", '{"subject": "X"}', Kind.SHEET),
        ("book.txt", "Once", Kind.DATA),
        ("model.safetensors", "", Kind.CHECKPOINT),
        ("picture.png", "", Kind.UNKNOWN),
    ],
)
def test_files_are_told_apart(tmp_path: Path, name: str, content: str, kind: Kind) -> None:
    (tmp_path / name).write_text(content)
    assert recognise(tmp_path / name) is kind


def test_folders_are_checkpoints_or_adapters(tmp_path: Path) -> None:
    assert recognise(tmp_path) is Kind.CHECKPOINT
    (tmp_path / "adapter_config.json").write_text("{}")
    assert recognise(tmp_path) is Kind.ADAPTER


def test_models_in_the_cache_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (tmp_path / "models--openai--small").mkdir()
    (tmp_path / "datasets--x--y").mkdir()
    assert cached_models() == ["openai/small"]
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nowhere"))
    assert cached_models() == []


def info(checkpoint: Checkpoint, reason: str | None = None) -> CheckpointInfo:
    return CheckpointInfo(checkpoint, "Mine", "Llama", 10**9, 2 * 10**9, "bfloat16", 16, (), "CPU", True, reason)


def test_a_checkpoint_is_described_before_it_can_be_used(qtbot: QtBot) -> None:
    sent: list[Request] = []
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    dialog = CheckpointDialog(hub, Checkpoint(source="/models/mine"))
    qtbot.addWidget(dialog)
    dialog.show()
    chosen = Checkpoint(source="/models/mine")
    assert sent == [DescribeCheckpoint(chosen)]
    assert not dialog.use.isEnabled()
    hub.take([CheckpointDescribed(info(Checkpoint(source="another")))])
    assert not dialog.use.isEnabled()
    hub.take([CheckpointDescribed(info(chosen))])
    assert dialog.use.isEnabled()
    assert "1.0 billion parameters in 16 layers" in dialog.described.accessibleName()
    dialog.source.setEditText("owner/name")
    assert not dialog.use.isEnabled()
    qtbot.waitUntil(lambda: len(sent) == 2)
    hub.take([Failed(1, "That was an older question.")])
    assert dialog.described.accessibleName() == "Reading what it is…"
    hub.take([Failed(2, "It isn't in the cache of this machine.")])
    assert dialog.described.accessibleName() == "It isn't in the cache of this machine."
    dialog.download.click()
    assert sent[-1] == DownloadCheckpoint(Checkpoint(source="owner/name"))
    hub.take([EngineLoading("Downloading: 40 %")])
    assert dialog.described.accessibleName() == "Downloading: 40 %."
    hub.take([Noted("*owner/name* is on this machine now."), EngineLoading("")])
    assert sent[-1] == DescribeCheckpoint(Checkpoint(source="owner/name"))
    hub.take([CheckpointDescribed(info(dialog.checkpoint))])
    dialog.accept()
    assert dialog.checkpoint == Checkpoint(source="owner/name")


def test_pickles_are_allowed_for_the_very_checkpoint_that_was_refused(qtbot: QtBot, tmp_path: Path) -> None:
    sent: list[Request] = []
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(EditViewError) as refused:
        read_header(tmp_path, "model", allow_pickle=False)
    dialog = CheckpointDialog(hub, Checkpoint(source=str(tmp_path)))
    qtbot.addWidget(dialog)
    dialog.show()
    pickle, code = dialog.allowed["allow_pickle"], dialog.allowed["allow_code"]
    assert not pickle.isVisible()
    solved: list[object] = []
    hub.solved.connect(solved.append)
    hub.take([Failed(1, str(refused.value))])
    assert (pickle.isVisible(), code.isVisible(), dialog.download.isVisible()) == (True, False, False)
    assert len(solved) == 1  # told here, not behind the dialog
    pickle.click()
    allowed = Checkpoint(source=str(tmp_path), allow_pickle=True)
    assert sent[-1] == DescribeCheckpoint(allowed)
    hub.take([CheckpointDescribed(info(allowed))])
    assert dialog.use.isEnabled()
    assert dialog.checkpoint == allowed
    dialog.source.setEditText("another/model")
    assert dialog.checkpoint == Checkpoint(source="another/model")
    assert not pickle.isVisible()


def test_only_what_is_no_folder_is_offered_to_be_downloaded(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad" / "model").mkdir(parents=True)
    hub = Hub(sample.plan(), lambda request: 1)
    for source, offered in (("bad/model", False), ("good/model", True)):
        dialog = CheckpointDialog(hub, Checkpoint(source=source))
        qtbot.addWidget(dialog)
        dialog.show()
        hub.take([Failed(1, "It can't be opened.")])
        assert dialog.download.isVisible() is offered


def test_a_download_can_be_stopped(qtbot: QtBot) -> None:
    stops: list[int] = []
    numbers = itertools.count(1)
    hub = Hub(sample.plan(), lambda request: next(numbers), stop=stops.append)
    dialog = CheckpointDialog(hub, Checkpoint(source="owner/name"))
    qtbot.addWidget(dialog)
    hub.take([Failed(1, "It isn't in the cache.")])
    dialog.download.click()
    assert not dialog.source.isEnabled()
    hub.take([RunFailed("another", "A run beside it failed.")])
    dialog.download.click()
    assert stops == [2]
    assert dialog.source.isEnabled()
    dialog.download.click()
    dialog.reject()
    assert stops == [2, 3]


def test_a_model_on_the_hub_whose_weights_are_pickled_can_be_allowed(qtbot: QtBot) -> None:
    sent: list[Request] = []
    hub = Hub(sample.plan(), lambda request: sent.append(request) or len(sent))
    dialog = CheckpointDialog(hub, Checkpoint(source="owner/name"))
    qtbot.addWidget(dialog)
    dialog.show()
    hub.take([Failed(1, "It isn't in the cache.")])
    dialog.download.click()
    hub.take([Failed(2, "It has pickled weights alone. Choose another, or allow pickled weights for this one.")])
    dialog.allowed["allow_pickle"].click()
    hub.take([Failed(3, "It isn't in the cache.")])
    dialog.download.click()
    assert sent[-1] == DownloadCheckpoint(Checkpoint(source="owner/name", allow_pickle=True))


def test_columns_are_named_with_what_can_be_told_filled_in(qtbot: QtBot) -> None:
    preview = FactsPreviewed(
        "x.csv", ("who", "sentence", "was", "becomes"), (("France", "The capital of {} is", "Paris", "Lyon"),),
        (("prompt", "sentence"),),
    )  # fmt: skip
    dialog = CsvDialog(preview)
    qtbot.addWidget(dialog)
    assert not dialog.go.isEnabled()
    assert dialog.sentence.accessibleName() == "Which column holds the subject and the true answer?"
    for ours, theirs in (("subject", "who"), ("target_true", "was"), ("target_new", "becomes")):
        dialog.choices[ours].setCurrentText(theirs)
    assert dialog.go.isEnabled()
    assert dict(dialog.columns) == {
        "subject": "who", "prompt": "sentence", "target_true": "was", "target_new": "becomes"
    }  # fmt: skip
    item = dialog.table.item(0, 3)
    assert item is not None
    assert item.text() == "Lyon"
    next(action for action in dialog.table.actions() if action.text() == "Copy rows").trigger()
    assert QGuiApplication.clipboard().text().splitlines()[1] == "France\tThe capital of {} is\tParis\tLyon"


class Answering:
    """Takes requests as the jobs do, and agrees to each dialog on how a sheet is read, once `touch` had its hand in."""

    def __init__(self, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
        self.sent: list[Request] = []
        self.dialogs: list[Any] = []
        self.touch: Callable[[Any], object] = lambda dialog: None
        self.hub = Hub(plan, self.send)
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.opening = Opening(self.hub, self.window)
        for kind in (CsvDialog, NewAnswerDialog, LeftOutDialog):
            monkeypatch.setattr(kind, "exec", lambda *_, kind=kind: self.dialogs_exec(kind))

    def send(self, request: Request) -> int:
        self.sent.append(request)
        return len(self.sent)

    def dialogs_exec(self, kind: type[QDialog]) -> bool:
        dialog = self.window.findChildren(kind)[-1]
        self.dialogs.append(dialog)
        self.touch(dialog)
        return True


PREVIEW = FactsPreviewed("", ("Name", "Satz", "Alt"), (), (("subject", "Name"),))
ZSRE = FactsPreviewed(
    "", ("subject", "src", "answers", "alt"), (("Moss", "Which family is Moss of?", "Right", "Wrong"),), (),
    ("answers", "alt"),
)  # fmt: skip


def with_facts(path: Path, **columns: str) -> Plan:
    path.touch()
    return sample.plan().model_copy(update={"facts": str(path), "columns": columns})


def test_a_plans_table_with_unknown_columns_asks_for_their_names(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "odd.csv"
    at = Answering(qtbot, monkeypatch, with_facts(table, subject="Wer", prompt="Satz", contradictions="last"))
    at.hub.look_up()
    at.hub.take([Failed(len(at.sent), "There is no column called 'Wer'.")])
    assert at.sent[-1] == PreviewFacts(str(table), in_doubt=True)
    at.hub.take([replace(PREVIEW, source=str(table))])
    assert dict(at.dialogs[0].columns) == {"prompt": "Satz"}  # what is still right is filled in
    assert at.sent[-1] == OpenFacts(str(table), (("prompt", "Satz"), ("contradictions", "last")))


def test_a_table_that_fails_for_another_reason_asks_nothing(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "fine.csv"
    at = Answering(qtbot, monkeypatch, with_facts(table))
    at.hub.look_up()
    at.hub.take([Failed(len(at.sent), "None of the facts can be used.")])
    known = (("subject", "Name"), ("prompt", "Satz"), ("target_true", "Alt"))
    at.hub.take([replace(PREVIEW, source=str(table), suggested=known)])
    assert not at.dialogs
    at.opening.choose_reading()
    at.hub.take([replace(PREVIEW, source=str(table), suggested=known)])
    assert len(at.dialogs) == 1


def test_a_sheet_of_which_nothing_is_to_be_said_is_opened_at_once(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sheet = tmp_path / "facts.csv"  # of a name that says something else
    at = Answering(qtbot, monkeypatch, with_facts(sheet))
    notes: list[str] = []
    at.hub.noted.connect(notes.append)
    nothing = FactsPreviewed(str(sheet), (), (), ())
    at.opening.open_path(sheet)
    assert at.sent == [PreviewFacts(str(sheet))]
    at.hub.take([nothing])
    assert at.sent[-1] == OpenFacts(str(sheet))
    at.hub.take([nothing])  # which nobody asked for
    at.opening.choose_reading()
    at.hub.take([nothing])
    assert len(at.sent) == 3
    assert notes == ["Each field of this sheet says what it is: there is nothing to choose."]
    assert not at.dialogs


def test_which_answer_of_zsre_is_the_new_one_is_asked_and_goes_into_the_plan(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sheet = tmp_path / "zsre.json"
    sheet.write_text('[{"subject": "Moss"}]')
    at = Answering(qtbot, monkeypatch, sample.plan())
    at.touch = lambda dialog: dialog.choices["alt"].click()
    at.opening.open_path(sheet)
    at.hub.take([replace(ZSRE, source=str(sheet))])
    assert at.sent[-1] == OpenFacts(str(sheet), (("target_new", "alt"),))
    at.hub.take([FactsOpened(str(sheet), sample.sheet())])
    assert (at.hub.plan.facts, at.hub.plan.columns) == (str(sheet), {"target_new": "alt"})
    at.touch = lambda dialog: None
    at.opening.choose_reading()
    at.hub.take([replace(ZSRE, source=str(sheet))])
    assert at.dialogs[-1].columns == (("target_new", "alt"),)  # as it was chosen before


def test_a_plan_that_does_not_say_which_answer_is_new_asks(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sheet = tmp_path / "zsre.json"
    at = Answering(qtbot, monkeypatch, with_facts(sheet))
    at.touch = lambda dialog: dialog.choices["answers"].click()
    at.hub.look_up()
    at.hub.take([Failed(len(at.sent), "Say which.")])
    assert at.sent[-1] == PreviewFacts(str(sheet), in_doubt=True)
    at.hub.take([replace(ZSRE, source=str(sheet))])
    assert at.sent[-1] == OpenFacts(str(sheet), (("target_new", "answers"),))


def test_both_answers_of_the_first_record_are_shown_and_neither_is_chosen_in_advance(qtbot: QtBot) -> None:
    dialog = NewAnswerDialog(ZSRE)
    qtbot.addWidget(dialog)
    assert [choice.text() for choice in dialog.choices.values()] == ["“Right”", "“Wrong”"]
    assert (dialog.columns, dialog.go.isEnabled()) == ((), False)
    dialog.choices["answers"].click()
    assert (dialog.columns, dialog.go.isEnabled()) == ((("target_new", "answers"),), True)
    dialog.choices["alt"].click()
    assert dialog.columns == (("target_new", "alt"),)


LEFT_OUT = (
    LeftOut("Record 2", Why.SAME, "is to be edited, but the new answer is the true one"),
    LeftOut("Record 3", Why.CONTRADICTS, "contradicts another edit"),
    LeftOut("Record 5", Why.PART, "has 1 neighbour without an answer"),
    LeftOut("Record 7", Why.CONTRADICTS, "contradicts another edit"),
)


def test_what_was_left_out_is_listed_by_reason_and_saved(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = LeftOutDialog(LEFT_OUT, Keep.NONE)
    qtbot.addWidget(dialog)
    assert [dialog.reasons.itemText(i) for i in range(dialog.reasons.count())] == [
        "All reasons (4)", f"{Why.CONTRADICTS} (2)", f"{Why.SAME} (1)", f"{Why.PART} (1)",
    ]  # fmt: skip
    listed = [line.split()[1] for line in dialog.text.toPlainText().splitlines() if line.startswith("Record")]
    assert listed == ["3", "7", "2", "5"]
    dialog.reasons.setCurrentIndex(2)
    assert dialog.text.toPlainText().splitlines() == [
        "THE NEW ANSWER IS THE TRUE ONE", "Record 2 is to be edited, but the new answer is the true one."
    ]  # fmt: skip
    place = tmp_path / "left-out.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(place), ""))
    next(button for button in dialog.findChildren(QPushButton) if button.text() == "Save…").click()
    assert place.read_text().splitlines() == [
        "record,kind of reason,what is said",
        f'Record 2,{Why.SAME},"Record 2 is to be edited, but the new answer is the true one."',
    ]
    dialog.show()
    assert dialog.choice.isVisible()
    assert not dialog.again.isEnabled()
    dialog.choice.setCurrentIndex(1)
    assert dialog.again.isEnabled()
    other = LeftOutDialog(LEFT_OUT[:1], Keep.NONE)
    qtbot.addWidget(other)
    other.show()
    assert not other.choice.isVisible()  # nothing contradicts, nothing to choose


def test_what_is_kept_of_contradictory_edits_is_chosen_and_remembered_with_the_plan(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sheet = tmp_path / "zsre.json"
    at = Answering(qtbot, monkeypatch, with_facts(sheet, target_new="alt"))
    at.hub.take([FactsOpened(str(sheet), sample.sheet(), LEFT_OUT)])
    at.touch = lambda dialog: dialog.choice.setCurrentIndex(2)
    at.opening.show_left_out()
    chosen = {"target_new": "alt", "contradictions": "last"}
    assert at.sent[-1] == OpenFacts(str(sheet), tuple(chosen.items()))
    at.hub.take([FactsOpened(str(sheet), sample.sheet(), LEFT_OUT)])
    assert at.hub.plan.columns == chosen
    at.touch = lambda dialog: dialog.choice.setCurrentIndex(0)
    at.opening.show_left_out()
    assert at.dialogs[-1].keep is Keep.NONE
    at.hub.take([FactsOpened(str(sheet), sample.sheet(), LEFT_OUT)])
    assert at.hub.plan.columns == {"target_new": "alt"}
    at.hub.undo()
    assert at.hub.plan.columns == chosen


def test_what_is_not_there_is_told_as_such(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    at = Answering(qtbot, monkeypatch, sample.plan())
    told: list[Problem] = []
    at.hub.problem.connect(told.append)
    at.opening.open_paths([Path("/nope/folder"), Path("/nope/facts.csv")])
    assert [problem.sentence.split(".")[0] for problem in told] == [
        "There is no '/nope/folder'", "There is no '/nope/facts"
    ]  # fmt: skip
    assert not at.sent


def test_a_plan_is_saved_under_a_name_that_every_system_takes(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    at = Answering(qtbot, monkeypatch, sample.plan().model_copy(update={"name": "Demo: edit / then <tune>?"}))
    offered: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *words: (offered.append(words[2]), ("", ""))[1])
    at.opening.save_plan_as()
    at.hub.change_plan(at.hub.plan.model_copy(update={"name": "???"}))
    at.opening.save_plan_as()
    assert offered == ["Demo edit  then tune.editview.toml", "plan.editview.toml"]


def test_the_demo_is_opened_like_any_plan_and_never_overwritten(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    at = Answering(qtbot, monkeypatch, sample.plan())
    at.opening.open_demo()
    (request,) = at.sent
    assert isinstance(request, OpenPlan)
    at.hub.take([PlanOpened(request.path, demo_plan())])
    assert at.hub.history.path is None
    at.hub.undo()
    assert at.hub.plan == sample.plan()
