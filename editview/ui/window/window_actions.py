"""The table of all that the window can do. What each row does lives with the part it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from editview.domain.operations import Edit, FineTune
from editview.ui.look.theme import Mode, theme
from editview.ui.window.actions import Action
from editview.ui.window.help import show_keys

if TYPE_CHECKING:
    from editview.ui.window.checkpoints_window import CheckpointsWindow
    from editview.ui.window.main_window import MainWindow

_LOOKS = {Mode.SYSTEM: "Look as the system does", Mode.LIGHT: "Light", Mode.DARK: "Dark"}


def rows(window: MainWindow) -> list[Action]:
    tour = Action("tour", "&Help", "Show the tour again", window.show_around, "", "look", group=1)
    return [*_file(window), *_edit(window), *_plan(window), *_view(window), *help_rows(window), tour]


def _file(window: MainWindow) -> list[Action]:
    opening, hub = window.opening, window.hub
    return [
        Action("open-checkpoint", "&File", "Open checkpoint…", opening.open_checkpoint, "Ctrl+O", "checkpoint"),
        Action("open-facts", "&File", "Open fact sheet…", opening.open_facts, "Ctrl+Shift+O", "facts"),
        Action("open-data", "&File", "Open training data…", opening.open_data, "", "tune"),
        Action(
            "left-out", "&File", "Records left out…", opening.show_left_out,
            possible=lambda: bool(hub.sheet_problems),
        ),
        Action(
            "columns", "&File", "How the fact sheet is read…", opening.choose_reading,
            possible=lambda: hub.plan.facts != "demo",
        ),
        Action("open-plan", "&File", "Open plan…", opening.open_plan, "Ctrl+Alt+O", "open", group=1),
        Action("open-demo", "&File", "Open the demo", opening.open_demo, group=1),
        Action(
            "save-plan", "&File", "Save plan", opening.save_plan, "Ctrl+S", "save",
            possible=lambda: not hub.saved or hub.history.path is None, group=1,
        ),
        Action("save-plan-as", "&File", "Save plan as…", opening.save_plan_as, "Ctrl+Shift+S", group=1),
        Action(
            "compare-checkpoints", "&File", "Compare two checkpoints…", window.compare_checkpoints, "Ctrl+Shift+D",
            "compare", group=1,
        ),
        Action(
            "inspect-checkpoint", "&File", "Inspect a checkpoint…", window.inspect_checkpoint, "Ctrl+Shift+I", "look",
            group=1,
        ),
        Action("runs", "&File", "Runs so far…", window.kept.show_runs, "Ctrl+Shift+H", "history", group=1),
        Action("export", "&File", "Export a stage…", window.plan.export, "Ctrl+E", "save", group=1),
        Action(
            "save-report", "&File", "Save report…", window.reports.save, "Ctrl+Shift+R", "save",
            possible=window.reports.possible, group=1,
        ),
        Action("disk", "&File", "Disk space…", window.kept.show_disk, "", "disk", group=2),
        Action("quit", "&File", "Quit", window.close, "Ctrl+Q", group=2),
    ]  # fmt: skip


def _edit(window: MainWindow) -> list[Action]:
    hub = window.hub
    return [
        Action("undo", "&Edit", "Undo", hub.undo, "Ctrl+Z", "undo", possible=lambda: hub.history.can_undo),
        Action("redo", "&Edit", "Redo", hub.redo, "Ctrl+Shift+Z", "redo", possible=lambda: hub.history.can_redo),
        Action("commands", "&Edit", "Find a command…", window.show_commands, "Ctrl+K", "search", group=1),
    ]


def _plan(window: MainWindow) -> list[Action]:
    hub, plan = window.hub, window.plan

    def chosen() -> bool:
        return plan.selected is not None

    def card(name: str, title: str, run: Callable[[], None], key: str, picture: str) -> Action:
        return Action(name, "&Plan", title, run, key, picture, possible=chosen, in_list=True, group=2)

    def can_move(by: int) -> bool:
        return plan.selected is not None and 0 <= hub.plan.index(plan.selected.id) + by < len(hub.plan.operations)

    def can_run() -> bool:
        return not hub.running and not hub.obstacle

    def takes_back() -> bool:
        return isinstance(plan.selected, Edit) and plan.selected.enabled

    return [
        Action("run", "&Plan", "Run", hub.start_run, "Ctrl+R", "run", possible=can_run),
        Action("run-anew", "&Plan", "Run everything anew", partial(hub.start_run, fresh=True), possible=can_run),
        Action("stop", "&Plan", "Stop", hub.stop_run, "Ctrl+.", "stop", possible=lambda: hub.running),
        Action(
            "measure", "&Plan", "Measure the fine-tune, or stop measuring", plan.measure.press, "", "look",
            possible=lambda: plan.measure.possible,
        ),
        Action("add-step", "&Plan", "Add a step…", plan.choose_step, "Ctrl+N", "add", group=1),
        card("edit-step", "Change this step…", plan.edit_selected, "F2", "edit"),
        card("switch-step", "Switch on or off", plan.switch, "Space", "switch"),
        card("duplicate-step", "Duplicate", plan.duplicate, "Ctrl+D", "duplicate"),
        Action(
            "take-back", "&Plan", "Take this edit back later", plan.take_back, "", "undo",
            possible=takes_back, in_list=True, group=2,
        ),
        Action("explain-losses", "&Plan", "Why were facts lost?…", plan.explain_losses, "Ctrl+L", group=2),
        Action(
            "export-step", "&Plan", "Export this stage…", plan.export_selected, "", "save",
            possible=lambda: plan.selected is not None and plan.selected.enabled, in_list=True, group=2,
        ),
        Action(
            "trained-tensors", "&Plan", "List what this step trains…", plan.list_trained, "", "tune",
            possible=lambda: hub.checkpoint is not None and isinstance(plan.selected, FineTune),
            in_list=True, group=2,
        ),
        card("remove-step", "Remove", plan.remove, "Del", "remove"),
        Action(
            "step-up", "&Plan", "Move up", partial(plan.move_step, -1), "Alt+Up", "up",
            possible=lambda: can_move(-1), in_list=True, group=3,
        ),
        Action(
            "step-down", "&Plan", "Move down", partial(plan.move_step, 1), "Alt+Down", "down",
            possible=lambda: can_move(1), in_list=True, group=3,
        ),
        Action(
            "edits-last", "&Plan", "Put edits last and compare", plan.put_edits_last, "", "down",
            why_not=plan.why_edits_stay, group=3,
        ),
    ]  # fmt: skip


def _view(window: MainWindow) -> list[Action]:
    look = theme()
    modes = [
        Action(
            f"look-{mode}", "&View", title, partial(look.set_mode, mode),
            on=lambda mode=mode: look.mode is mode,  # type: ignore[misc]
        )
        for mode, title in _LOOKS.items()
    ]  # fmt: skip
    panels = [
        Action(
            f"show-{name.lower()}", "&View", f"Show {name.lower()}", partial(window.show_panel, name),
            f"Ctrl+{number}", name.lower(), group=2,
        )
        for number, name in enumerate(window.panel_names, start=1)
    ]  # fmt: skip
    return [
        *modes,
        Action("bigger", "&View", "Bigger", look.bigger, "Ctrl++", "bigger", group=1),
        Action("smaller", "&View", "Smaller", look.smaller, "Ctrl+-", "smaller", group=1),
        Action("usual-size", "&View", "Usual size", partial(look.set_scale, 1.0), "Ctrl+0", group=1),
        *panels,
        Action("present", "&View", "Present the run", window.present, "F5", "present", group=3),
    ]


def help_rows(window: MainWindow | CheckpointsWindow) -> list[Action]:
    """The help that every window has: the pages, and its own keys."""
    return [
        Action("words", "&Help", "The words used here", window.help.show, "F1", "words"),
        Action("keys", "&Help", "Keys", lambda: show_keys(window.actions_table, window), "Ctrl+?", "keyboard"),
    ]
