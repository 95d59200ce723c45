"""The simulated clients of a gym do on the machines what they mean to do, as far as the detectors can tell."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.simulator import Kit, measure, simulate
from monitor.analysis.analysis import Analysis
from monitor.demo.simulated import machine_of
from monitor.demo.walk import CLIENTS, MACHINES, PlannedSet, script_of, visit
from monitor.events import SetEnd
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins

PROFILE = profile_from_builtins(
    {
        "machine": {"id": "m", "kind": "stack", "bottom_m": 0.03, "top_m": 0.53, "friction": 0.08},
        "protocol": {"name": "2/4"},
        "calibration": {"metres_per_count": 0.0001, "newtons_per_count": 0.05},
    },
    "a test",
)


@pytest.mark.parametrize("number", range(4))
def test_a_set_ends_as_its_client_means_it(number: int) -> None:
    effort = visit(CLIENTS[number % 3], number)[number]
    effort = replace(effort, reps=3, carelessness=0.0)
    ended = performed(effort)
    assert (ended.reps, ended.outcome) == ((4, "failure") if effort.fails else (3, "ended"))  # the last one is partial
    assert ended.working_load_n == pytest.approx(effort.load_kg * STANDARD_GRAVITY_M_S2, rel=1e-3)


def test_both_endings_are_among_the_examples() -> None:
    assert {visit(CLIENTS[number % 3], number)[number].fails for number in range(4)} == {False, True}


def performed(effort: PlannedSet) -> SetEnd:
    machine = replace(machine_of(PROFILE), mass_kg=effort.load_kg)
    trace = simulate(machine, script_of(effort, machine, 2.0, 4.0), effort.seed)
    analysis = Analysis(_at(effort.load_kg * STANDARD_GRAVITY_M_S2), "s")
    update = analysis.add(measure(trace, Kit(), seed=1)) + analysis.finish()
    (ended,) = (event for event in update.events if isinstance(event, SetEnd))
    return ended


def _at(load_n: float) -> Profile:
    return msgspec.structs.replace(PROFILE, machine=msgspec.structs.replace(PROFILE.machine, working_load_n=load_n))


def test_clients_walk_the_row_of_machines_and_grow_stronger() -> None:
    for client in CLIENTS:
        visits = [visit(client, number) for number in range(8)]
        for efforts in visits:
            order = [effort.machine for effort in efforts]
            assert Counter(order) == Counter(machine.id for machine in MACHINES)
            assert order[0] == MACHINES[client.begins_at].id
        for place in range(len(MACHINES)):
            sets = [efforts[place] for efforts in visits]
            for before, after in pairwise(sets):
                assert after.load_kg - before.load_kg == (5.0 if before.fails else 0.0)
        assert visits == [visit(client, number) for number in range(8)]
    assert len({client.begins_at for client in CLIENTS}) == len(CLIENTS)
