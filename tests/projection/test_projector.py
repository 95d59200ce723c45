"""A recording on the page: everything of it is published once, in its order, and a seek shows what was before."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.topics import TopicTree
from monitor.playback.playback import open_playback
from monitor.projection.projector import Projector
from monitor.projection.reel import Reel, reel_of
from tests.mqtt.stage import play, until

RECORDINGS = Path(__file__).parents[1] / "recordings"


@pytest.fixture(scope="module")
def reel() -> Reel:
    return asyncio.run(reel_of(open_playback(RECORDINGS / "faults.mcap", None)))


class Audience:
    """Gathers what is published: topic below the machine, and the message."""

    def __init__(self, reel: Reel) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.projector = Projector(reel, TopicTree("m"), "faults", self.publish)

    async def publish(self, packet: Packet) -> None:
        message = msgspec.json.decode(packet.payload) if packet.payload else None
        self.heard.append((packet.topic.removeprefix("rep/m/"), message))

    def events(self, *, historical: bool) -> list[dict[str, Any]]:
        published = (message for topic, message in self.heard if topic.startswith("event/"))
        return [message for message in published if message["historical"] is historical]

    def feedback(self) -> list[dict[str, Any]]:
        return [message for topic, message in self.heard if topic == "live/feedback"]


@asynccontextmanager
async def running(projector: Projector) -> AsyncIterator[None]:
    task = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_every_record_is_published_once_in_its_order(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    """At two hundred times the speed."""
    monkeypatch.setattr("monitor.projection.projector.SPEEDS", (200.0,))

    async def story() -> None:
        audience = Audience(reel)
        audience.projector.set_speed(200.0)
        async with running(audience.projector):
            await until(lambda: not audience.projector.state()["playing"])
        records = [json.loads(line) for line in (RECORDINGS / "faults.events.jsonl").read_text().splitlines()]
        heard = audience.events(historical=False)
        key = ("id", "kind", "t_s", "duration_s")
        assert [[one[name] for name in key] for one in heard] == [
            [one[name] for name in key] for one in sorted(records, key=lambda one: one["found_s"])
        ]
        assert [topic for topic, _ in audience.heard].count("set") == 1 + sum(r["kind"] == "set_end" for r in records)
        times = [one["t_s"] for one in audience.feedback()]
        assert times == sorted(times)

    play(story())


def test_a_seek_begins_a_session_with_what_had_happened(reel: Reel) -> None:
    async def story() -> None:
        audience = Audience(reel)
        projector = audience.projector
        async with running(projector):
            await until(lambda: len(audience.heard) > 3)
            first = projector.session
            projector.play(False)
            projector.seek(40.0)
            await until(lambda: audience.feedback()[-1]["session"] != first)
            await until(lambda: audience.feedback()[-1]["feedback_hz"] < 0.01)  # stands still, and is not stale
        session = projector.session
        before = audience.events(historical=True)
        assert before
        assert {one["session"] for one in before} == {session}
        assert all(one["found_s"] <= reel.begin_s + 40.0 for one in before)
        assert len(before) == len(reel.events(-1.0, reel.begin_s + 40.0))
        now = [one for one in audience.feedback() if one["session"] == session]
        assert now[-1]["t_s"] == pytest.approx(reel.begin_s + 40.0, abs=0.05)
        assert 250 > len(now) > 100  # the chart of the last minute
        assert projector.state()["at_s"] == pytest.approx(40.0, abs=0.01)

    play(story())


class Impatient(Audience):
    """Goes elsewhere while the feedback is published at which the recording comes to rest."""

    async def publish(self, packet: Packet) -> None:
        await super().publish(packet)
        if self.projector.state()["at_s"] == 0 and self.feedback() and self.feedback()[-1]["feedback_hz"] < 0.01:
            self.projector.seek(40.0)


def test_a_seek_that_comes_while_it_comes_to_rest_is_not_lost(reel: Reel) -> None:
    async def story() -> None:
        audience = Impatient(reel)
        audience.projector.play(False)
        async with running(audience.projector):
            await until(lambda: bool(audience.feedback()) and audience.feedback()[-1]["t_s"] > reel.begin_s + 39.0)

    play(story(), 30)


def test_it_stays_within_the_recording_and_starts_again_at_the_end(reel: Reel) -> None:
    projector = Audience(reel).projector
    length_s = projector.state()["length_s"]
    projector.seek(1e6)
    assert projector.state()["at_s"] == length_s
    projector.seek(-3.0)
    assert projector.state()["at_s"] == 0
    with pytest.raises(ValueError, match="speed 3 is not one of"):
        projector.set_speed(3.0)
