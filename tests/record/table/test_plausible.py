"""Units that cannot be SI are recognised by the numbers, and refused with the option that mends them."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.record.table.errors import TableError
from monitor.record.table.reading import reading_of
from monitor.record.table.table import read_table
from tests.soak import long, soak


def write(path: Path, rate_hz: float = 500.0, t: float = 1.0, x: float = 1.0, f: float = 1.0) -> Path:
    """Repetitions of 0.4 m with 60 kg, every column times a factor."""
    t_s = np.arange(0, 10, 1 / rate_hz)
    x_m = 0.21 - 0.2 * np.cos(2 * np.pi * t_s / 4)
    f_n = 588 + np.sin(40 * t_s)
    rows = zip((t_s * t).tolist(), (x_m * x).tolist(), (f_n * f).tolist(), strict=True)
    path.write_text("t_s,displacement_m,force_n\n" + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows))
    return path


@pytest.mark.parametrize(
    ("factors", "sentence", "mends"),
    [
        ({"t": 1e3}, "t_s grows by 2 .* looks like milliseconds: add --units ms;", "ms"),
        ({"t": 1e6}, "t_s grows by 2000 .* looks like microseconds: add --units us;", "us"),
        ({"t": 1e9}, "t_s grows by 2e[+]06 .* looks like nanoseconds: add --units ns;", "ns"),
        ({"t": 1 / 60}, "t_s grows by 3.3.*e-05 .* looks like minutes: add --units min;", "min"),
        ({"t": 1 / 60, "rate_hz": 80.0}, "t_s grows by 0.0002083 .* looks like minutes: add --units min;", "min"),
        ({"t": 1 / 86400}, "t_s grows by 2.3.*e-08 .* looks like .*days: add .*--units d;", "d"),
        ({"t": 1e3, "rate_hz": 25.0}, "t_s grows by 40 .* looks like milliseconds: add --units ms;", "ms"),
        ({"x": 1e3}, "displacement_m goes from 10 to 410, which looks like millimetres: add --units mm;", "mm"),
        ({"x": 1e2}, "displacement_m goes from 1 to 41, .* centimetres or inches: add --units cm or --units in;", "cm"),
        ({"x": 39.37}, "displacement_m goes .* inches", "in"),
        ({"x": 1e6}, "_m goes .* raw counts .*: add what one of them is, as in --units 0.1mm; if", None),
        ({"f": 101.97}, "force_n reaches .*, .* grams or raw counts of a sensor: add --units g, or what one", "g"),
        ({"f": 1e4}, "force_n .*e[+]06, .* raw counts .*: add what one of them is, as in --units 0.01N; if", None),
        ({"t": 500}, "by 1 .* milliseconds or numbers of rows: .*, or the time of a row, as in --units 10ms", "2ms"),
        ({"x": 1e3, "t": 1e3}, "t_s grows by 2 .* add --units ms;", None),
    ],
)  # fmt: skip
def test_another_unit_is_named_with_its_option(
    tmp_path: Path, factors: dict[str, float], sentence: str, mends: str | None
) -> None:
    path = write(tmp_path / "t.csv", **factors)
    with pytest.raises(TableError, match=sentence):
        read_table(path)
    if mends is not None:
        mended = read_table(path, reading_of(None, mends)).samples
        plain = read_table(write(tmp_path / "plain.csv", rate_hz=factors.get("rate_hz", 500.0))).samples
        for ours, theirs in zip(plain[:3], mended[:3], strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-12)


def test_one_option_leads_to_the_next(tmp_path: Path) -> None:
    """The remedy repeats all earlier options."""
    path = write(tmp_path / "t.csv", t=1e3, x=1e3)
    with pytest.raises(TableError, match=r"add --units ms,mm; if it is in metres, add --units ms,m$"):
        read_table(path, reading_of(None, "ms"))


def test_rows_that_come_too_rarely_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("t_s,displacement_m,force_n\n" + "".join(f"{k * 1e12},0.1,600\n" for k in range(30)))
    with pytest.raises(TableError, match="too few rows: 20 a second are needed"):
        read_table(path)


def test_a_named_unit_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", t=250.0, x=1e2)
    assert read_table(path, reading_of(None, "s,m")).samples.position_m.max() == pytest.approx(41)


def test_rows_that_show_no_movement_are_refused_whatever_their_unit(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", t=1e3, x=1.0)
    with pytest.raises(TableError, match="too few rows: 20 a second are needed"):
        read_table(path, reading_of(None, "s"))


@pytest.mark.parametrize(
    ("header", "units"),
    [
        ("Time (ms)", "milliseconds: add --units ms"),
        ("time_us", "microseconds: add --units us"),
        ("millis", "milliseconds: add --units ms"),
        ("Zeit [ms]", "milliseconds: add --units ms"),
        ("t / \u00b5s", "microseconds: add --units us"),
    ],
)
def test_a_header_that_names_another_unit_is_believed(tmp_path: Path, header: str, units: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{header},Pos,Load\n0,0.1,600\n0.002,0.1,600\n")
    with pytest.raises(TableError, match=f"line 1: .* is in {units}$"):
        read_table(path, reading_of(f"t={header},x=Pos,f=Load", None))
    assert read_table(path, reading_of(f"t={header},x=Pos,f=Load", "s")).samples.t_s.tolist() == [0, 0.002]


@pytest.mark.parametrize("header", ["Winkel [\u00b0]", "Angle (deg)", "Pos [rev]", "Encoder (counts)"])
def test_a_unit_of_another_quantity_asks_for_its_size(tmp_path: Path, header: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(f"t_s;{header};force_n\n0;90;600\n".encode("latin-1"))
    with pytest.raises(TableError, match=r"line 1: .* is in '.*': add what one of them is, as in --units 0.1mm$"):
        read_table(path, reading_of(f"x={header}", None))
    assert read_table(path, reading_of(f"x={header}", "2mm")).samples.position_m.tolist() == [0.18]


@pytest.mark.parametrize(
    ("head", "options"),
    [
        ("No.;Time (s);Position [mm];Load (kg)", "'t=Time (s),x=Position [mm],f=Load (kg)' --units mm,kg"),
        ("No.;secs;Hub in mm;Cable force [lbf]", "'t=secs,x=Hub in mm,f=Cable force [lbf]' --units mm,lb"),
        ("No.;Uhrzeit;Distanz_cm;Zugkraft_kg", "t=Uhrzeit,x=Distanz_cm,f=Zugkraft_kg --units cm,kg"),
    ],
)
def test_headers_are_hinted_at_with_the_options_for_them(tmp_path: Path, head: str, options: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{head}\n1;0,0;10,0;60,0\n")
    options = f"--columns {options}"
    with pytest.raises(
        TableError, match=re.escape(f"lacks t_s and displacement_m and force_n: say which is which, {options},")
    ):
        read_table(path)


@soak
@settings(deadline=None, max_examples=long(80, 13))
@given(
    rate_hz=st.floats(10, 4000),
    length_m=st.floats(0, 2.5),
    load_n=st.floats(0, 8000),
    offset_m=st.floats(-20, 20),
    epoch_s=st.sampled_from([0.0, -5.0, 3600.0, 1.7e9]),
    seed=st.integers(0, 9),
)
def test_no_table_in_si_is_doubted(
    tmp_path_factory: pytest.TempPathFactory,
    rate_hz: float,
    length_m: float,
    load_n: float,
    offset_m: float,
    epoch_s: float,
    seed: int,
) -> None:
    """Whatever the machine; even with a few wild values and a break in it."""
    rng = np.random.default_rng(seed)
    t_s = epoch_s + np.arange(2000) / rate_hz
    t_s[1000:] += 86_400.0
    x_m = offset_m + length_m * rng.random(2000)
    f_n = load_n * rng.random(2000)
    x_m[7], f_n[9] = 900.0, -9e4
    path = tmp_path_factory.getbasetemp() / "si.csv"
    rows = zip(t_s.tolist(), x_m.tolist(), f_n.tolist(), strict=True)
    path.write_text("t_s,displacement_m,force_n\n" + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows))
    assert len(read_table(path).samples) == 2000
