"""Visits: which sets are together, what is known of each, what the trainer marks."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text

from monitor.gym.database.database import Database
from monitor.gym.database.tables import clients, sets
from monitor.gym.people.clients import Setting, add_client, change_client, set_setting
from monitor.gym.people.errors import BadField
from monitor.gym.workout.errors import UnknownSet
from monitor.gym.workout.sound_sets import odd_sets, sets_query
from monitor.gym.workout.visits import GAP_S, VisitSet, grouped, mark_set, visits
from tests.gym.workout.floor_rows import NOON_UNIX_S, set_row, store_machine, store_sets

HOUR_S = 3600.0
NOW = NOON_UNIX_S


def key(one: VisitSet) -> tuple[str, int]:
    return one.machine, one.seq


@given(
    st.lists(
        st.builds(
            set_row,
            st.sampled_from(["row", "leg-press"]),
            st.floats(0, 40).map(lambda hours: NOW + hours * HOUR_S),
            st.sampled_from(["c-a", "c-b", None]),
            started_unix_s=st.none(),
            under_load_s=st.floats(0, 300),
        ),
        max_size=25,
    )
)
def test_every_set_is_in_one_visit_and_gaps_part_visits(rows: list[dict[str, Any]]) -> None:
    rows.sort(key=lambda row: float(row["ended_unix_s"]))
    groups = grouped(rows)
    assert sorted(row["seq"] for group in groups for row in group) == sorted(row["seq"] for row in rows)
    begins = [min(row["ended_unix_s"] - row["under_load_s"] for row in group) for group in groups]
    assert begins == sorted(begins)
    ends: dict[str, float] = {}
    for group in groups:
        (client_id,) = {row["client_id"] for row in group}
        times = [row["ended_unix_s"] for row in group]
        assert times == sorted(times)
        if client_id is None:
            continue
        for before, row in pairwise(group):
            assert row["ended_unix_s"] - row["under_load_s"] - before["ended_unix_s"] < GAP_S
        begin = group[0]["ended_unix_s"] - group[0]["under_load_s"]
        assert begin - ends.get(client_id, -math.inf) >= GAP_S
        ends[client_id] = times[-1]


def test_a_visit_has_what_is_known(database: Database) -> None:
    with database.writing() as connection:
        ada, ben = add_client(connection, "Ada", "2026-01-01"), add_client(connection, "Ben", None)
        set_setting(connection, ada.client_id, Setting(site="rep", machine="row", seat="4"))
        store_machine(connection, "row", label="Row 1")
        store_machine(connection, "leg-press", info={"machine": "of another version"})
        store_sets(
            connection,
            [
                set_row("row", NOW + 220, ada.client_id, outcome="failure"),
                set_row("leg-press", NOW + 100, ada.client_id, load_n=None, skill=None),
                set_row("row", NOW + 250, ada.client_id),  # a clock that disagrees: it begins before the other ended
                set_row("row", NOW + 300, ada.client_id, started_unix_s=None),
                set_row("row", NOW + 4 * HOUR_S, ada.client_id),
                set_row("row", NOW + 60, ben.client_id),
                set_row("row", NOW + 90, "c-nobodyknow"),
                set_row("leg-press", NOW + 120, None),
                set_row("leg-press", NOW + 600, None),
            ],
        )
    with database.reading() as connection:
        found = visits(connection)
        assert [(one.client_id, one.name, len(one.sets)) for one in found] == [
            (ben.client_id, None, 1),  # without consent
            ("c-nobodyknow", None, 1),
            (ada.client_id, "Ada", 4),
            (None, None, 2),
            (ada.client_id, "Ada", 1),
        ]
        adas = found[2]
        assert (adas.began_unix_s, adas.ended_unix_s) == (NOW + 20, NOW + 300)
        assert [one.pause_before_s for one in adas.sets] == [None, 40.0, None, None]
        assert [one.failure for one in adas.sets] == [False, True, False, False]
        assert [(one.label, one.seat) for one in adas.sets[:2]] == [("leg-press", ""), ("Row 1", "4")]
        assert [one.pause_before_s for one in found[3].sets] == [None, None], "of nobody no pause is known"
        assert visits(connection, ada.client_id) == [found[2], found[4]]
        for since, until in [(NOW + 280, NOW + 310), (NOW + 90, NOW + 101), (NOW + 300, None), (None, NOW + 101)]:
            assert adas in visits(connection, None, since, until), "a visit is shown whole"
        assert not visits(connection, ada.client_id, NOW + 301, NOW + 4 * HOUR_S)
        assert not visits(connection, "c-0000000000")


def test_sets_of_nobody_are_together_for_each_local_day(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        store_sets(connection, [set_row("row", NOW + hours * HOUR_S) for hours in range(72)])
        found = visits(connection)
    assert 3 <= len(found) <= 4
    assert sum(len(one.sets) for one in found) == 72
    with lone_database.reading() as connection:
        middle = found[1]
        assert middle in visits(connection, None, middle.ended_unix_s, middle.ended_unix_s + 1)


def test_a_trainer_marks_failure(database: Database) -> None:
    with database.writing() as connection:
        ada = add_client(connection, "Ada", "2026-01-01")
        rows = [set_row("row", NOW + at, who) for at, who in ((0, ada.client_id), (100, ada.client_id), (50, None))]
        store_sets(connection, rows)
        the_key = ("rep", "row", "store")
        marked = mark_set(connection, *the_key, rows[1]["seq"], True, " last one with help ")
        assert (marked.failure, marked.marked_failure, marked.outcome) == (True, True, "ended")
        assert (marked.note, marked.pause_before_s) == ("last one with help", 20.0)
        assert marked == visits(connection, ada.client_id)[0].sets[1]
        again = mark_set(connection, *the_key, rows[1]["seq"], None, "")
        assert (again.failure, again.marked_failure, again.note) == (False, None, None)
        assert mark_set(connection, *the_key, rows[2]["seq"], True, None).failure
        for store_id, seq in (("store", 0), ("other", rows[1]["seq"])):
            with pytest.raises(UnknownSet, match="load the visits again"):
                mark_set(connection, "rep", "row", store_id, seq, True, None)
        with pytest.raises(BadField, match="note: has 1001 characters"):
            mark_set(connection, *the_key, rows[1]["seq"], True, "x" * 1001)


def test_odd_sets_are_left_out_and_counted(database: Database) -> None:
    odd: list[dict[str, Any]] = [
        set_row("row", 100.0),  # a computer without a clock began in 1970
        set_row("row", 1e12),
        set_row("row", NOW, started_unix_s=NOW + 1),
        set_row("row", NOW, under_load_s=-1.0),
        set_row("row", NOW, under_load_s=1e300),
        set_row("row", NOW, under_tension_s=-1.0),
        set_row("row", NOW, load_n=-5.0),
        set_row("row", NOW, skill=1.5),
        set_row("row", NOW, strength_n=1e30),
    ]
    nulls = set_row(
        "row", NOW, started_unix_s=None, load_n=None, under_tension_s=None, skill=None, strength_n=None, clean_reps=None
    )
    with database.writing() as connection:
        store_sets(connection, [*odd, nulls])
        assert [key(one) for visit in visits(connection) for one in visit.sets] == [("row", nulls["seq"])]
        assert odd_sets(connection) == len(odd)
        with pytest.raises(UnknownSet):
            mark_set(connection, "rep", "row", "store", odd[0]["seq"], True, None)


def test_consent_that_is_withdrawn_hides_the_name(lone_database: Database) -> None:
    with lone_database.writing() as connection:
        ada = add_client(connection, "Ada", "2026-01-01")
        store_sets(connection, [set_row("row", NOW, ada.client_id)])
        assert visits(connection)[0].name == "Ada"
        change_client(connection, ada.client_id, consent_on=None)
        assert visits(connection)[0].name is None


def test_a_day_and_a_client_are_found_by_an_index(lone_database: Database) -> None:
    """A year has 60,000 sets; a plan is the same on every computer, a time is not."""
    plans: list[str] = []
    with lone_database.writing() as connection:
        connection.execute(insert(clients).values(client_id="c-a", name="A", created_unix_s=1))
        store_sets(connection, [set_row("row", NOW + n * 100, f"c-{n % 7}") for n in range(500)])
        connection.execute(text("ANALYZE"))
        for where in ((sets.c.client_id == "c-3",), (sets.c.ended_unix_s >= NOW + 49_000,)):
            query = str(sets_query(*where).compile(connection, compile_kwargs={"literal_binds": True}))
            plans.append(str(connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()))
    assert "SEARCH sets USING INDEX sets_by_client" in plans[0]
    assert "SEARCH sets USING INDEX sets_by_time" in plans[1]
