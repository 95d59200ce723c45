"""Answers the gym's page as its REST interface does, from rows in memory, and keeps what the page sends.

with FakeGym() as gym:
    gym.floor.append(machine("leg-press", position=1))
    browser.open(gym.url, ...)
    gym.sent                    what the page has changed: [("POST", "/api/next", {...}), ...]
"""

import asyncio
import json
import mimetypes
import socket
import threading
import time
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qs

import uvicorn

from monitor.display.door import Door
from monitor.gym.web.server import LimitedRequests, PageUvicorn

ROOT = Path(__file__).parents[4]
FOLDERS = {"/page/shared/": ROOT / "monitor/display/page", "/page/": ROOT / "monitor/gym/web/page"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
Row = dict[str, Any]


class FakeGym:
    """Use it in a `with` block."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """An empty gym; the screen is a trainer's."""
        self.role: str | None = "trainer"
        self.logins: list[Row] = []
        self.invites_to: str | None = None  # the address of a code, where it is not this one
        self.trouble: list[str] = []
        self.floor: list[Row] = []
        self.clients: list[Row] = []
        self.settings: dict[str, list[Row]] = {}  # by client
        self.visits: list[Row] = []
        self.since_unix_s = 0.0  # which visits were asked for last; all are given
        self.cards: dict[str, list[Row]] = {}  # the sheets of a client, the newest first
        self.points: list[Row] = []
        self.next: Row = {}  # the answer of /api/next
        self.forgotten: list[Row] = []  # what the machines answered
        self.failing: dict[str, tuple[int, str]] = {}  # path -> status and sentence
        self.sent: list[tuple[str, str, Any]] = []

    def __enter__(self) -> Self:
        place = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{place.getsockname()[1]}/"
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            http=cast(type[asyncio.Protocol], partial(LimitedRequests, Door())),  # ends what Chromium opens as a spare
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = PageUvicorn(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([place])), name="fake gym")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _serve(self, scope: Row, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        status, data, kind = self._respond(scope["method"], scope["path"], scope["query_string"].decode(), body)
        headers = {"Content-Type": kind, "Content-Security-Policy": POLICY, "Connection": "close"}
        if scope["path"].startswith("/page/"):
            headers["Cache-Control"] = "max-age=3600"  # each test loads the page anew, but its scripts only once
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": data})

    def _respond(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes, str]:
        if not path.startswith("/api/"):
            return _file("/page/index.html" if path == "/" else path)
        given = body.decode()
        sent = given if path.endswith(".csv") else json.loads(given) if given else None
        if method != "GET":
            self.sent.append((method, path, sent))
        if path in self.failing:
            status, sentence = self.failing[path]
            answer: Any = {"error": sentence}
        else:
            asked = {key: values[0] for key, values in parse_qs(query).items()}
            status, answer = self.answer(method, path, asked, sent)
        return status, b"" if answer is None else json.dumps(answer).encode(), "application/json"

    def answer(self, method: str, path: str, query: Row, body: Any) -> tuple[int, Any]:
        if path == "/api/pair":
            if body["code"] != "ABC234":
                return 403, {"error": "This code is wrong, used or too old."}
            self.role = "trainer"
            return 204, None
        if self.role is None:
            return 401, {"error": "This screen is not logged in."}
        match method, path.strip("/").split("/")[1:]:
            case "GET", ["me"]:
                return 200, {"role": self.role, "name": "tablet"}
            case "POST", ["logout"]:
                self.role = None
                return 204, None
            case "POST", ["codes"]:
                qr = {"size": 29, "path": "M4 4h7v1h-7zM4 10h7v1h-7z"}
                url = f"{self.invites_to or self.url}#XYZ789"
                return 200, {"code": "XYZ789", "url": url, "expires_unix_s": time.time() + 300, "qr": qr}
            case "GET", ["logins"]:
                return 200, self.logins
            case "DELETE", ["logins", login_id]:
                self.logins = [one for one in self.logins if one["login_id"] != login_id]
                return 204, None
            case "GET", ["floor"]:
                return 200, {"now_unix_s": time.time(), "trouble": self.trouble, "machines": self.floor}
            case "PATCH", ["machines"]:
                next(one for one in self.floor if one["machine"] == body["machine"]).update(body)
                return 200, None
            case "GET", ["clients"]:
                return 200, self.clients
            case "POST", ["clients"]:
                self.clients.append({"client_id": f"c-{len(self.clients):010}", "created_unix_s": 0.0, **body})
                return 201, self.clients[-1]
            case "GET", ["visits"]:
                self.since_unix_s = float(query.get("since_unix_s", 0))
                who = query.get("client_id")
                return 200, [visit for visit in self.visits if who in (None, visit["client_id"])]
            case "PATCH", ["sets"]:
                for one in (one for visit in self.visits for one in visit["sets"]):
                    if (one["machine"], one["seq"]) == (body["machine"], body["seq"]):
                        mark = body["marked_failure"]
                        one.update(
                            marked_failure=mark,
                            note=body["note"],
                            failure=one["outcome"] == "failure" if mark is None else mark,
                        )
                        return 200, one
                return 404, {"error": "There is no such set."}
            case "POST", ["next"]:
                return 200, self.next
            case "POST", ["people.csv"]:
                return 200, {"added": 2, "changed": 1, "settings": 3, "unseen_machines": ["rep/dip"]}
            case "GET", ["forget", _]:
                done = all(one["ok"] for one in self.forgotten)
                return 200, {"done_unix_s": time.time() if done else None, "answers": self.forgotten}
            case _, ["clients", client_id, *rest]:
                return self._of_client(method, client_id, rest, query, body)
        return 404, {"error": "There is no such address."}

    def _of_client(self, method: str, client_id: str, rest: list[str], query: Row, body: Any) -> tuple[int, Any]:
        client = next((one for one in self.clients if one["client_id"] == client_id), None)
        if client is None:
            return 404, {"error": f"nobody has the id {client_id!r}: look in the list of clients"}
        match method, rest:
            case "GET", []:
                return 200, client
            case "PATCH", []:
                client.update(body)
                return 200, client
            case "DELETE", []:
                self.clients.remove(client)
                return 202, {"request_id": "r-1"}
            case "GET", ["settings"]:
                return 200, self.settings.get(client_id, [])
            case "PUT", ["settings"]:
                rows = self.settings.setdefault(client_id, [])
                rows[:] = [row for row in rows if row["machine"] != body["machine"]] + [body]
                for sheet in self.cards.get(client_id, []):
                    for row in sheet["rows"]:
                        row["setting"] = body if row["machine"] == body["machine"] else row["setting"]
                return 200, body
            case "GET", ["card"]:
                return 200, {**self.cards[client_id][int(query["sheet"])], "client": client}
            case "GET", ["progress"]:
                return 200, self.points
        return 404, {"error": "There is no such address."}


def _file(path: str) -> tuple[int, bytes, str]:
    for prefix, folder in FOLDERS.items():
        file = folder / path.removeprefix(prefix)
        if path.startswith(prefix) and file.is_file():
            return 200, file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return 404, b"", "text/plain"


STATE: Row = {
    "v": 1, "session": "s-1", "stale": False, "feedback_hz": 25.0, "t_s": 100.0, "tension_n": 0.0, "tension": None,
    "band": None, "phase": "rest", "position": 0.0, "pace": None, "velocity_m_s": 0.0, "set": None, "rep": 0,
    "under_load_s": 0.0, "under_tension_s": 0.0, "resting": None, "cue": None, "load_n": 804.1, "load_from": "given",
    "fault": None,
}  # fmt: skip
LIFTING: Row = {**STATE, "phase": "positive", "set": 2, "rep": 5, "under_load_s": 42.4, "tension": 1.0}


def machine(name: str, label: str | None = None, state: Row | None = STATE, **fields: Any) -> Row:
    """One machine of the floor, free and in contact unless `fields` say otherwise."""
    return {
        "site": "rep", "machine": name, "label": label or name, "position": 0, "online": True, "state": state,
        "state_age_s": 0.4, "client_id": None, "client_name": None, "trouble": None, "kind": "stack", **fields,
    }  # fmt: skip


def a_set(name: str, seq: int, ended_unix_s: float, **fields: Any) -> Row:
    return {
        "site": "rep", "machine": name, "store_id": "store", "seq": seq, "label": name, "ended_unix_s": ended_unix_s,
        "started_unix_s": ended_unix_s - 80, "load_n": 804.1, "seat": "4", "under_load_s": 72.3,
        "under_tension_s": 61.8, "skill": 0.855, "strength_n": 804.1, "outcome": "ended", "failure": False,
        "marked_failure": None, "reps": 6, "partial_reps": 1, "clean_reps": 4, "pause_before_s": 95.0, "note": None,
        **fields,
    }  # fmt: skip


def visit(client_id: str | None, name: str | None, sets: list[Row]) -> Row:
    ends = [one["ended_unix_s"] for one in sets]
    return {"client_id": client_id, "name": name, "began_unix_s": ends[0] - 80, "ended_unix_s": ends[-1], "sets": sets}


def setting(name: str, **fields: Any) -> Row:
    return {
        "site": "rep", "machine": name, "seat": "", "window_low_s": 60.0, "window_high_s": 90.0, "protocol": None,
        "next_load_n": None, "note": "", **fields,
    }  # fmt: skip
