"""A short code lets one screen in, and cannot be guessed."""

import json
import socket
from collections.abc import Awaitable, Callable
from xml.etree import ElementTree

import pytest

from monitor.display import pairing
from monitor.display.pairing import PairingCodes, TooManyCodes
from monitor.display.qr_code import QUIET, blocks, drawing
from monitor.display.server import PageServer
from monitor.mqtt.contract.roles import Role
from tests.mqtt.page_requests import Answer, get, profile
from tests.mqtt.stage import play

COACH = {"Cookie": "rep-monitor-token=c0ach"}
DISPLAY = {"Cookie": "rep-monitor-token=d1splay"}


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def codes(clock: Clock) -> PairingCodes[Role]:
    return PairingCodes(clock)


def test_a_code_can_be_read_aloud_and_is_used_once(codes: PairingCodes[Role]) -> None:
    code = codes.make(Role.COACH)
    assert len(code) == 6
    assert not set(code) & set("01OIoi"), "look alike"
    assert codes.redeem(f" {code[:3].lower()}-{code[3:].lower()}\n", "192.0.2.1") is Role.COACH
    assert codes.redeem(code, "192.0.2.1") is None
    made = {codes.make(Role.DISPLAY) for _ in range(500)}
    assert len(made) == 500


def test_a_code_is_valid_for_five_minutes(codes: PairingCodes[Role], clock: Clock) -> None:
    first, second = codes.make(Role.DISPLAY), codes.make(Role.DISPLAY)
    clock.now_s += pairing.VALID_S - 1
    assert codes.redeem(first, "p") is Role.DISPLAY
    clock.now_s += 1
    assert codes.redeem(second, "p") is None


def test_few_codes_are_valid_at_a_time(codes: PairingCodes[Role]) -> None:
    made = [codes.make(Role.DISPLAY) for _ in range(pairing.MOST_CODES + 1)]
    assert codes.redeem(made[0], "p") is None
    assert codes.redeem(made[1], "p") is Role.DISPLAY


@pytest.mark.parametrize("addresses", [["192.0.2.1"], [f"2001:db8::{n}" for n in range(1, 9)], ["fe80::1%eth0"]])
def test_a_peer_that_guesses_must_wait_and_others_need_not(
    codes: PairingCodes[Role], clock: Clock, addresses: list[str]
) -> None:
    code = codes.make(Role.DISPLAY)
    for n in range(pairing.MOST_WRONG_OF_A_PEER):
        assert codes.redeem("AAAAAA", addresses[n % len(addresses)]) is None
    with pytest.raises(TooManyCodes):
        codes.redeem(code, addresses[-1])
    assert codes.redeem(code, "192.0.2.77") is Role.DISPLAY
    clock.now_s += pairing.WINDOW_S
    assert codes.redeem("AAAAAA", addresses[-1]) is None


def test_many_peers_that_guess_must_wait(codes: PairingCodes[Role], clock: Clock) -> None:
    code = codes.make(Role.DISPLAY)
    tried = 0
    for n in range(1000):
        clock.now_s += 0.2
        try:
            codes.redeem("AAAAAA", f"10.0.{n // 256}.{n % 256}")
            tried += 1
        except TooManyCodes:
            pass
    assert tried <= pairing.MOST_WRONG * (1 + 1000 * 0.2 / pairing.WINDOW_S)
    clock.now_s += pairing.WINDOW_S
    assert codes.redeem(code, "10.0.0.1") is Role.DISPLAY


