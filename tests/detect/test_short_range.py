"""Repetitions on a short way that the profile does not give."""

from tests.detect.stories import END, story
from tests.movements import Act, Leg, Still


def test_rests_of_short_repetitions_are_judged_by_their_range() -> None:
    """On a way of 0.4 m, which is assumed at first, the slow end of each movement would already be a rest."""
    short: list[Act] = [Leg(0.2, 3.0), Still(0.7), Leg(0.0, 3.0), Still(0.4)]
    events, _ = story([*short, *short, *short, *END], "unranged")
    assert [event.rep for event in events if event.kind == "rep"] == [1, 2, 3]
    assert not [event for event in events if event.kind == "lockout_rest"]
