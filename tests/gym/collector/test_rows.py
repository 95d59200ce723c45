"""What a machine may say of a set, so that its row fits into the database."""

import msgspec
import pytest

from monitor.gym.collector.rows import UnreadableRecord, set_row
from monitor.mqtt.contract.topics import TopicTree
from tests.record.sessions import set_end


def record(**values: object) -> bytes:
    envelope = {"v": 1, "seq": 1, "store_id": "s", "historical": False, "lifter": None}
    return msgspec.json.encode(msgspec.to_builtins(set_end(1)) | envelope | values)


def test_numbers_that_no_column_has_room_for_are_refused() -> None:
    assert set_row(TopicTree("row"), record(reps=2**31 - 1), 1.0)["reps"] == 2**31 - 1
    for name in ("reps", "partial_reps", "clean_reps", "set"):
        for number in (-1, 2**31, 2**63):
            with pytest.raises(UnreadableRecord, match="a set: Expected `int`"):
                set_row(TopicTree("row"), record(**{name: number}), 1.0)
