"""What a threshold leaves of a spectrum, and how it is said."""

from __future__ import annotations

from editview.domain.spectrum import Spectrum, kept, warning


def spectrum(layer: int, used: int, directions: int = 1024) -> Spectrum:
    """All but `used` directions lie at 0.01, the others at 1."""
    return Spectrum(layer, (0.01,) * (directions - used) + (1.0,) * used)


def test_directions_below_the_threshold_are_counted_exactly() -> None:
    found = Spectrum(0, (-1e-12, 0.1, 0.2, 0.2, 0.3))
    assert [found.below(threshold) for threshold in (1e-15, 0.1, 0.2, 0.25, 1.0)] == [1, 1, 2, 4, 5]


def test_it_is_said_layer_by_layer() -> None:
    assert kept([spectrum(2, 412)], 0.02) == "The null space keeps 612 of 1,024 directions at layer 3."
    both = [spectrum(2, 412), spectrum(3, 400)]
    assert kept(both, 0.02) == "The null space keeps 612 to 624 of 1,024 directions at layers 3 and 4."
    apart = [spectrum(0, 24), spectrum(2, 24), spectrum(5, 24)]
    assert kept(apart, 0.02) == "The null space keeps 1,000 of 1,024 directions at layers 1, 3 and 6."


def test_empty_and_full_are_warned_of() -> None:
    both = [spectrum(2, 412), spectrum(3, 5)]
    assert warning(both[:1], 0.02) == ""
    assert warning(both, 0.005).startswith("It is empty at layers 3 and 4")
    assert warning(both, 2.0).startswith("It is full at layers 3 and 4")
    assert warning(both, 0.02).startswith("It is full at layer 4")


def test_what_is_drawn_keeps_both_ends() -> None:
    many = Spectrum(0, tuple(float(i) for i in range(5000)))
    points = many.points(100)
    assert len(points) == 100
    assert points[0] == (0.0, 0.0)
    assert points[-1] == (1.0, 4999.0)
    assert Spectrum(0, (1.0, 2.0)).points() == [(0.0, 1.0), (1.0, 2.0)]
    assert Spectrum(0, (1.0,)).points() == [(0.0, 1.0)]
