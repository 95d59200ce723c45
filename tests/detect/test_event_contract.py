"""The event contract (monitor/detect/EVENTS.md) and the code agree: kinds, keys, numbers, order, tolerances.

`NOT_IN_CODE` names what the contract defines and the code lacks. It may only shrink: a test fails if the code has
something that is still listed. Then remove the name, and implement the rest of its section in the same change.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hatchling.builders.wheel import WheelBuilder
from msgspec import UnsetType

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.detect import (
    event_book,
    feedback,
    force_lead,
    loads,
    rep_shape,
    rest_finder,
    rests,
    sensor_faults,
    shown,
    tension,
)
from monitor.detect.moment import seconds
from monitor.events import KINDS, AnyEvent, Event, FaultCause, Feedback, Leak, Phase, RepStart, Turnaround
from monitor.learning import load, mass
from monitor.mqtt.contract.messages import LIVE_HZ
from monitor.profile import limits as limits_module
from monitor.profile.limits import Limits, limits_of
from monitor.profile.profile import MachineSettings, Profile, ProtocolSettings
from monitor.profile.settings import DetectSettings
from monitor.signals import conditions, friction, signal_window
from monitor.vocabulary.table import ROWS
from tests.quality.circumstances import TOLERANCES_S
from tests.quality.labels import ORDER
from tests.quality.summary import TARGETS, Target

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "monitor" / "detect" / "EVENTS.md"

NOT_IN_CODE: dict[str, set[str]] = {
    "kinds": set(),
    "keys": set(),
    "settings": set(),
    "targets": {"jerk", "assist"},  # of the labelled corpus
}

UNITS = {"ms": 1e-3, "s": 1.0, "mm": 1e-3, "m": 1.0, "mm/s": 1e-3, "m/s": 1.0, "N": 1.0, "Hz": 1.0, "g": 1.0, "%": 1e-2}
UNITS_OF_SUFFIX = {"_m_s": ("m/s", "mm/s"), "_s": ("s", "ms"), "_m": ("m", "mm"), "_n": ("N",), "_g": ("g",)}
UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
DEFAULT = re.compile(rf"(\d+(?:\.\d+)?)(?: ({UNIT})(?![\w/]))?[^()\d|]{{0,30}}\(`([a-z_.]+)`\)")
NO_DEFAULT = re.compile(r"\(`([a-z_.]+)`, no default\)")
CITATION = re.compile(r"EVENTS\.md (\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Section:
    """The text between two headings."""

    title: str
    text: str

    @property
    def number(self) -> str | None:
        found = re.match(r"(\d+(?:\.\d+)?)\.? ", self.title)
        return found and found[1]

    @property
    def kind(self) -> str | None:
        found = re.match(r"`(\w+)`", self.title)
        return found and found[1]

    @property
    def settings_table(self) -> str | None:
        found = re.search(r"`\[([a-z_.]+)\]`", self.title)
        return found and found[1]

    def table(self, first_column: str) -> list[dict[str, str]]:
        """The rows of the table whose first column this is, as dicts by column; empty if there is no such table."""
        lines = [line for line in self.text.splitlines() if line.startswith("|")]
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
        starts = [i for i, row in enumerate(rows) if row[0] == first_column]
        if not starts:
            return []
        head, body = rows[starts[0]], rows[starts[0] + 2 :]
        return [dict(zip(head, row, strict=True)) for row in body if len(row) == len(head)]


def _sections() -> list[Section]:
    parts = re.split(r"^#{2,3} (.+)\n", CONTRACT.read_text(), flags=re.MULTILINE)[1:]
    return [Section(title, text) for title, text in zip(parts[::2], parts[1::2], strict=True)]


SECTIONS = _sections()


def section(number: str) -> Section:
    return next(one for one in SECTIONS if one.number == number)


def names(cell: str) -> list[str]:
    return re.findall(r"`([\w./]+)`", cell)


GLANCE = section("2").table("kind")
OWN_KEYS = {names(row["kind"])[0]: set(names(row["own keys"])) for row in GLANCE}
STRUCTS: dict[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in AnyEvent.__args__}


def settings_of_the_contract() -> dict[str, set[float | None]]:
    """Every default by the full name of its setting, in SI units; its unit must be the name's."""
    found: dict[str, set[float | None]] = {}
    for one in SECTIONS:
        text = " ".join(one.text.split())
        for number, unit, key in DEFAULT.findall(text):
            wanted = next((units for suffix, units in UNITS_OF_SUFFIX.items() if key.endswith(suffix)), None)
            if wanted is not None and "_per_" not in key:
                assert unit in wanted, f"{key} is given in {unit or 'no unit'}: {one.title}"
            full = key if "." in key else f"{one.settings_table}.{key}"
            found.setdefault(full, set()).add(round(float(number) * UNITS.get(unit, 1.0), 9))
        for key in NO_DEFAULT.findall(text):
            found.setdefault(key, set()).add(None)
    return found


