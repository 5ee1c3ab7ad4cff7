"""The hub: events in, one word out to each panel, requests for what has to be looked up."""

from __future__ import annotations

import itertools

import pytest
from pytestqt.qtbot import QtBot

from editview.domain.checkpoint import CheckpointInfo
from editview.domain.events import CheckpointDescribed, FactsOpened, Failed, Forecast, PlanOpened, PlanSaved
from editview.domain.operations import Lora
from editview.domain.plan import Checkpoint
from editview.domain.requests import (
    DescribeCheckpoint,
    DownloadCheckpoint,
    ForecastPlan,
    OpenFacts,
    Request,
    RunPlan,
)
from editview.domain.run_events import RunFailed, RunStarted, StageStarted
from editview.ui.hub import Hub
from tests import sample


@pytest.fixture
def sent() -> list[Request]:
    return []


@pytest.fixture
def hub(qapp: object, sent: list[Request]) -> Hub:
    return Hub(sample.plan(), sent.append)


def info(source: str) -> CheckpointInfo:
    return CheckpointInfo(
        Checkpoint(source=source), source, "GPT-2", 3_000_000, 12_000_000, "float32", 4, (), "CPU", True, None
    )


def test_each_signal_comes_once_for_a_batch_of_events(hub: Hub, qtbot: QtBot) -> None:
    started, *rest = sample.events(sample.plan(), sample.sheet())
    hub.take([started])
    told: list[object] = []
    hub.checks_changed.connect(told.append)
    hub.live_changed.connect(lambda stage: told.append(("live", stage)))
    hub.run_changed.connect(lambda: told.append("run"))
    hub.take(rest)
    assert told == [{0, 1, 2}, ("live", 2), "run"]
    assert not hub.running


def test_a_change_of_the_plan_asks_for_what_it_needs(hub: Hub, sent: list[Request]) -> None:
    sheet = sample.sheet()
    hub.take([FactsOpened("demo", sheet)])
    sent.clear()
    hub.change_plan(hub.plan.added(Lora()))
    assert sent == [ForecastPlan(hub.plan, sheet)]
    hub.change_plan(hub.plan.model_copy(update={"checkpoint": Checkpoint(source="mine")}))
    assert DescribeCheckpoint(Checkpoint(source="mine")) in sent
    sent.clear()
    hub.change_plan(hub.plan.model_copy(update={"facts": "mine.csv"}))
    assert sent == [OpenFacts("mine.csv")]


def test_a_plan_with_another_sheet_never_runs_on_the_one_before(hub: Hub, sent: list[Request]) -> None:
    hub.take([FactsOpened("demo", sample.sheet())])
    told: list[object] = []
    hub.sheet_changed.connect(lambda: told.append(hub.sheet))
    hub.take([PlanOpened("a.toml", sample.plan().model_copy(update={"facts": "missing.json"}))])
    assert told == [None]
    hub.start_run()
    hub.take([FactsOpened("demo", sample.sheet())])  # late: the plan before asked for it
    hub.start_run()
    assert not any(isinstance(request, RunPlan) for request in sent)
    assert hub.plan.facts == "missing.json"
    hub.undo()
    assert sent[-1] == OpenFacts("demo")


def test_named_columns_are_the_plans_and_leave_with_the_sheet(hub: Hub, sent: list[Request]) -> None:
    columns = {"subject": "Name", "prompt": "Satz", "target_true": "Alt"}
    hub.open_facts("odd.csv", tuple(columns.items()))
    assert sent == [OpenFacts("odd.csv", tuple(columns.items()))]
    assert hub.plan.facts == "demo"  # until it has been read
    hub.take([FactsOpened("odd.csv", sample.sheet())])
    assert (hub.plan.facts, hub.plan.columns) == ("odd.csv", columns)
    hub.undo()
    assert (hub.plan.facts, hub.plan.columns) == ("demo", {})
    hub.redo()
    assert sent[-1] == OpenFacts("odd.csv", tuple(columns.items()))
    hub.change_plan(hub.plan.model_copy(update={"columns": {**columns, "target_new": "Neu"}}))
    assert sent[-1] == OpenFacts("odd.csv", (*columns.items(), ("target_new", "Neu")))
    hub.open_facts("plain.json")
    hub.take([FactsOpened("plain.json", sample.sheet())])
    assert hub.plan.columns == {}


def test_a_forecast_of_another_plan_is_dropped(hub: Hub) -> None:
    other = hub.plan.added(Lora())
    hub.take([Forecast(other, (False,) * 3, (1.0,) * 3, 3.0, 1, 2)])
    assert hub.forecast is None
    hub.take([Forecast(hub.plan, (False, False), (1.0, 1.0), 2.0, 1, 2)])
    assert hub.forecast is not None


def test_a_checkpoint_only_looked_at_is_not_the_plans(hub: Hub) -> None:
    seen: list[object] = []
    hub.described.connect(seen.append)
    hub.take([CheckpointDescribed(info("other"))])
    assert hub.checkpoint is None
    hub.take([CheckpointDescribed(info("demo"))])
    assert hub.checkpoint is not None
    assert len(seen) == 2


def test_run_is_asked_for_once_until_it_begins_or_fails(hub: Hub, sent: list[Request]) -> None:
    hub.take([FactsOpened("demo", sample.sheet())])
    hub.start_run()
    hub.start_run()
    assert sum(isinstance(request, RunPlan) for request in sent) == 1
    assert hub.running
    hub.take([Failed(1, "The disk is full.")])
    assert not hub.running


def test_a_run_that_fails_before_it_begins_is_a_problem(hub: Hub) -> None:
    hub.take([FactsOpened("demo", sample.sheet())])
    problems: list[object] = []
    hub.problem.connect(problems.append)
    hub.start_run()
    hub.take([RunFailed("never-begun", "It doesn't fit.")])
    assert len(problems) == 1
    assert not hub.running


def test_stop_reaches_the_jobs_only_while_something_runs(qapp: object) -> None:
    stops: list[int] = []
    numbers = itertools.count(1)
    hub = Hub(sample.plan(), lambda request: next(numbers), stop=stops.append)
    hub.take([FactsOpened("demo", sample.sheet())])
    hub.stop_run()
    assert not stops
    hub.start_run()
    run, waiting, download = (
        2,
        hub.send(RunPlan(hub.plan, sample.sheet())),
        hub.send(DownloadCheckpoint(Checkpoint(source="owner/name"))),
    )
    hub.take([RunStarted("r", hub.plan, sample.sheet(), (), ())])
    hub.stop_run()
    assert stops == [waiting, run]
    hub.stop(download)
    assert stops[2:] == [download]


def test_opening_and_saving_set_what_counts_as_saved(hub: Hub, sent: list[Request]) -> None:
    hub.take([PlanOpened("a.toml", sample.plan(edit_first=False))])
    assert hub.saved
    assert hub.history.path == "a.toml"
    assert {type(request) for request in sent} == {DescribeCheckpoint, OpenFacts}
    hub.change_plan(hub.plan.added(Lora()))
    assert not hub.saved
    hub.take([PlanSaved("b.toml", hub.plan)])
    assert hub.saved
    assert hub.history.path == "b.toml"


def test_a_stage_that_starts_is_told_to_the_panels(hub: Hub, qtbot: QtBot) -> None:
    started, *_ = sample.events(sample.plan(), sample.sheet())
    hub.take([started])
    with qtbot.waitSignal(hub.run_changed, timeout=100):
        hub.take([StageStarted("run-1", 0, reused=True)])
