"""Feedback comes 25 times a second, and once a second while a machine at rest has nothing new to say."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.simulator import Rest, board_chunks, clean_set, simulate
from monitor.daemon.daemon import Daemon
from monitor.daemon.feedback_rate import HOLD_S, FeedbackRate
from monitor.demo.simulated import kit_of, machine_of
from monitor.events import Feedback
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.messages import LIVE_HZ, REST_HZ
from monitor.profile.limits import limits_of
from tests.daemon.stage import PROFILE, Machine, with_daemon
from tests.mqtt.stage import listening

LIMITS = limits_of(PROFILE)
STILL = Feedback(
    t_s=0.0, tension_n=2.0, tension=0.0, band=None, phase="rest", position=-0.075, pace=None, velocity_m_s=0.0,
    set=None, rep=0, under_load_s=0.0, under_tension_s=0.0, resting=None, cue=None, load_n=784.5, load_from="given",
    fault=None,
)  # fmt: skip


def at_rest() -> tuple[FeedbackRate, float]:
    """After some seconds without a change, and their end."""
    rate, t_s = FeedbackRate(), 0.0
    for tick in range(90):
        t_s = tick / LIVE_HZ
        rate.due_hz(msgspec.structs.replace(STILL, t_s=t_s), LIMITS)
    return rate, t_s


def test_what_does_not_change_is_published_once_a_second() -> None:
    rate = FeedbackRate()
    due = [rate.due_hz(msgspec.structs.replace(STILL, t_s=tick / LIVE_HZ), LIMITS) for tick in range(250)]
    first_rest = round(HOLD_S * LIVE_HZ)
    assert due[:first_rest] == [LIVE_HZ] * first_rest
    published = [tick for tick, hz in enumerate(due) if hz is not None and tick >= first_rest]
    assert published == list(range(first_rest, 250, 25))
    assert {due[tick] for tick in published} == {REST_HZ}  # also the first: nobody waits for the next one in vain


@pytest.mark.parametrize(
    "change",
    [
        {"tension_n": 18.0}, {"tension_n": None}, {"position": -0.06}, {"velocity_m_s": 0.05}, {"phase": "positive"},
        {"set": 1}, {"fault": "frozen"}, {"load_n": 600.0}, {"cue": "low"}, {"resting": "bottom"},
    ],
)  # fmt: skip
def test_a_change_is_published_at_once_and_the_live_rate_follows(change: dict[str, object]) -> None:
    rate, t_s = at_rest()
    due = [
        rate.due_hz(msgspec.structs.replace(STILL, t_s=t_s + tick / LIVE_HZ, **change), LIMITS) for tick in range(1, 11)
    ]
    assert due == [LIVE_HZ] * 10


@pytest.mark.parametrize(
    "change", [{"tension_n": 16.0}, {"tension": 0.02}, {"position": -0.07}, {"velocity_m_s": 1e-3}]
)
def test_noise_is_not_a_change(change: dict[str, object]) -> None:
    rate, t_s = at_rest()
    assert rate.due_hz(msgspec.structs.replace(STILL, t_s=t_s + 0.04, **change), LIMITS) is None


READ_S = 0.04
RESTS_S = 3.0
LIFTS_S = 16.6  # in the first repetition's positive phase


def resting_then_lifting() -> list[Chunk]:
    lifting = clean_set(2, 4, reps=1)
    script = replace(lifting, moves=(Rest(12.0), *lifting.moves))
    return list(board_chunks(simulate(machine_of(PROFILE), script, seed=3), kit_of(PROFILE), seed=3, read_s=READ_S))


@asynccontextmanager
async def going_on(machine: Machine, chunks: deque[Chunk]) -> AsyncIterator[None]:
    """The machine sends at its own pace during the block: live feedback that is late is dropped, and more comes."""

    async def send() -> None:
        while chunks:
            machine.move([chunks.popleft()])
            await asyncio.sleep(READ_S)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


def test_a_daemon_reports_the_rate_and_the_first_movement(tmp_path: Path) -> None:
    chunks = deque(resting_then_lifting())
    began_ns = chunks[0].received_ns

    def until_s(t_s: float) -> list[Chunk]:
        """The chunks from here on until that time of the machine."""
        return [chunks.popleft() for chunk in list(chunks) if chunk.received_ns < began_ns + t_s * 1e9]

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        async with listening(address, "live/feedback", "state") as listener:
            machine.move(until_s(RESTS_S))
            async with going_on(machine, chunks):
                await listener.next("live/feedback", feedback_hz=REST_HZ)
                await listener.next("state", feedback_hz=REST_HZ, stale=False)
            machine.move(until_s(LIFTS_S))
            moving = await listener.next("state", feedback_hz=LIVE_HZ, set=1)
            assert moving["phase"] == "positive"
            async with going_on(machine, chunks):
                await listener.next("live/feedback", feedback_hz=LIVE_HZ, set=1)

    with_daemon(tmp_path, story)