def settings_of_the_code() -> dict[str, Any]:
    detect = DetectSettings()
    found = {
        f"detect.{table}.{key}": value
        for table in detect.__struct_fields__
        for key, value in msgspec.structs.asdict(getattr(detect, table)).items()
    }
    for table, kind in (("machine", MachineSettings), ("protocol", ProtocolSettings)):
        found |= {f"{table}.{field.name}": field.default for field in msgspec.structs.fields(kind)}
    return found


def assert_same(what: str, contract: set[str], code: set[str]) -> None:
    """The contract has what the code has, and otherwise only what is listed."""
    listed = NOT_IN_CODE.get(what, set())
    assert not code & listed, f"now in the code, remove it from NOT_IN_CODE[{what!r}]: {sorted(code & listed)}"
    assert not code - contract, f"not in EVENTS.md: {sorted(code - contract)}"
    assert not contract - code - listed, f"not in the code: {sorted(contract - code - listed)}"
    assert not listed - contract, f"in NOT_IN_CODE[{what!r}], but not in EVENTS.md: {sorted(listed - contract)}"


def test_every_kind_is_in_the_table_and_has_its_own_section() -> None:
    assert_same("kinds", set(OWN_KEYS), set(KINDS))
    assert set(OWN_KEYS) <= {one.kind for one in SECTIONS}
    for row in GLANCE:  # the table names the section of the kind
        chapter = next(i for i, one in enumerate(SECTIONS) if one.number == row["section"])
        following = [one.kind for one in SECTIONS[chapter + 1 :]]
        ends = next((i for i, one in enumerate(SECTIONS[chapter + 1 :]) if one.number is not None), len(following))
        assert names(row["kind"])[0] in following[:ends], row


def test_every_key_of_a_record_is_named_and_explained() -> None:
    common = {names(row["key"])[0] for row in section("3").table("key")}
    assert common == set(Event.__struct_fields__) | {"kind"}
    contract = {f"{kind}.{key}" for kind, keys in OWN_KEYS.items() if kind in KINDS for key in keys}
    contract |= {f"leak.{names(row['key'])[0]}" for one in SECTIONS if one.title == "Leak" for row in one.table("key")}
    code = {
        f"{kind}.{key}"
        for kind, struct in STRUCTS.items()
        for key in set(struct.__struct_fields__) - set(Event.__struct_fields__)
    }
    assert_same("keys", contract, code | {f"leak.{key}" for key in Leak.__struct_fields__})
    for kind, keys in OWN_KEYS.items():
        text = "".join(one.text for one in SECTIONS if one.kind == kind)
        assert keys <= set(names(text)), f"{kind} does not explain {sorted(keys - set(names(text)))}"


def test_phases_causes_grades_and_feedback_are_those_of_the_code() -> None:
    phases = {name for row in section("1.5").table("phase") for name in names(row["phase"])}
    assert_same("phases", phases, set(get_args(Phase)))
    faults = next(one for one in SECTIONS if one.kind == "sensor_fault")
    assert {names(row["`cause`"])[0] for row in faults.table("`cause`")} == set(get_args(FaultCause))
    grades = get_args(get_args(Turnaround.__annotations__["grade"])[0])
    turnaround = next(one for one in SECTIONS if one.kind == "turnaround")
    assert set(re.findall(r"^- `(\w+)`:", turnaround.text, re.MULTILINE)) == set(grades)
    feedback = {name for row in section("16").table("key") for name in names(row["key"])}
    assert feedback == set(Feedback.__struct_fields__)


TYPES = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null", UnsetType: "absent"}


def types_of(hint: Any) -> set[str]:
    """In the words of EVENTS.md."""
    if get_origin(hint) in (Union, UnionType):
        return set().union(*map(types_of, get_args(hint)))
    if get_origin(hint) is Literal:
        return {"string"}
    return {TYPES.get(hint, "list" if get_origin(hint) is tuple else "object")}


def values_of(hint: Any) -> set[str]:
    """The strings that are allowed; empty if any is."""
    if get_origin(hint) in (Union, UnionType):
        return set().union(*map(values_of, get_args(hint)))
    return set(get_args(hint)) if get_origin(hint) is Literal else set()


