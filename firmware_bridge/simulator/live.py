"""Simulates one script step by step, in plain floats: the same steps as in a batch, and cheapest for one machine."""

from collections.abc import Iterator

import numpy as np

from firmware_bridge.simulator.gym_lifter import GymPerformer
from firmware_bridge.simulator.legs import NO_SEGMENT, Now
from firmware_bridge.simulator.machine import STEP_S, Machine, MachineState, step_one
from firmware_bridge.simulator.pad import REST_SINK_M
from firmware_bridge.simulator.plant import Plant
from firmware_bridge.simulator.script import Script
from firmware_bridge.simulator.sway import sway_blocks
from firmware_bridge.simulator.trace import Trace

UNSTEADY = 3.0  # the sway of other people's hands, in units of the lifter's wobble


def live(machine: Machine, script: Script, seed: int, rows: int = 10) -> Iterator[Trace]:
    """What `simulate` returns, `rows` milliseconds at a time, simulated on demand."""
    performer = GymPerformer(machine, script, seed)
    plant = None if machine.plain and script.plain else Plant(machine)
    wobble = np.array([script.lifter.wobble])
    physics = machine.physics()
    moment = MachineState(-REST_SINK_M, 0.0, 0.0, 0.0, 0.0, 0.0)
    hand, shake, clock = performer.loose * machine.stretch_m, 0.0, 0.0
    leg = NO_SEGMENT
    row = noted = 0
    while True:
        t_s = (row + 1 + np.arange(rows, dtype=np.float64)) * STEP_S
        pace, tremor = (column[:, 0].tolist() for column in sway_blocks([performer.sway], wobble, t_s))
        block: list[tuple[float, ...]] = []
        for i in range(rows):
            if clock >= leg.duration_s:
                now = Now(row * STEP_S, moment.x_m, moment.v_m_s, hand + moment.slip_m - shake, moment.slip_m)
                following = performer.segment(now)
                if following is None:
                    break
                clock, leg = 0.0 if following.begins_now else clock - leg.duration_s, following
                hand, moment = hand + moment.slip_m, moment._replace(slip_m=0.0)
            clock = clock + pace[i] * STEP_S
            shake = leg.tremor_m * tremor[i]
            next_hand = leg.hand_m(clock) + shake
            limit = leg.limit_m_s2 + leg.limit_slope_m_s3 * clock
            x, v = moment.x_m, moment.v_m_s
            motor = 1.0
            if plant is None:
                moment = step_one(physics, moment, hand, next_hand, limit)
            else:
                along = min(clock / leg.duration_s, 1.0)
                unsteady = 1.0 + UNSTEADY * (pace[i] - 1.0)
                moment = plant.step(moment, hand, next_hand, limit, leg.outside, along, unsteady)
                motor = leg.outside.motor[0] + (leg.outside.motor[1] - leg.outside.motor[0]) * along
            hand = next_hand
            block.append((x, v, *moment[3:], motor))
            row += 1
        if block:
            notes, noted = tuple(performer.notes[noted:]), len(performer.notes)
            columns = np.array(block).T
            yield Trace.of(machine, columns[:5], notes, None if plant is None else columns[5])
        if len(block) < rows:
            return
