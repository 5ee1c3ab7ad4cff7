"""What the tour shows, and what it says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editview.ui.window.tour import Stop

if TYPE_CHECKING:
    from editview.ui.window.main_window import MainWindow


def stops(window: MainWindow) -> tuple[Stop, ...]:
    head = window.header
    return (
        Stop(
            (window.centre,),
            "The facts",
            "Each row is a fact that the model is asked: some are to be changed, the others are watched, so that no "
            "damage goes unseen. During a run the answers fill in here.",
        ),
        Stop(
            (window.plan,),
            "The plan",
            "What is done to the model, from top to bottom. Drag a card to change the order, double-click it to change "
            "its settings. What can be reused and what it will cost stands on the cards.",
        ),
        Stop(
            (head.checkpoint, head.sheet),
            "What it rests on",
            "A checkpoint and a fact sheet: now a small model that comes with EditView. Click to open your own, or "
            "drop files on the window.",
        ),
        Stop(
            (window.tabs,),
            "The pictures",
            "*Weights* shows where each step wrote, *Survival* which facts outlive it, *Compare* what another order "
            "keeps, and *Ask* answers a question of your own.",
        ),
        Stop(
            (window.menuBar(),),
            "Everything else",
            "Rest the pointer on a word to see what it means; F1 opens the help. Ctrl+K finds any command, and F5 "
            "tells a run full screen, for a room.",
        ),
        Stop(
            (head.button,),
            "Begin here",
            "*Run* carries out the plan, and *Stop* stops it at any time: what is finished stays. This tour is in the "
            "menu *Help*.",
        ),
    )
