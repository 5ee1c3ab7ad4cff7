"""Weights: where in the model each step wrote, and how much, with the tensors' names one click deeper."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from editview.domain.session import Run, RunState
from editview.domain.weight_map import Place, WeightMap, headline, planned_map, told, weight_map
from editview.ui.hub import Hub
from editview.ui.look.labels import Sentence
from editview.ui.look.panel import Panel
from editview.ui.look.theme import SMALL
from editview.ui.problem import Problem
from editview.ui.weights.picture import WeightsPicture
from editview.ui.weights.tensor_list import TensorList

EMPTY = "Nothing has been changed yet. {}"
NEXT = "Press *Run*: this shows where in the model each step writes."
NOTHING = (
    "There is nothing to see: no weight was changed. Choose a step in the plan to set it otherwise, and run again."
)
HINT = "Click a cell or a bar to see the names of its tensors."


class WeightsPanel(Panel):
    def __init__(self, hub: Hub, parent: QWidget | None = None) -> None:
        super().__init__("Weights", parent)
        self._hub = hub
        self._map: WeightMap | None = None
        self.picture = WeightsPicture(self._failed)
        self.setFocusProxy(self.picture)
        self.chosen = Sentence(HINT, SMALL, "muted")
        self.tensors = TensorList(self._failed)
        for widget, share in ((self.picture, 3), (self.chosen, 0), (self.tensors, 2)):
            self.body.addWidget(widget, share)
        self.picture.chosen.connect(self.choose)
        for signal in (
            hub.run_started,
            hub.weights_changed,
            hub.runs_changed,
            hub.plan_changed,
            hub.sheet_changed,
            hub.checkpoint_changed,
        ):
            signal.connect(self.draw_soon)

    def _failed(self, sentence: str) -> None:
        self._hub.problem.emit(Problem(sentence, ""))

    def draw(self) -> None:
        hub, run = self._hub, self._hub.run
        if run is not None:
            self._map = weight_map(run)
            self.say(headline(self._map) or "No step has finished yet.", _under_way(run, self._map))
        else:
            self._map = planned_map(hub.plan, hub.sheet, hub.checkpoint.tensors) if hub.checkpoint else None
            self.say(EMPTY.format(hub.to_do or NEXT))
        self.picture.show_map(self._map)
        self.choose(self.picture.place if self._map and self.picture.place in self._map.changes else None)

    def choose(self, place: Place | None) -> None:
        """Name the tensors behind a place."""
        self.picture.choose(place)
        changes = self._map.changes.get(place, ()) if self._map and place else ()
        nothing = self._map is not None and self._map.changed_nothing
        self.picture.setVisible(not nothing)
        self.chosen.say(told(self._map, place) if self._map and place else NOTHING if nothing else HINT)
        self.tensors.show_changes(changes)
        self.tensors.setVisible(bool(changes))
        self.chosen.setVisible(self._hub.run is not None)


def _under_way(run: Run, drawn: WeightMap) -> str:
    waiting = [stage for stage in drawn.stages if stage not in drawn.known]
    if not waiting:
        return ""
    title = drawn.titles[waiting[0]]
    if run.state is RunState.RUNNING:
        return f"*{title}* is shown when it has finished."
    return f"*{title}* didn't finish, so nothing is shown for it."
