"""The gym's page in a real browser: what each view shows of known rows, and what each touch sends."""

import re
import time

from tests import needs
from tests.browser import Page
from tests.display.axe import violations
from tests.gym.web.page.conftest import TABLET, Visitor
from tests.gym.web.page.fake_gym import FakeGym
from tests.gym.web.page.hands import click, texts, type_into
from tests.gym.web.page.scene import ADA, EVE, MARKUP
from tests.soak import SOAKING, soak

pytestmark = [needs.chromium]
PHONE = (390, 844)
NOT_KNOWN = "\N{EN DASH}"


def test_the_floor_says_what_each_machine_does(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at("#/floor", ".tile")
    assert texts(page, ".tile h2") == ["Leg press", "Row", "Pulldown", "Leg curl", "Neck", "Dip"]
    assert texts(page, ".tile .word") == ["lifting", "resting", "free", "no data", "offline", "fault"]
    assert texts(page, ".tile .who") == ["Ada", "Ben", "", "", "", MARKUP]
    assert texts(page, ".tile:first-child dd") == ["5", "42 s", "82 kg"]
    assert re.fullmatch(r"since \d+:\d\d.*", texts(page, ".tile:nth-child(4) .since")[0])
    assert texts(page, ".tile:nth-child(5) .trouble") == ["The clock is 43 s behind: set the time there."]
    gym.trouble = ["The broker does not answer: check that it runs."]
    gym.floor[0]["state"] = {**gym.floor[0]["state"], "set": None, "rep": 0, "under_load_s": 0.0}
    page.wait("document.querySelector('.tile .word')?.textContent === 'ended'")
    assert texts(page, ".tile:first-child dd") == ["5", "42 s", "82 kg"]  # of the set that ended
    assert texts(page, ".troubles li") == gym.trouble
    gym.floor = []
    page.wait("!document.querySelector('.tile') && document.querySelector('.notice:not([hidden], .bad)')")


def test_a_screen_out_of_contact_says_so_and_recovers(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at("#/floor", ".tile")
    gym.failing["/api/floor"] = (503, "The database cannot be used now.")
    page.wait("document.body.dataset.contact === 'lost'")
    assert re.match(r"No news since .*The database cannot be used now\.$", texts(page, "#contact")[0])
    assert len(texts(page, ".tile")) == 6
    gym.failing.clear()
    page.wait("document.querySelector('#contact')?.hidden && document.body.dataset.contact === 'good'")


def test_a_hidden_screen_does_not_ask(visitor: Visitor) -> None:
    page = visitor.at("#/floor", ".tile")
    counted = page.evaluate(
        """(async () => {
          const { repeat } = await import("/page/js/poll.js");
          let hidden = false;
          let asked = 0;
          Object.defineProperty(document, "hidden", { get: () => hidden });
          const turn = () => new Promise((done) => setTimeout(done));
          const leaving = new AbortController();
          const ended = repeat(async () => { hidden = ++asked === 3; }, 0, leaving.signal, () => {});
          while (!hidden) await turn();
          for (let turns = 0; turns < 30; turns += 1) await turn();
          const whileHidden = asked;
          hidden = false;
          document.dispatchEvent(new Event("visibilitychange"));
          while (asked < 5) await turn();
          leaving.abort();
          await ended;
          return whileHidden;
        })()"""
    )
    assert counted == 3


def test_todays_workouts(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at("#/today", ".visit")
    assert texts(page, ".visit h2") == ["Ada", "Nobody named", MARKUP]  # the newest first
    assert time.localtime(gym.since_unix_s)[3:6] == (0, 0, 0)  # the local day
    rows = texts(page, ".visit:first-child tbody td")
    assert rows[:7] == ["4", "82 kg", "72 s", "62 s", "86 %", "ended", NOT_KNOWN]
    assert rows[7:] == ["4", "60 kg", "91 s", "62 s", "86 %", "to failure", "95 s"]
    assert texts(page, ".visit:first-child .note") == [MARKUP]
    assert texts(page, ".visit:nth-child(2) tbody td") == [
        "4",
        NOT_KNOWN,
        "72 s",
        NOT_KNOWN,
        NOT_KNOWN,
        "ended",
        "95 s",
    ]
    handout = page.evaluate("document.querySelector('.visit a.button').getAttribute('href')")
    assert handout == f"/api/clients/{ADA}/handout?began_unix_s={gym.visits[0]['began_unix_s']}&units=kg"


def test_failure_is_marked_by_one_touch_and_undone_in_the_dialog(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at("#/today", ".mark")
    click(page, "#mark-rep\\/leg-press\\/store\\/7")
    page.wait("document.querySelector('.mark')?.textContent.startsWith('to failure *')")
    key = {"site": "rep", "machine": "leg-press", "store_id": "store", "seq": 7}
    assert gym.sent == [("PATCH", "/api/sets", {**key, "marked_failure": True, "note": MARKUP})]
    click(page, ".visit .plain")
    page.evaluate("document.querySelector('dialog select').value = ''")
    type_into(page, "dialog textarea", " left shoulder ")
    click(page, "dialog .strong")
    page.wait("!document.querySelector('dialog') && document.querySelector('.mark')?.textContent.startsWith('ended,')")
    assert gym.sent[1:] == [("PATCH", "/api/sets", {**key, "marked_failure": None, "note": "left shoulder"})]


HOLD_VISITS = """(() => {
  const realFetch = fetch;
  globalThis.held = null;
  globalThis.fetch = async (path, options) => {
    const answer = await realFetch(path, options);
    if (path.startsWith("/api/visits") && !held) await new Promise((go) => (held = go));
    return answer;
  };
})()"""


def test_a_late_answer_does_not_undo_what_came_after_its_question(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at("#/today", ".mark")
    page.evaluate(HOLD_VISITS)
    click(page, "#mark-rep\\/leg-press\\/store\\/7")
    page.wait("held")  # the answer with this mark only
    second = "document.querySelector('#mark-rep\\\\/row\\\\/store\\\\/8')"
    page.evaluate(f"{second}.click()")
    page.wait(f"{second}?.textContent.startsWith('ended *')")
    page.evaluate("held()")
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert page.evaluate(f"{second}.textContent").startswith("ended *")


def test_a_display_only_watches(visitor: Visitor, gym: FakeGym) -> None:
    gym.role = "display"
    page = visitor.at("#/clients", ".tile")  # not for displays: the floor instead
    assert texts(page, "#pages a:not([hidden])") == ["Floor", "Today"]
    assert page.evaluate("document.querySelector('.tile a, .tile button')") is None
    page = visitor.at("#/today", ".visit")
    assert page.evaluate("[...document.querySelectorAll('button, a.button')].filter((one) => one.checkVisibility())"
                         ".map((one) => one.id)") == ["skip"]  # fmt: skip
    assert gym.sent == []


def test_names_are_text_never_markup(visitor: Visitor) -> None:
    """Every view with a name, a note or a label in it; the floor and today are tested above."""
    for part, shown in (("workout", ".go"), ("details", ".setting"), ("progress", ".part select")):
        page = visitor.at(f"#/clients/{EVE}/{part}", shown)
        assert texts(page, "h1") == [MARKUP]
        assert page.evaluate("document.querySelector('img')") is None
        assert page.evaluate("document.title") == f"{MARKUP} · Gym"


def test_a_code_lets_a_screen_in(visitor: Visitor, gym: FakeGym) -> None:
    gym.role = None
    login = {"role": "trainer", "used_unix_s": time.time()}
    gym.logins = [
        {**login, "login_id": "l-1", "name": "iPad, 810 x 1080", "is_this": True},
        {**login, "login_id": "l-2", "name": MARKUP, "is_this": False},
    ]
    page = visitor.at("", ".pairing")
    assert page.evaluate("document.querySelector('#top').hidden") is True
    type_into(page, "#code", "wrong1")
    click(page, ".pairing button")
    page.wait("document.querySelector('.pairing .notice')?.textContent === 'This code is wrong, used or too old.'")
    type_into(page, "#code", "abc 234")
    click(page, ".pairing button")
    page.wait("document.querySelector('.tile')")
    gym.role = None
    page.wait("document.querySelector('.pairing')")  # this screen's access was withdrawn
    page = visitor.at("#ABC234", ".tile")  # the link of a QR code
    assert page.evaluate("location.hash") == "#/floor"
    click(page, "#invite")
    page.wait("document.querySelector('#invite-code')?.textContent === 'XYZ 789'")
    page.evaluate("(() => { const role = document.querySelector('dialog select'); role.value = 'display';"
                  "role.dispatchEvent(new Event('change')); })()")  # fmt: skip
    page.wait("document.querySelector('#invite-code')?.textContent === 'XYZ 789'")
    codes = [body for _, path, body in gym.sent if path == "/api/codes"]
    assert codes == [{"role": "trainer"}, {"role": "display"}]
    page.wait("document.querySelector('#invite-closed')?.textContent.startsWith('Only this computer can reach')")
    gym.invites_to = "http://gym-box:8100/"
    click(page, "dialog [value=send]")
    page.wait("document.querySelector('.invitation').textContent.includes('or open gym-box:8100 there')")
    assert page.evaluate("document.querySelector('#invite-closed')") is None
    click(page, "dialog summary")
    page.wait("document.querySelectorAll('.screens li').length === 2")
    assert texts(page, ".screens b") == ["iPad, 810 x 1080", MARKUP]
    click(page, ".screens button")  # not this screen's own
    page.wait("document.querySelectorAll('.screens li').length === 1")
    assert gym.sent[-1] == ("DELETE", "/api/logins/l-2", None)
    click(page, "dialog [value=close]")
    click(page, "#leave")
    page.wait("document.querySelector('.pairing')")


def test_machines_are_named_and_put_in_order(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at("#/floor", "#arrange:not([hidden])")
    click(page, "#arrange")
    type_into(page, ".order li:nth-child(2) input", "Low row")
    click(page, "#earlier-rep\\/row")
    click(page, "dialog .strong")
    page.wait("document.querySelector('.tile h2')?.textContent === 'Low row'")
    assert gym.sent == [
        ("PATCH", "/api/machines", {"site": "rep", "machine": "row", "label": "Low row", "position": 1}),
        ("PATCH", "/api/machines", {"site": "rep", "machine": "leg-press", "label": "Leg press", "position": 2}),
    ]


VIEWS = {
    "#/floor": ".tile",
    "#/today": ".visit",
    "#/clients": ".people a",
    f"#/clients/{ADA}/workout": ".go",
    f"#/clients/{ADA}/card": ".card",
    f"#/clients/{ADA}/progress": ".charts canvas",
    f"#/clients/{ADA}/details": ".setting",
    "#/clients/c-nobody": "[role=alert]",  # an error in place of a view
}
SMALL = """[...document.querySelectorAll("button, a, select, input, textarea")].filter((one) => {
  const { width, height } = one.getBoundingClientRect();
  const inText = one.matches("p a, .tile a");
  return one.checkVisibility() && width > 2 && !inText && (height < 48 || width < 48) && one.type !== "checkbox";
}).map((one) => one.outerHTML.slice(0, 80))"""
OPENERS = {  # of a dialog, by view
    "#/floor": "#arrange",
    "#/today": ".visit .plain",
    "#/clients": "#add",
    f"#/clients/{ADA}/workout": "#invite",
    f"#/clients/{ADA}/details": "#forget",
}


LOOKS = [("dark", TABLET), ("light", PHONE)]


@needs.npm
@soak
def test_axe_finds_nothing_and_every_target_is_large(visitor: Visitor, gym: FakeGym) -> None:
    """In short, axe sees each view and each dialog in one of the looks."""
    for number, (address, shown) in enumerate(VIEWS.items()):
        page = visitor.at(address, shown)
        examine(page, address, number)
        if opener := OPENERS.get(address):
            page.wait(f"document.querySelector({opener!r} + ':not([hidden])')")
            click(page, opener)
            examine(page, opener, number + 1, "dialog")
    gym.role = None
    examine(visitor.at("", ".pairing"), "pairing", 0)


def examine(page: Page, what: str, number: int, within: str = ":root") -> None:
    for look, (scheme, (width, height)) in enumerate(LOOKS):
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.resize(width, height)
        page.wait(f"innerWidth === {width}")
        assert page.evaluate(SMALL) == [], (what, scheme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (what, scheme)
        if SOAKING or look == number % len(LOOKS):
            assert violations(page, within) == [], (what, scheme)
