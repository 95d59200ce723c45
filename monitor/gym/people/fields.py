"""Checks the values that people type: each function returns the value as it is stored, or raises BadField."""

import math
import re
import time
import unicodedata
from datetime import date

from monitor.gym.people.errors import BadField
from monitor.mqtt.contract.commands import LEAST_LOAD_N, MOST_LOAD_N
from monitor.mqtt.contract.topics import ROOT_WORDS, is_root
from monitor.safe_output import plain

CLIENT_ID = re.compile(r"c-[a-z0-9]{10}", re.ASCII)
LEVEL = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)  # one level of a topic
MOST_NAME, MOST_SEAT, MOST_NOTE, MOST_PROTOCOL = 100, 100, 1000, 64  # characters
MOST_WINDOW_S = 3600.0


def checked_text(field: str, value: str, most: int, lines: bool = False) -> str:
    """Without spaces around it. Only with `lines` it may have line ends."""
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").strip())
    if len(text) > most:
        raise BadField(field, f"has {len(text)} characters; shorten it to {most}")
    odd = plain(text) != text or "\t" in text or ("\n" in text and not lines)
    if odd or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadField(field, "has control characters; type it anew")
    if "\ufffd" in text:
        raise BadField(field, "has a character that was lost; save the table as UTF-8, or type it anew")
    return text


def checked_name(value: str) -> str:
    name = checked_text("name", value, MOST_NAME)
    if not any(unicodedata.category(character) not in ("Cf", "Zs") for character in name):  # Cf: without width
        raise BadField("name", "is empty; give a name or an alias")
    return name


def checked_note(value: str) -> str:
    return checked_text("note", value, MOST_NOTE, lines=True)


def checked_consent(value: str | None) -> str | None:
    """An ISO date that is not later than today."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise BadField("consent_on", "is not a date; write it as 2026-11-29") from None
    if day.isoformat() != value:
        raise BadField("consent_on", "is no plain date; write it as 2026-11-29")
    if value > time.strftime("%Y-%m-%d"):
        raise BadField("consent_on", "is in the future; give the day on which the client consented")
    return value


def checked_client_id(value: str) -> str:
    if not CLIENT_ID.fullmatch(value):
        raise BadField("client_id", "must be c- and ten of a-z and 0-9; leave it empty for a new client")
    return value


def checked_site(value: str) -> str:
    if not is_root(value):
        raise BadField("site", f"must be {ROOT_WORDS}")
    return value


def checked_machine(value: str) -> str:
    if not LEVEL.fullmatch(value):
        raise BadField("machine", "must be the machine's id: 1 to 64 letters, digits, - or _")
    return value


def checked_window(low_s: float, high_s: float) -> tuple[float, float]:
    for field, value in (("window_low_s", low_s), ("window_high_s", high_s)):
        if not (math.isfinite(value) and 1 <= value <= MOST_WINDOW_S):
            raise BadField(field, f"must be 1 to {MOST_WINDOW_S:.0f} seconds")
    if low_s > high_s:
        raise BadField("window_low_s", f"must not be above window_high_s ({high_s:g} s)")
    return low_s, high_s


def checked_load(load_n: float | None) -> float | None:
    if load_n is not None and not LEAST_LOAD_N <= load_n <= MOST_LOAD_N:
        raise BadField("next_load_n", f"must be {LEAST_LOAD_N:g} to {MOST_LOAD_N:g} N, or empty")
    return load_n


def checked_protocol(value: str | None) -> str | None:
    """What `cmd/protocol` calls it, such as 10/10. The machine knows which names it has."""
    return (checked_text("protocol", value, MOST_PROTOCOL) or None) if value is not None else None
