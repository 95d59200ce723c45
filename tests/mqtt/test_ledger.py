"""The ledger delivers each event once and in order, whatever is lost, duplicated or reordered on the way."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.events import encode
from monitor.mqtt.client.ledger import MOST_WAITING, Ledger
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import Envelope, ResumeMark, StatusMessage
from monitor.mqtt.contract.topics import TopicTree
from tests.mqtt.stage import an_event
from tests.soak import long, soak

STORE = "store-1"


def message(seq: int, store_id: str = STORE) -> bytes:
    envelope = Envelope(seq=seq, store_id=store_id, historical=False)
    return payload.event(TopicTree("m"), "set_start", encode(an_event(seq)), envelope).payload


def mark(which: str, after: int, first: int, last: int, store_id: str = STORE) -> bytes:
    fields = {"mark": which, "id": "i", "store_id": store_id, "after": after, "first_seq": first, "last_seq": last}
    return msgspec.json.encode(msgspec.convert(fields, ResumeMark))


def answer(after: int, first: int, last: int) -> list[bytes]:
    """The daemon's answer to `resume`."""
    records = [message(seq) for seq in range(max(after + 1, first), last + 1)]
    return [mark("begin", after, first, last), *records, mark("end", last, first, last)]


@soak
@settings(max_examples=long(1000, 30))
@given(
    seed=st.integers(0, 2**32),
    last=st.integers(0, 120),
    lost=st.floats(0, 0.9),
    duplicated=st.floats(0, 0.5),
    mixed=st.integers(0, 10),
    pruned=st.integers(0, 20),
)
def test_each_once_and_in_order(seed: int, last: int, lost: float, duplicated: float, mixed: int, pruned: int) -> None:
    chance = random.Random(seed)

    def on_the_way(messages: list[bytes]) -> list[bytes]:
        arrived = [m for m in messages if chance.random() > lost for _ in range(1 + (chance.random() < duplicated))]
        return [m for _, m in sorted(((i + chance.uniform(0, mixed), m) for i, m in enumerate(arrived)))]

    ledger, taken = Ledger(), []
    for data in on_the_way([message(seq) for seq in range(1, last + 1)]):
        taken += [record.seq for record in ledger.take(data)]
    first = min(pruned, last) + 1  # older events have been removed from the store
    for attempt in range(200):
        ledger.take_status(StatusMessage(state="online", conn=1, store_id=STORE, first_seq=first, last_seq=last))
        if not ledger.behind:
            break
        sent = answer(ledger.seq, first, last)
        for data in on_the_way(sent) if attempt < 100 else sent:
            taken += [record.seq for record in ledger.take(data)]
    assert not ledger.behind
    assert taken == sorted(set(taken))
    assert ledger.seq == last
    assert set(range(first, last + 1)) <= set(taken)
    assert len(taken) + ledger.lost == last


def test_a_new_store_starts_over() -> None:
    ledger = Ledger(STORE, 50)
    assert ledger.take(message(51))[0].event.id == 51
    assert [record.seq for record in ledger.take(message(1, "store-2"))] == [1]
    assert (ledger.resets, ledger.store_id, ledger.seq) == (1, "store-2", 1)
    assert ledger.behind


def test_a_saved_place_is_continued() -> None:
    ledger = Ledger(STORE, 3)
    assert ledger.take(message(3)) == []
    assert [record.seq for record in ledger.take(message(4))] == [4]
    assert ledger.duplicates == 1


def test_the_number_of_waiting_records_is_bounded() -> None:
    ledger = Ledger(STORE, 0)
    for seq in range(2, 3 * MOST_WAITING):
        assert ledger.take(message(seq)) == []
    assert len(ledger._waiting) == MOST_WAITING
    assert len(ledger.take(message(1))) == MOST_WAITING + 1
    assert ledger.behind


def test_malformed_messages_are_counted() -> None:
    ledger = Ledger()
    for data in (b"", b"{}", b'{"v":1,"seq":0,"store_id":"x","historical":false}', b"\xff", b"[]"):
        assert ledger.take(data) == []
    assert ledger.malformed == 5


def test_records_that_the_store_cannot_read_are_passed_over_where_a_mark_says_so() -> None:
    ledger = Ledger()
    whole = [mark("begin", 0, 1, 4), message(1), mark("begin", 1, 3, 4), message(3), mark("begin", 3, 5, 4)]
    whole += [mark("end", 4, 1, 4)]
    assert [record.seq for data in whole for record in ledger.take(data)] == [1, 3]
    assert (ledger.seq, ledger.lost, ledger.behind) == (4, 2, False)


def test_what_was_lost_on_the_way_is_not_passed_over_by_a_later_mark() -> None:
    ledger = Ledger()
    for data in (mark("begin", 0, 1, 3), mark("begin", 1, 3, 3), message(3), mark("end", 3, 1, 3)):
        ledger.take(data)
    assert (ledger.seq, ledger.lost, ledger.behind) == (0, 0, True)