@pytest.mark.parametrize(
    ("title", "struct"),
    [
        ("3. ", Event),
        *((f"`{kind}`", struct) for kind, struct in STRUCTS.items()),
        ("Start of a repetition", RepStart),
        ("16. ", Feedback),
    ],
)
def test_every_key_has_the_type_and_the_values_of_the_code(title: str, struct: type[Any]) -> None:
    hints = get_type_hints(struct)
    for one in SECTIONS:
        for row in one.table("key") if one.title.startswith(title) else ():
            keys, types = names(row["key"]), row["type"].split(", ")
            types = types if len(types) == len(keys) else [row["type"]] * len(keys)
            for key, words in zip(keys, types, strict=True):
                if key == "kind":
                    continue
                given = set(re.findall(r"|".join({*TYPES.values(), "object", "list", "true"}), words))
                assert {"boolean" if name == "true" else name for name in given} == types_of(hints[key]), key
                if not re.search(r"as in section|see below|as the load", row["meaning"]):
                    assert values_of(hints[key]) <= set(names(row["meaning"])), key


def test_every_setting_is_in_the_contract_with_the_default_of_the_code() -> None:
    contract, code = settings_of_the_contract(), settings_of_the_code()
    detector = {key for key in code if key.startswith("detect.")}
    assert_same("settings", set(contract), detector | (set(code) & set(contract)))
    for key in sorted(set(contract) & set(code)):
        assert contract[key] == {code[key]}, f"{key}: {contract[key]} in EVENTS.md, {code[key]} in the code"
    assert all(len(defaults) == 1 for defaults in contract.values())


FIXED = (  # numbers without a key, and where the code has them
    (r"friction force mu · W · tanh\(v / (\d+) mm/s\)", friction.TURNOVER_M_S * 1000),
    (r"they make a doubt of (\d+) mm", rest_finder.SLIP_DOUBT_M * 1000),
    (r"less than (\d+) mm above 0", rest_finder.MOST_SLIP_M * 1000),
    (r"to lift-off, at most (\d+) s", seconds(rep_shape.BEFORE_STEPS)),
    (r"cable, (\d+) readings a second or more", force_lead.SLOWEST_HZ),
    (r"each a mean over (\d+) ms at most", 1000 * force_lead.LONGEST_MEAN_S),
    (r"encoder shows ([\d.]+) of a_jerk", conditions.NEARLY),
    (r"mass of at least ([\d.]+) of load/g", force_lead.HEAVY),
    (r"\(more than ([\d.]+) W in the median of the last second", tension.EVEN),
    (r"the greatest in the (\d+) ms before x reached 3 mm", seconds(rests.TOUCHDOWN_STEPS) * 1000),
    (r"After a rest of (\d+) s or longer", seconds(loads.PIN_STEPS)),
    (r"confirmed or replaced within ([\d.]+) s after v first", seconds(loads.CONFIRM_STEPS)),
    (r"had before it, up to (\d+) s ago", seconds(signal_window.KEPT)),
    (r"if they are within (\d+) % of each other", load.SNAP * 100),
    (r"by more than (\d+) %, is confirmed", load.SAME * 100),
    (r"differs from a given load by more than (\d+) %", load.ALIEN * 100),
    (r"for `slack` it is assumed to be (\d\.\d+)", conditions.USUAL_FRICTION),
    (r"unless the movement shows less than ([\d.]+) of it", mass.LIGHTER),
    (r"but at least ([\d.]+) m, and a repetition", limits_module.ASSUMED_RANGE_M),
    (r"would not be too fast over ([\d.]+) m", limits_module.WIDEST_RANGE_M),
    (r"Spikes less than ([\d.]+) s apart", sensor_faults.QUIET_SPIKE_S),
    (r"lie within ([\d.]+) s of one another", seconds(event_book.ACT_STEPS)),
    (r"A record (\d+) times a second", 1 / seconds(feedback.FEEDBACK_STEPS)),
    (r"from (-[\d.]+) to 1.2, because", shown.SHOWN_FROM),
    (r"from -0.2 to ([\d.]+), because", shown.SHOWN_TO),
    (r"else the live rate, (\d+)", LIVE_HZ),
)


@pytest.mark.parametrize(("words", "value"), FIXED)
def test_a_number_without_a_key_is_that_of_the_code(words: str, value: float) -> None:
    (written,) = re.findall(words, " ".join(CONTRACT.read_text().split()))
    assert float(written) == pytest.approx(value)


@pytest.mark.parametrize("row", section("1.2").table("tempo"), ids=lambda row: row["tempo"])
def test_the_derived_quantities_are_those_of_the_code(row: dict[str, str]) -> None:
    positive_s, negative_s = map(float, row["tempo"].split("/"))
    protocol = ProtocolSettings(positive_s=positive_s, negative_s=negative_s)
    limits = limits_of(
        Profile(machine=MachineSettings(id="m", kind="stack", bottom_m=0.0, top_m=0.5), protocol=protocol)
    )
    for column, value in _derived(limits).items():
        digits = len(row[column].split(".")[1])
        assert round(value, digits) == float(row[column]), column
    assert set(row) == {"tempo", *_derived(limits)}