def test_both_pictures_of_a_code_show_the_same_modules() -> None:
    text = "http://gym-box.local:8080/pair.html#K7Q2MP"
    drawn = drawing(text)
    size, path = drawn.size, drawn.path
    svg = ElementTree.fromstring(f'<svg viewBox="0 0 {size} {size}"><path d="{path}"/></svg>')
    assert svg[0].get("d") == path
    dark = set()
    for run in path.split("M")[1:]:
        start, _, rest = run.partition("h")
        x, y = map(int, start.split())
        dark |= {(x + dx, y) for dx in range(int(rest.partition("v")[0]))}
    lines = blocks(text)
    assert {len(line) for line in lines} == {size}
    seen = {
        (x, 2 * at + lower)
        for at, line in enumerate(lines)
        for x, block in enumerate(line)
        for lower in (0, 1)
        if block == "█" or block == ("▀", "▄")[lower]
    }
    assert seen == dark
    assert min(min(place) for place in dark) == QUIET
    finder = {(QUIET + x, QUIET + y) for x in range(7) for y in range(7) if {x, y} & {0, 6}}
    assert finder <= dark, "the frame of the corner that a camera looks for"


def served(story: Callable[[PageServer], Awaitable[None]], *, is_open: bool = True) -> None:
    async def whole() -> None:
        tokens = {Role.DISPLAY: "d1splay", Role.COACH: "c0ach"} if is_open else None
        async with PageServer(profile(), None, tokens=tokens) as server:
            await story(server)

    play(whole())


async def invite(server: PageServer, query: str = "") -> dict[str, str]:
    answer = await get(server, f"/code{query}", method="POST", host="gym-box.local:8080", **COACH)
    assert answer.status == 200
    return dict(json.loads(answer.body))


async def give(server: PageServer, code: str) -> Answer:
    return await get(server, "/pair", method="POST", Rep_Monitor_Code=code, Content_Length="0")


def test_a_coach_lets_a_screen_in_without_its_token() -> None:
    async def story(server: PageServer) -> None:
        for query, role in {"": "display", "?role=display": "display", "?role=coach": "coach"}.items():
            invitation = await invite(server, query)
            code = invitation["code"]
            assert invitation["link"] == f"http://gym-box.local:8080/pair.html#{code}"
            assert (await get(server, "/pair.html")).status == 200
            let_in = await give(server, code)
            assert (let_in.status, json.loads(let_in.body)) == (200, {"v": 1, "role": role})
            cookie = let_in.headers["set-cookie"].partition(";")[0]
            rights = json.loads((await get(server, "/may.json", Cookie=cookie)).body)
            assert (rights["role"], rights["invite"]) == (role, role == "coach")
            again = await give(server, code)
            assert (again.status, "set-cookie" in again.headers) == (403, False)

    served(story)


def test_a_coach_at_this_computer_invites_a_tablet_to_it_by_its_name() -> None:
    async def story(server: PageServer) -> None:
        for host in ("127.0.0.1:8080", "localhost:8080", "[::1]:8080"):
            answer = await get(server, "/code", method="POST", host=host, **COACH)
            invitation = json.loads(answer.body)
            assert invitation["link"] == f"http://{socket.gethostname()}:{server.port}/pair.html#{invitation['code']}"

    served(story)


def test_only_a_coach_lets_screens_in() -> None:
    async def story(server: PageServer) -> None:
        for cookie in ({}, DISPLAY):
            assert (await get(server, "/code", method="POST", **cookie)).status == 403
        foreign = await get(server, "/code", method="POST", Origin="http://evil.example", **COACH)
        assert foreign.status == 403
        assert (await get(server, "/code", **COACH)).status == 404, "a link or an image must not make a code"

    served(story)


def test_after_guessing_even_the_right_code_is_refused() -> None:
    async def story(server: PageServer) -> None:
        invitation = await invite(server)
        for _ in range(pairing.MOST_WRONG_OF_A_PEER):
            assert (await give(server, "AAAAAA")).status == 403
        refused = await give(server, invitation["code"])
        assert (refused.status, refused.headers["retry-after"]) == (429, "60")
        assert "set-cookie" not in refused.headers

    served(story)


def test_a_page_that_needs_no_token_has_no_codes() -> None:
    async def story(server: PageServer) -> None:
        for path in ("/code", "/pair"):
            assert (await get(server, path, method="POST")).status == 405
        assert not json.loads((await get(server, "/may.json")).body)["invite"]

    served(story, is_open=False)
