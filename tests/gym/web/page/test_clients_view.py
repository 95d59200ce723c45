"""The views of clients in a real browser: what each shows of known rows, and what each touch sends."""

import base64
import re

import pytest

from tests import needs
from tests.gym.web.page.conftest import Visitor
from tests.gym.web.page.fake_gym import STATE, FakeGym
from tests.gym.web.page.hands import click, texts, type_into
from tests.gym.web.page.scene import ADA, BEN, KG, MARKUP, full_card

pytestmark = [needs.chromium]


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
