"""Every message survives the wire, and only its exact length is accepted."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.formats import codes, messages
from firmware_bridge.formats.framing import MAX_PAYLOAD_BYTES, Deframer, frame
from firmware_bridge.formats.messages import (
    FROM_DEVICE,
    FROM_HOST,
    MAX_FORCE_SAMPLES,
    MAX_POS_SAMPLES,
    Force,
    Hello,
    Message,
    MessageError,
    Pos,
    StartStream,
    Status,
    parse,
)

u8, u16, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
NUMBERS = {"B": u8, "H": u16, "I": u32}


def fixed(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Any message whose body is one struct."""
    letters = "".join(c * int(n) if n else c for n, c in _items(kind.BODY.format))
    return st.tuples(*(NUMBERS[c] for c in letters)).map(lambda values: kind.from_body(kind.BODY.pack(*values)))


def _items(form: str) -> list[tuple[str, str]]:
    items, digits = [], ""
    for c in form.lstrip("<"):
        if c.isdigit():
            digits += c
        else:
            items.append((digits, c))
            digits = ""
    return items


@st.composite
def pos(draw: st.DrawFn) -> Pos:
    counts = [draw(st.integers(-(2**31), 2**31 - 1))]
    for delta in draw(st.lists(st.integers(-(2**15), 2**15 - 1), max_size=MAX_POS_SAMPLES - 1)):
        counts.append(counts[-1] + delta)
    return Pos(draw(u8), draw(u16), draw(u32), draw(u16), tuple(counts))


force = st.builds(
    Force,
    u8,
    u16,
    u32,
    u16,
    u8,
    st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=MAX_FORCE_SAMPLES).map(tuple),
)
FIXED = [k for k in (*FROM_DEVICE.values(), *FROM_HOST.values()) if k not in (Pos, Force)]
messages_of_any_kind = st.one_of(pos(), force, *(fixed(kind) for kind in FIXED))


@settings(deadline=None)
@given(messages_of_any_kind, u8)
def test_there_and_back(message: Message, seq: int) -> None:
    payload = message.to_bytes(seq)
    assert len(payload) <= MAX_PAYLOAD_BYTES
    assert payload[:2] == bytes([message.TYPE, seq])
    assert Deframer().feed(frame(payload)) == [payload]
    assert parse(payload) == message


@settings(deadline=None)
@given(messages_of_any_kind, st.integers(-3, 3).filter(bool))
def test_another_length_is_refused(message: Message, change: int) -> None:
    body = message.to_bytes(0)[2:]
    if len(body) + change < 0:
        return
    with pytest.raises(MessageError):
        type(message).from_body((body + b"\x01\x01\x01")[: len(body) + change])


def test_the_sizes_are_those_of_the_protocol() -> None:
    sizes = {kind.TYPE: kind.BODY.size for kind in FIXED}
    assert sizes == {
        0x01: 27, 0x02: 23, 0x03: 12, 0x04: 3, 0x12: 9, 0x81: 0, 0x82: 5, 0x83: 0, 0x84: 4, 0x85: 0, 0x86: 3,
    }  # fmt: skip
    assert len(frame(Pos(0, 0, 0, 2000, (0,) * 10).to_bytes(0))) == 38
    assert len(frame(Force(0, 0, 0, 0, 0, (0,)).to_bytes(0))) == 20


def test_bytes_stand_where_protocol_md_draws_them() -> None:
    assert StartStream(3, 2000, 5, 9).to_bytes(7).hex(" ") == "82 07 03 d0 07 05 09"
    assert Pos(9, 0x0102, 0x01020304, 2000, (-2, 1)).to_bytes(1).hex(" ") == (
        "10 01 09 02 01 04 03 02 01 d0 07 02 fe ff ff ff 03 00"
    )
    assert Force(9, 5, 0x01020304, 12500, 2, (-1, 0x7FFFFF)).to_bytes(2).hex(" ") == (
        "11 02 09 05 00 04 03 02 01 d4 30 02 02 ff ff ff ff ff 7f"
    )
    hello = Hello(1, 0, 2, 3, codes.Mcu.ATMEGA328P, 1, 0xBEEF, 42, codes.Adc.HX711, 80, 3, 16000, 7, 123)
    assert hello.firmware == "0.2.3"
    assert hello.to_bytes(0).hex(" ") == (
        "01 00 01 00 02 03 01 01 ef be 2a 00 00 00 01 50 00 03 00 80 3e 07 00 00 00 7b 00 00 00"
    )
    status = Status(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    assert status.to_bytes(0).hex(" ") == ("02 00 01 00 00 00 02 00 03 00 04 00 05 00 06 00 07 00 08 00 09 00 0a 00 01")


@pytest.mark.parametrize("count", [0, MAX_POS_SAMPLES + 1])
def test_a_block_of_impossible_size_is_refused(count: int) -> None:
    with pytest.raises(MessageError):
        Pos(0, 0, 0, 2000, (0,) * count).to_bytes(0)
    with pytest.raises(MessageError):
        Force(0, 0, 0, 0, 0, (0,) * count).to_bytes(0)
    body = bytearray(Pos(0, 0, 0, 2000, (0,)).to_bytes(0)[2:])
    body[9] = count
    with pytest.raises(MessageError):
        Pos.from_body(bytes(body))


@settings(deadline=None)
@given(st.binary(max_size=58))
def test_any_body_of_any_type_is_a_message_or_an_error(body: bytes) -> None:
    for kind in range(256):
        try:
            message = parse(bytes([kind, 0]) + body)
        except MessageError:
            continue
        assert message is None or message.to_bytes(0)[2:] == body


def test_an_unknown_type_is_nothing() -> None:
    assert parse(b"\x7f\x00anything") is None


def test_protocol_md_matches_the_code() -> None:
    text = (Path(messages.__file__).parents[1] / "PROTOCOL.md").read_text(encoding="utf-8")
    assert f"on the wire {frame(messages.StopStream().to_bytes(0)).hex(' ')}\n" in text
    for kind in FROM_DEVICE.values():
        if kind not in (Pos, Force):
            assert re.search(rf"^### {kind.TYPE:02X} \w+, {kind.BODY.size} bytes", text, re.MULTILINE)
    for kind in FROM_HOST.values():
        assert f"| {kind.TYPE:02X} " in text
