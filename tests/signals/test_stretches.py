"""Union and difference of stretches are those of sets of moments."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.signals.stretches import Follower, Stretch, length, outside, union, without

MOMENTS = 60
stretches = st.lists(
    st.tuples(st.integers(0, MOMENTS), st.integers(0, 12)).map(lambda one: (one[0], one[0] + one[1])), max_size=8
)


def moments(some: list[Stretch]) -> set[int]:
    return {moment for start, end in some for moment in range(start, end)}


@given(stretches)
def test_a_union_holds_the_same_moments_once_and_in_order(some: list[Stretch]) -> None:
    joined = union(some)
    assert moments(joined) == moments(some)
    assert length(joined) == len(moments(some))
    assert all(before[1] < after[0] for before, after in pairwise(joined))


@given(stretches, stretches)
def test_a_difference_holds_the_moments_in_none_of_the_others(some: list[Stretch], others: list[Stretch]) -> None:
    left = without(some, others)
    assert moments(left) == moments(some) - moments(others)
    assert length(left) == len(moments(left))


@given(stretches, st.integers(0, MOMENTS), st.integers(0, MOMENTS))
def test_the_rows_outside_are_those_of_moments_in_none_of_the_stretches(
    some: list[Stretch], start: int, rows_n: int
) -> None:
    rows = outside(some, start, rows_n).tolist()
    assert rows == [moment not in moments(some) for moment in range(start, start + rows_n)]


@given(stretches, st.integers(1, 5))
def test_stretches_that_are_close_become_one(some: list[Stretch], join: int) -> None:
    joined = union(some, join)
    assert all(after[0] - before[1] > join for before, after in pairwise(joined))
    assert moments(some) <= moments(joined)


@given(st.lists(st.booleans(), min_size=1, max_size=MOMENTS), st.integers(0, MOMENTS), stretches)
def test_a_follower_keeps_the_held_moments_and_can_be_rewritten(
    held: list[bool], since: int, again: list[Stretch]
) -> None:
    follower = Follower()
    for moment, on in enumerate(held):
        follower.update(on, moment)
    was_on = {moment for moment, on in enumerate(held) if on}
    assert moments(follower.until(len(held))) == was_on
    since = min(since, len(held))
    later = [(max(a, since), min(b, len(held))) for a, b in again]
    follower.rewrite(since, later, len(held))
    assert moments(follower.until(len(held))) == {moment for moment in was_on if moment < since} | moments(later)
    on_now = bool(moments(later) & {len(held) - 1}) if since < len(held) else held[-1]
    follower.update(False, len(held) + 3)
    expected = moments(follower.until(len(held) + 3)) & set(range(len(held), len(held) + 3))
    assert bool(expected) == on_now
