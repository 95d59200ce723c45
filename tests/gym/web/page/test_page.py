"""The gym's page in a real browser: what each view shows of known rows, and what each touch sends."""

import base64
import re
import time

import pytest

from tests import needs
from tests.browser import Page
from tests.display.axe import violations
from tests.gym.web.page.conftest import TABLET, Visitor
from tests.gym.web.page.fake_gym import STATE, FakeGym
from tests.gym.web.page.hands import click, texts, type_into
from tests.gym.web.page.scene import ADA, BEN, EVE, KG, MARKUP, full_card
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


def test_clients_are_found_and_added(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at("#/clients", ".people a")
    assert texts(page, ".people b") == ["Ada", "Ben", MARKUP]
    assert texts(page, ".people .missing") == ["no consent"]
    type_into(page, "#search", "knÉe")
    assert texts(page, ".people b") == ["Ada"]
    click(page, "#add")
    type_into(page, "dialog [name=name]", "Cleo")
    click(page, "dialog [name=consent]")
    today = page.evaluate("document.querySelector('dialog [name=consent_on]').value")
    click(page, "dialog .strong")
    page.wait("location.hash.endsWith('/details') && document.querySelector('h1')?.textContent === 'Cleo'")
    assert gym.sent == [("POST", "/api/clients", {"name": "Cleo", "consent_on": today, "note": ""})]


def test_people_are_imported_from_csv(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at("#/clients", ".people a")
    choose = """(() => { const files = new DataTransfer(); files.items.add(new File(["name\\nZoe\\n"], "people.csv"));
      const field = document.querySelector("#csv"); field.files = files.files;
      field.dispatchEvent(new Event("change")); })()"""
    page.evaluate(choose)
    page.wait("document.querySelector('dialog')")
    assert gym.sent == [("POST", "/api/people.csv", "name\nZoe\n")]
    (said,) = texts(page, "dialog .lines")
    assert said.startswith("2 added, 1 changed; 3 machine settings added or changed. Never seen here: rep/dip.")
    gym.failing["/api/people.csv"] = (422, "line 2: the name is empty; give a name or an alias")
    click(page, "dialog button")
    page.evaluate(choose)
    page.wait("document.querySelector('dialog .lines')?.textContent.startsWith('line 2: the name is empty')")
    assert texts(page, "dialog h2") == ["Nothing was imported"]


def test_the_settings_of_a_client(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at(f"#/clients/{ADA}/details", ".setting")
    pulldown = ".setting:nth-of-type(3) "
    type_into(page, pulldown + "[name=seat]", "5, back 2")
    type_into(page, pulldown + "[name=window_high_s]", "120")
    click(page, pulldown + ".save button")
    page.wait(f"document.querySelector({(pulldown + '.answer')!r}).textContent === '✓ Saved'")
    row = {"site": "rep", "machine": "pulldown", "seat": "5, back 2", "window_low_s": 60, "window_high_s": 120}
    assert gym.sent == [
        ("PUT", f"/api/clients/{ADA}/settings", {**row, "protocol": "5/5", "next_load_n": 45 * KG, "note": ""})
    ]
    type_into(page, pulldown + "[name=next_load]", "50")
    click(page, pulldown + ".save button")
    page.wait(f"document.querySelector({(pulldown + '.answer')!r}).textContent === '✓ Saved'")
    assert gym.sent[1][2]["next_load_n"] == pytest.approx(50 * KG)


def test_forgetting_is_confirmed_and_each_machine_answers(visitor: Visitor, gym: FakeGym) -> None:
    where = {"site": "rep", "answered_unix_s": None}
    gym.forgotten = [
        {**where, "machine": "row", "ok": True, "detail": None},
        {**where, "machine": "neck", "ok": None, "detail": "it is away"},
    ]
    page = visitor.at(f"#/clients/{ADA}/details", "#forget")
    click(page, "#forget")
    click(page, "dialog .danger")  # not confirmed
    assert gym.sent == []
    click(page, "dialog [name=sure]")
    click(page, "dialog .danger")
    page.wait("document.querySelectorAll('dialog .answers li').length === 3")
    page.wait("document.querySelectorAll('dialog').length === 1")  # the first one goes with the next frame
    assert texts(page, "dialog .answers li") == ["✓ Here removed", "✓ Row removed", "… Neck it is away"]
    assert gym.sent == [("DELETE", f"/api/clients/{ADA}", None)]
    click(page, "dialog button")
    page.wait("document.querySelector('.people b') && location.hash === '#/clients'")
    assert texts(page, ".people b") == ["Ben", MARKUP]


def test_the_card_and_its_suggestion(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at(f"#/clients/{ADA}/card", ".card")
    assert texts(page, ".card tbody th b") == ["Pulldown", "Row"]
    assert texts(page, ".card tbody th small")[0] == "seat 4 · 60 to 90 s · 5/5"
    assert texts(page, ".card tr:first-child .cell") == ["242.571", "145F96"]  # order, load, failure, time under load
    assert texts(page, ".card tr:first-child .cell .failed") == ["F"]
    assert texts(page, ".card .reason")[1] == "No set on this machine yet."
    assert texts(page, ".card .chosen") == ["45 kg", "open"]
    assert texts(page, ".card .take") == ["Take ↑ 50 kg"]
    click(page, ".card .take")
    page.wait("document.querySelector('.chosen')?.textContent === '50 kg'")
    assert gym.sent[0][:2] == ("PUT", f"/api/clients/{ADA}/settings")
    assert gym.sent[0][2] == {**gym.settings[ADA][0], "seat": "4", "next_load_n": 50 * KG}
    assert texts(page, ".card .take") == []
    click(page, "#earlier")
    page.wait("document.querySelectorAll('.card tr:first-child .cell').length === 16")
    assert texts(page, ".sheets h2") == ["Ada · Sheet 1 of 2"]
    page.evaluate("""(() => { const unit = document.querySelector("#unit"); unit.value = "lb";
      unit.dispatchEvent(new Event("change")); })()""")
    page.wait("document.querySelector('.cell .load')?.textContent === '93.7'")
    page.evaluate("localStorage.clear()")


def test_the_card_is_printed_on_one_page(visitor: Visitor, gym: FakeGym) -> None:
    full_card(gym, machines=12)
    page = visitor.at(f"#/clients/{ADA}/card/1", ".card")
    pdf = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
    assert box is not None
    assert [round(float(side)) for side in box.groups()] == [842, 595]  # A4, landscape
    page.call("Emulation.setEmulatedMedia", media="print")
    try:
        assert page.evaluate("document.querySelector('.take').checkVisibility()") is False
        assert page.evaluate("document.querySelector('.printed').checkVisibility()") is True
    finally:
        page.call("Emulation.setEmulatedMedia", media="")


def test_skill_and_strength_are_two_charts(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at(f"#/clients/{ADA}/progress/rep%2Frow", ".charts canvas")
    assert texts(page, ".charts h2") == ["Skill", "Strength"]
    assert texts(page, ".charts figcaption b") == ["90 %", "90 kg"]
    assert len(page.evaluate("[...document.querySelectorAll('.charts canvas')].map((one) => one.width)")) == 2
    label = page.evaluate("document.querySelector('.charts .plot').getAttribute('aria-label')")
    assert re.fullmatch(r"Skill: 13 visits, from 66 % on .* to 90 % on .*", label)
    assert page.evaluate("document.querySelector('#machine').value") == "rep/row"
    gym.points = gym.points[:1]
    page = visitor.at(f"#/clients/{ADA}/progress", ".part .notice:not([hidden])")
    assert texts(page, ".part .notice") == ["1 visit with a set on Leg press: lines need two."]


def test_one_touch_sends_the_client_to_the_next_machine(visitor: Visitor, gym: FakeGym) -> None:
    page = visitor.at(f"#/clients/{ADA}/workout", ".go")
    assert texts(page, ".go.strong b") == ["Pulldown"]  # after the row, and free
    assert texts(page, ".go span")[2] == "seat 4 · 45 kg · 5/5"
    assert texts(page, ".go small")[1] == "done: 60 kg, 91 s, to failure · Ben is lifting"
    click(page, ".go.strong")
    page.wait("document.querySelector('.next[data-mood=good]')")
    assert gym.sent == [("POST", "/api/next", {"client_id": ADA, "site": "rep", "machine": "pulldown"})]
    assert texts(page, ".next h2, .next dd") == ["Pulldown", "4", "45 kg", "5/5"]
    assert texts(page, ".next li") == ["✓ Who lifts set", "✓ Load set", "✓ Protocol set"]
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.next dd')).fontSize)")
    assert size >= 56  # px: to be seen from the seat
    gym.next["answers"][1].update(ok=False, detail="a set is in progress")
    click(page, "#go-rep\\/leg-curl")
    page.wait("document.querySelector('.next[data-mood=bad] li:nth-child(2)')")
    assert texts(page, ".next li")[1] == "✗ Load not set: a set is in progress"
    gym.failing["/api/next"] = (504, "The machine does not answer.")
    click(page, "#go-rep\\/neck")
    page.wait("document.querySelector('.next li')?.textContent === 'The machine does not answer.'")
    gym.floor[0].update(state=STATE, client_id=None, client_name=None)  # free, but done today
    gym.floor[2]["online"] = False
    page.wait("document.querySelector('#go-rep\\\\/pulldown small')?.textContent === 'offline'")
    assert texts(page, ".go.strong b") == ["Pulldown"]
    gym.floor[5].update(state=STATE, client_id=None, client_name=None)
    page.wait("document.querySelector('.go.strong b')?.textContent === 'Dip'")  # the next that can be used
    del gym.failing["/api/next"]
    gym.next.update(load_n=None, protocol=None)
    gym.floor[4]["kind"] = "static"
    page.wait("document.querySelector('#go-rep\\\\/neck span')?.textContent === ''")
    assert texts(page, ".go span")[5] == "load learned"
    for machine, words in [("neck", "none"), ("dip", "learned")]:
        click(page, f"#go-rep\\/{machine}")
        page.wait(f"document.querySelectorAll('.next dd')[1]?.textContent === '{words}'")
    assert texts(page, ".next dd")[2] == "the machine's own"


def test_without_consent_the_page_says_what_is_missing(visitor: Visitor) -> None:
    page = visitor.at(f"#/clients/{BEN}", ".go")
    assert texts(page, ".consent:not([hidden])")[0].startswith("No consent is recorded")
    page = visitor.at(f"#/clients/{ADA}", ".go")
    assert texts(page, ".consent:not([hidden])") == []


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