def _derived(limits: Limits) -> dict[str, float]:
    return {
        "v_c m/s": limits.v_up_m_s,
        "v_e m/s": limits.v_down_m_s,
        "h_rev m": limits.reversal_m,
        "v_rest m/s": limits.v_rest_m_s,
        "a_jerk g": limits.a_jerk_m_s2 / STANDARD_GRAVITY_M_S2,
        "a_turn g": limits.a_turn_m_s2 / STANDARD_GRAVITY_M_S2,
        "b": limits.band,
        "kappa up": limits.fast_up_m_s / limits.v_up_m_s,
        "kappa down": limits.fast_down_m_s / limits.v_down_m_s,
    }


def test_the_order_of_primaries_is_that_of_the_code_and_of_the_labels() -> None:
    full = next(names(part) for part in section("14").text.split("\n\n") if part.count(" > ") > 3)
    order = [name for name in full if name not in NOT_IN_CODE["kinds"]]
    assert order == list(ORDER)
    ranked = {
        name: int(rank)
        for row in GLANCE
        for name, rank in re.findall(r"(?:`(\w+)` )?(\d+)", row["rank"])
        for name in ([name] if name else names(row["kind"]))
    }
    assert sorted(ranked, key=lambda name: ranked[name]) == full
    assert sorted(ranked.values()) == list(range(1, len(full) + 1))
    in_code = {row.counted_as if row.kind == "turnaround" else row.kind: row.rank for row in ROWS if row.rank}
    assert in_code == {name: rank for name, rank in ranked.items() if name in order}


def test_the_table_calls_the_same_kinds_faults_as_the_definition() -> None:
    faults, no_faults = next(one for one in SECTIONS if one.title == "Faults").text.split("No faults:")
    for row in GLANCE:
        kind = names(row["kind"])[0]
        if row["fault"] == "yes" or row["fault"].startswith(("unless", "`")):
            assert kind in names(faults) or set(names(row["fault"])) <= set(names(faults)), kind
        else:
            assert kind not in names(faults), kind
    assert set(names(no_faults)) - {"held", "sensor_fault"} <= {
        names(row["kind"])[0] for row in GLANCE if row["fault"] == "no"
    }


def test_tolerances_and_targets_are_those_of_the_labelled_corpus() -> None:
    rows = {
        "fault_turn" if row["kind"].startswith("`abrupt`") else names(row["kind"])[0]: row
        for row in section("18").table("kind")
    }
    for key, row in rows.items():
        tolerances_s = tuple(_seconds(row[column]) for column in ("t_s within", "superslow", "80 Hz cell adds"))
        if key in TOLERANCES_S:
            assert tolerances_s == TOLERANCES_S[key], key
        target = Target(
            f1=float(row["F1 at least"] or "nan"),
            found_p50_s=_seconds(row["found within, median"]),
            found_p95_s=_seconds(row["found within, 95 %"]),
            known_p95_s=_seconds(row["true to found, 95 %"]),
            duration_error_p95_s=_seconds(row["duration within"]),
        )
        met = target == TARGETS.get(key) if row["F1 at least"] else key not in TARGETS
        assert met != (key in NOT_IN_CODE["targets"]), f"{key}: {target}, {TARGETS.get(key)}"
    assert set(TOLERANCES_S) | set(TARGETS) <= set(rows)


def _seconds(cell: str) -> float | None:
    return round(float(cell.removesuffix(" ms")) * 1e-3, 6) if cell else None


def test_every_citation_of_the_contract_names_an_existing_section() -> None:
    known = {one.number for one in SECTIONS}
    files = [path for folder in ("monitor", "firmware_bridge", "tests") for path in (ROOT / folder).rglob("*.py")]
    cited = [(path, number) for path in files for number in CITATION.findall(path.read_text())]
    assert [(path, number) for path, number in cited if number not in known] == []
    assert len(cited) > 10
    inner = set(re.findall(r"sections? (\d+(?:\.\d+)?)", CONTRACT.read_text()))
    assert inner <= known


def test_the_cited_sources_are_the_listed_ones() -> None:
    text = CONTRACT.read_text()
    listed = [row["name"] for row in section("19").table("name")]
    body = " ".join(text[: text.index("## 19.")].split())
    named = set(re.findall(r"\[[A-Z][\w&-]+(?: \d{4}[a-z]?)?\](?!\()", body)) | set(re.findall(r"\[HX711\]", body))
    assert named == set(listed)


def test_links_within_the_contract_lead_to_a_heading() -> None:
    slugs = {re.sub(r"[^\w -]", "", one.title.lower()).replace(" ", "-") for one in SECTIONS}
    links = re.findall(r"\]\(#([^)]+)\)", CONTRACT.read_text())
    assert len(links) == 19
    assert set(links) <= slugs


def test_it_is_in_the_wheel() -> None:
    files = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert "monitor/detect/EVENTS.md" in files
