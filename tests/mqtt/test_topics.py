"""Other roots than `rep`: two sites with a machine of the same name share a broker."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from monitor.access.access_list import acl
from monitor.mqtt.client.channel import BrokerRefuses
from monitor.mqtt.client.consumer import Consumer
from monitor.mqtt.client.ledger import Ledger, ReceivedRecord
from monitor.mqtt.client.viewer import sole_machine
from monitor.mqtt.contract import schema
from monitor.mqtt.contract.roles import Page, Role
from monitor.mqtt.contract.topics import TopicTree, is_root, tree_of
from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from tests import needs
from tests.mqtt.stage import MACHINE, Stage, a_broker, play, until

HERE, BERLIN = TopicTree(MACHINE), TopicTree(MACHINE, "berlin/rep")
ACCOUNTS = ["coach", "collector", "daemon-leg-press", "display"]
PROFILE = """[machine]
id = "leg-press"
kind = "stack"
[protocol]
name = "4/4"
[calibration]
metres_per_count = 1e-4
newtons_per_count = 1e-3
[mqtt]
root = {root}
"""


@pytest.mark.parametrize("kind", ["embedded", pytest.param("mosquitto", marks=needs.mosquitto)])
def test_two_roots_share_a_broker_and_mix_nothing(kind: str, tmp_path: Path) -> None:
    """Both daemons run at once, so their client ids differ; a consumer asks its own for the past."""
    received: dict[TopicTree, list[ReceivedRecord]] = {HERE: [], BERLIN: []}

    async def story() -> None:
        for name in ("here", "berlin"):
            (tmp_path / name).mkdir()
        async with (
            a_broker(kind, tmp_path) as address,
            Stage(address, tmp_path / "here", HERE) as here,
            Stage(address, tmp_path / "berlin", BERLIN) as berlin,
        ):
            await here.happen(3)
            await berlin.happen(5)
            await until(lambda: here.publisher.connected and berlin.publisher.connected)
            consumers = []
            for tree in (HERE, BERLIN):

                async def deliver(record: ReceivedRecord, tree: TopicTree = tree) -> None:
                    received[tree].append(record)

                consumer = Consumer(address, tree, f"collector-{tree.name}", deliver, Ledger())
                consumers.append(asyncio.create_task(consumer.run()))
            await until(lambda: [len(records) for records in received.values()] == [3, 5])
            await here.happen(1)
            await until(lambda: [len(records) for records in received.values()] == [4, 5])
            for stage, records in zip((here, berlin), received.values(), strict=True):
                assert [(one.store_id, one.seq) for one in records] == [
                    (stage.store.store_id, seq) for seq in range(1, stage.store.last_seq + 1)
                ]
            assert [stage.publisher.delivery.connections for stage in (here, berlin)] == [1, 1]
            assert [(await sole_machine(address, tree.root)())[0] for tree in (HERE, BERLIN)] == [HERE, BERLIN]
            with pytest.raises(BrokerRefuses, match="has no machine below koeln/rep"):
                await sole_machine(address, "koeln/rep")()
            for task in consumers:
                task.cancel()
            await asyncio.gather(*consumers, return_exceptions=True)

    play(story())


def test_a_page_may_command_only_its_own_tree() -> None:
    for tree in (HERE, BERLIN):
        page = Page.read(str(Page(Role.COACH, tree)))
        assert page == Page(Role.COACH, tree)
        for other in (HERE, BERLIN, TopicTree("row", tree.root)):
            assert page.may_publish(other.topic("cmd", "stop")) is (other == tree)
        assert not page.may_publish(tree.topic("cmd", "sets"))
        assert not page.may_publish(tree.topic("cmd", "stop", "now"))
        assert not page.may_publish(tree.topic("status"))


def test_only_the_root_differs_in_the_documents() -> None:
    assert acl(ACCOUNTS, "berlin/rep") == acl(ACCOUNTS).replace("topic read rep/", "topic read berlin/rep/").replace(
        "topic write rep/", "topic write berlin/rep/"
    )
    berlin = json.dumps(schema.asyncapi("berlin/rep")).replace('"berlin/rep/', '"rep/')
    assert json.loads(berlin) == json.loads(json.dumps(schema.asyncapi()))


@pytest.mark.parametrize("root", ["rep", "berlin/rep", "a/b/c/d", "0-9", "x" * 32, "cmds/sets-1"])
def test_a_root_of_the_profile(root: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(PROFILE.format(root=json.dumps(root)))
    tree = load_profile(tmp_path / "p.toml").topic_tree
    assert tree == TopicTree("leg-press", root)
    topic = tree.topic("event", "rep")
    assert topic == f"{root}/leg-press/event/rep"
    assert (tree.levels(topic), tree_of(topic, root)) == (["event", "rep"], tree)
    assert tree_of(topic, f"{root}x") is tree_of(root, root) is None
    assert tree.levels(f"x/{topic}") == []
    assert re.fullmatch(r"[A-Za-z0-9_-]+", tree.name)


@pytest.mark.parametrize(
    "root",
    ["", "rep/", "/rep", "a//b", "a/b/c/d/e", "Rep", "r p", "rep/+", "#", "$SYS", "x" * 33, "rep\n", "cmd", "a/sets"],
)
def test_a_bad_root_is_one_sentence(root: str, tmp_path: Path) -> None:
    assert not is_root(root)
    (tmp_path / "p.toml").write_text(PROFILE.format(root=json.dumps(root)))
    with pytest.raises(ConfigError) as raised:
        load_profile(tmp_path / "p.toml")
    assert "[mqtt] root" in str(raised.value)
    assert 'such as "rep" or "berlin/rep"' in str(raised.value)
