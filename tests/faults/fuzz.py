"""Random changes of the seeds and of the kept corpus, as inputs."""

import random
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

TRIES = 2000  # to make a finding smaller
CORPUS = Path(__file__).with_name("corpus")
NASTY = [
    *(
        b"\x00",
        b"\xff" * 8,
        b"\x00" * 8,
        b"\x7f\xff\xff\xff",
        b"\xed\xa0\x80",
        b"-1",
        b"1e999",
        b"18446744073709551616",
    ),
    *(b"NaN", b"null", b"[" * 2000, b"{", b'"', b"\n", b"\\u0000"),
]


def kept(target: str) -> list[bytes]:
    """The kept corpus: every input that ever broke something, and some that might."""
    return [path.read_bytes() for path in sorted((CORPUS / target).glob("*"))]


def smallest(data: bytes, breaks: Callable[[bytes], bool]) -> bytes:
    """An input from which no part can be removed, as long as it breaks the same; tries at most `TRIES` times."""
    size, tries = len(data), TRIES
    while size and tries:
        at, before = 0, len(data)
        while at < len(data) and tries:
            less = data[:at] + data[at + size :]
            tries -= 1
            if breaks(less):
                data = less
            else:
                at += size
        size = min(size // 2, len(data)) if len(data) == before or size > 1 else size
    return data


def keep(target: str, data: bytes) -> Path:
    """Keeps an input for debugging and for all later runs."""
    path = CORPUS / target / f"{sha256(data).hexdigest()[:16]}.bin"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def inputs(seeds: Sequence[bytes], dice: random.Random) -> Iterator[bytes]:
    """The unchanged seeds, then endless changes of them."""
    yield from seeds
    while True:
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.choice((1, 1, 2, 4, 16))):
            _change(data, seeds, dice)
        yield bytes(data)


def _change(data: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    start = dice.randrange(len(data) + 1)
    end = min(len(data), start + dice.choice((1, 1, 2, 8, 64, 1024)))
    match dice.randrange(8):
        case 0 if data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        case 1:
            del data[start:end]
        case 2:
            data[start:start] = dice.randbytes(dice.choice((1, 4, 64)))
        case 3:
            data[start:start] = data[start:end] * dice.choice((1, 2, 50))
        case 4:
            other = dice.choice(seeds)
            cut = dice.randrange(len(other) + 1)
            data[start:] = other[cut:]
        case 5:
            data[start:end] = dice.choice(NASTY)
        case 6:
            del data[start:]
        case _:
            data[start:end] = bytes(end - start)
