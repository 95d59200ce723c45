"""No message names the lifter, but the command that names them and the answer to a collector."""

from pathlib import Path

from monitor.daemon.daemon import Daemon
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import ForgetCommand, LifterCommand, ResumeCommand, SetsCommand, StopCommand
from tests.daemon.stage import PROFILE, Machine, a_set, publisher_of, with_daemon
from tests.mqtt.stage import command, listening, until

ADA = "ada-of-the-gym-7f3a"


def test_a_whole_session_names_its_lifter_to_a_collector_only(tmp_path: Path) -> None:
    naming: set[str] = set()
    seen: set[str] = set()

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        async with listening(address, "#") as everything:
            await until(lambda: publisher_of(daemon).connected)

            async def send(kind: type, **fields: object) -> None:
                packet = payload.command(PROFILE.topic_tree, command(kind, **fields))
                await everything.client.publish(packet.topic, packet.payload, 1)
                if "client" not in fields:
                    await everything.next(f"ack/{fields['id']}", ok=True)

            await send(LifterCommand, id="who", lifter=ADA)
            machine.move(a_set())
            await everything.next("set")
            await send(ResumeCommand, client="tv", after=0)
            await everything.next("resume/tv", mark="end")
            await send(SetsCommand, client="gym", after=0)
            await everything.next("sets/gym", mark="end")
            await send(StopCommand, id="stop")
            await everything.next(f"session/{daemon_session(everything.heard)}")
            await send(ForgetCommand, id="forget", lifter=ADA)
            for topic in ("state", "live/feedback", "cmd/forget"):  # nothing says when these come
                await everything.next(topic)
            naming.update(topic for topic, body, _ in everything.heard if ADA in str(body))
            seen.update(topic.split("/")[0] for topic, _, _ in everything.heard)

    with_daemon(tmp_path, story)
    assert naming == {"cmd/lifter", "cmd/forget", "sets/gym"}
    assert seen >= {"status", "info", "state", "live", "event", "set", "session", "ack", "resume", "sets", "cmd"}


def daemon_session(heard: list[tuple[str, dict[str, str], bool]]) -> str:
    return next(body["session"] for topic, body, _ in heard if topic == "set")
