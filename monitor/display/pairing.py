"""Short codes that let a new screen in, instead of its token of 24 characters.

A code is made by a coach, is valid for five minutes, and lets one screen in. Guessing is slow: after a few wrong codes
a peer has to wait, and after some more every peer. A day of guessing at the full rate tries 43,200 of 32^6 codes.
"""

import hmac
import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without 0, O, 1 and I
LENGTH = 6
VALID_S = 300.0
MOST_CODES = 4  # at a time; a newer one replaces the oldest
WINDOW_S = 60.0
MOST_WRONG_OF_A_PEER = 5  # in a window
MOST_WRONG = 30
Given = TypeVar("Given")  # what a code gives: a role


class TooManyCodes(Exception):
    """Too many codes were wrong: for a while this peer, or every peer, may not try another one."""


class PairingCodes(Generic[Given]):
    """The codes that are valid now, and the wrong ones of the last minute."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._valid: dict[str, tuple[Given, float]] = {}  # code -> role, end
        self._wrong: deque[tuple[float, str]] = deque(maxlen=MOST_WRONG)  # when, peer

    def make(self, role: Given) -> str:
        self._forget_old()
        while len(self._valid) >= MOST_CODES:
            del self._valid[next(iter(self._valid))]
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        self._valid[code] = (role, self._clock_s() + VALID_S)
        return code

    def redeem(self, given: str, address: str) -> Given | None:
        """The role that the code gives, once; None for a wrong code. Raises TooManyCodes."""
        self._forget_old()
        peer = _peer(address)
        if len(self._wrong) >= MOST_WRONG or [who for _, who in self._wrong].count(peer) >= MOST_WRONG_OF_A_PEER:
            raise TooManyCodes
        typed = "".join(given.upper().split()).replace("-", "").encode()
        for code in list(self._valid):
            if hmac.compare_digest(typed, code.encode()):
                return self._valid.pop(code)[0]
        self._wrong.append((self._clock_s(), peer))
        return None

    def _forget_old(self) -> None:
        now_s = self._clock_s()
        self._valid = {code: (role, end_s) for code, (role, end_s) in self._valid.items() if now_s < end_s}
        while self._wrong and self._wrong[0][0] <= now_s - WINDOW_S:
            self._wrong.popleft()


def _peer(address: str) -> str:
    """One household: a computer may use any address of its IPv6 network."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else address
