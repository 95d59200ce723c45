"""The controls of a replay on the page.

GET /playback.json                {"v", "playing", "speed", "at_s", "length_s"}
POST /playback?playing=false      also speed=2, at_s=12.5; the answer is the new state
"""

from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec
from websockets.http11 import Response

from monitor.display import answers
from monitor.display.admission import PageRequest

PLAYING = {"true": True, "false": False}


class Player(Protocol):
    """Plays a recording."""

    def state(self) -> dict[str, Any]: ...
    def play(self, playing: bool) -> None: ...
    def seek(self, at_s: float) -> None: ...

    def set_speed(self, speed: float) -> None:
        """Raises ValueError."""


class PlaybackDesk:
    """Answers on the page of one replay."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def answer(self, visit: PageRequest) -> Response | None:
        """None for another path or method."""
        if visit.method == "GET" and visit.url.path == "/playback.json":
            return self._state()
        if visit.method != "POST" or visit.url.path != "/playback":
            return None
        try:
            for name, value in parse_qsl(visit.url.query, keep_blank_values=True, max_num_fields=3):
                self._change(name, value)
        except (ValueError, KeyError):
            return answers.text(HTTPStatus.BAD_REQUEST, "Use playing=true or false, at_s=SECONDS, speed=0.25 to 4.")
        return self._state()

    def _change(self, name: str, value: str) -> None:
        match name:
            case "playing":
                self._player.play(PLAYING[value])
            case "speed":
                self._player.set_speed(float(value))
            case "at_s" if 0 <= float(value) < 1e9:
                self._player.seek(float(value))
            case _:
                raise ValueError(name)

    def _state(self) -> Response:
        return answers.json(msgspec.json.encode(self._player.state()))
