"""Tables as other tools write them are read: separators, decimal marks, quotes, encodings, foreign headers, units."""

import codecs
import csv
import io
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.samples import Samples
from monitor.record.table.reading import reading_of
from monitor.record.table.table import read_table
from tests import needs
from tests.soak import long, soak

HEAD = "t_s,displacement_m,force_n\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def read(path: Path, columns: str | None = None, units: str | None = None) -> Samples:
    return read_table(path, reading_of(columns, units)).samples


def test_rows_become_samples(table: Path) -> None:
    table.write_text(HEAD + "0.000,0.31050,163.1\n0.016,0.31052,\n0.036,,165.4\n")
    samples = read(table)
    assert samples.t_s.tolist() == [0.0, 0.016, 0.036]
    np.testing.assert_array_equal(samples.position_m, [0.31050, 0.31052, np.nan])
    np.testing.assert_array_equal(samples.force_n, [163.1, np.nan, 165.4])
    assert samples.flags.tolist() == [0, 0, 0]
    assert [column.dtype for column in samples] == [np.float64, np.float64, np.float64, np.uint8]


def test_flags_may_follow(table: Path) -> None:
    table.write_text("t_s,displacement_m,force_n,flags\n0,1,2,0\n1,,,34\n")
    assert read(table).flags.tolist() == [0, 34]


@pytest.mark.parametrize(
    "data",
    [
        (HEAD + "0,1,2\n0.5,2,3\n").encode("utf-8-sig"),  # as spreadsheets write it
        (HEAD + "0,1,2\n0.5,2,3\n").encode("utf-16"),
        (HEAD + "0,1,2\n0.5,2,3\n").encode("utf-16-le"),
        (HEAD + "0,1,2\n0.5,2,3\n").encode("utf-16-be"),
        (HEAD + "0,1,2\n0.5,2,3\n").encode("utf-32"),
        (HEAD + "0,1,2\n0.5,2,3\n").replace("\n", "\r\n").encode(),
        (HEAD + "0,1,2\n0.5,2,3\n").replace("\n", "\r").encode(),
        (HEAD + "0,1,2\n0.5,2,3").encode(),  # no end of line at the end
        (HEAD + "0,1,2\n\n0.5,2,3\n\n").encode(),
        (HEAD + "0,1,2\n  \n0.5,2,3\n,,\n,,\n").encode(),  # empty rows of a sheet
        b"t_s, displacement_m, force_n\n0, 1, 2\n0.5, 2, 3\n",
        b"T_S,Displacement_M,Force_N\n0,1,2\n0.5,2,3\n",
        b"\n# a comment, with commas\n" + HEAD.encode() + b"0,1,2\n# another\n0.5,2,3\n",
        b"Device: 7\nRate;500\n" + HEAD.encode() + b"0,1,2\n0.5,2,3\n",  # the preamble of a tool
        HEAD.encode() + b"0e0,1.0,+2\n5e-1,2,.3e1\n",
        "t_s,displacement_m,force_n\n0,1,2\n0.5,2,3\n".replace(",", ";").encode(),
        "t_s,displacement_m,force_n\n0,1,2\n0.5,2,3\n".replace(",", "\t").encode(),
        b"t_s|displacement_m|force_n\n0|1|2\n0.5|2|3\n",
        b"t_s | displacement_m | force_n\n0,0 | 1,0 | 2,0\n0,5 | 2,0 | 3,0\n",
        b"sep=|\nt_s|displacement_m|force_n\n0|1|2\n0,5|2|3\n",
        b"t_s;displacement_m;force_n\n0,0;1,0;2,0\n0,5;2,0;3,0\n",
        b"t_s\tdisplacement_m\tforce_n\n0,0\t1,0\t2,0\n0,5\t2,0\t3,0\n",
        b'"t_s","displacement_m","force_n"\n"0","1","2"\n"0.5","2","3"\n',
        b'"t_s","displacement_m","force_n"\n"0,0","1,0","2,0"\n"0,5","2,0","3,0"\n',
        b'"t_s", "displacement_m", "force_n"\n0, "1", 2\n0.5, "2", 3\n',
        b"sep=,\n" + HEAD.encode() + b"0,1,2\n0.5,2,3\n",
        b"sep=;\r\nt_s;displacement_m;force_n\r\n0;1;2\r\n0,5;2;3\r\n",
        b"sep=\t\nt_s\tdisplacement_m\tforce_n\n0\t1\t2\n0.5\t2\t3\n",
        b"sep=;\n" + HEAD.encode() + b"0,1,2\n0.5,2,3\n",  # the header knows better
        b"t_s,displacement_m,force_n,\n0,1,2,\n0.5,2,3,\n",
        b"t_s,displacement_m,force_n\n0,1,2,\n0.5,2,3,,\n",
        b"t_s;displacement_m;force_n;;\r\n0;1;2;;\r\n0,5;2;3;;\r\n",
        b"force_n,t_s,displacement_m\n2,0,1\n3,0.5,2\n",
        b"note,t_s,speed,displacement_m,force_n\nbegin,0,,1,2\n,0.5,7,2,3\n",
        b"t_s;displacement_m;force_n\n0;1;2\n0,5;2;3\n",
        "t_s;displacement_m;force_n;h\u00f6he\n0;1;2;9\n0,5;2;3;9\n".encode("cp1252"),
        "sep=;\r\n\"t_s\";\"displacement_m\";\"force_n\"\r\n\"0,0\";\"1,0\";\"2\"\r\n\"0,5\";\"2,0\";\"3\"\r\n".encode(
            "utf-8-sig"
        ),
    ],
)  # fmt: skip
def test_what_programs_make_of_a_table_is_read(table: Path, data: bytes) -> None:
    table.write_bytes(data)
    samples = read(table)
    assert [column.tolist() for column in samples] == [[0, 0.5], [1, 2], [2, 3], [0, 0]]


def test_the_true_minus_sign_is_a_minus_sign(table: Path) -> None:
    table.write_text(HEAD + "\u22121,\u22122.5,3\n0,,\u22123\n")
    samples = read(table)
    assert samples.t_s.tolist() == [-1, 0]
    assert samples.position_m[0] == -2.5
    assert samples.force_n.tolist() == [3, -3]


def test_foreign_headers_and_units_are_mapped(table: Path) -> None:
    table.write_text("Time (ms);Speed;Pos [mm];Load\n1000;0;250;60\n1002;0;250,5;\n")
    samples = read(table, "t=Time (ms),x=Pos [mm],f=Load", "ms,mm,kg")
    assert samples.t_s.tolist() == [1.0, 1.002]
    assert samples.position_m.tolist() == [0.25, 0.2505]
    assert samples.force_n[0] == pytest.approx(60 * 9.80665)
    assert np.isnan(samples.force_n[1])


@pytest.mark.parametrize(
    ("units", "factors"),
    [
        ("s,m,N", (1, 1, 1)),
        ("us,cm,lb", (1e-6, 0.01, 4.4482216152605)),
        ("kN,in", (1, 0.0254, 1000)),  # in any order; other quantities are in SI
        ("min,mm,kg", (60, 0.001, 9.80665)),
        ("Milliseconds, Inches, lbs", (0.001, 0.0254, 4.4482216152605)),
        ("ns", (1e-9, 1, 1)),
        ("g", (1, 1, 0.00980665)),
        ("10ms,0.1mm,-5N", (0.01, 0.0001, -5)),  # what one count is
        ("0.25 m,-kg", (1, 0.25, -9.80665)),
    ],
)
def test_every_unit_is_converted(table: Path, units: str, factors: tuple[float, ...]) -> None:
    table.write_text("a,b,c\n1,2,3\n2,4,6\n")
    samples = read(table, "t=a,x=b,f=c", units)
    assert [column[0] for column in samples[:3]] == pytest.approx([1 * factors[0], 2 * factors[1], 3 * factors[2]])


@pytest.mark.parametrize(
    "cells",
    [
        ("12:00:05.25", "12:00:05.75"),
        ("12:00:05:250", "12:00:05:750"),
        ("2024-05-01 12:00:05.25", "2024-05-01 12:00:05.75"),
        ("2024-05-01T12:00:05.250Z", "2024-05-01T12:00:05.750Z"),
        ("2024-05-01T12:00:05.25+02:00", "2024-05-01T12:00:05.75+02:00"),
        ("1.5.2024 12:00:05.25", "1.5.2024 12:00:05.75"),
        ("5/1/2024 12:00:05.25 PM", "5/1/2024 12:00:05.75 PM"),
        ("01-May-24 12:00:05.25", "01-May-24 12:00:05.75"),
    ],
)
def test_times_of_day_are_seconds(table: Path, cells: tuple[str, str]) -> None:
    table.write_text(f"t_s;displacement_m;force_n\n{cells[0]};1;2\n{cells[1]};1.5;3\n")
    assert read(table).t_s.tolist() == [43205.25, 43205.75]
    commas = (cell.replace(".25", ",25").replace(".75", ",75") for cell in cells)
    table.write_text(f"t_s;displacement_m;force_n\n{next(commas)};1,0;2\n{next(commas)};1,5;3\n")
    samples = read(table)
    assert samples.position_m.tolist() == [1, 1.5]
    assert samples.t_s.tolist() == [43205.25, 43205.75]


def test_times_of_day_go_on_past_midnight(table: Path) -> None:
    table.write_text(HEAD + "11:59:59.5 PM,1,2\n12:00:00.0 AM,1,2\n00:01.5,1,2\n")
    assert read(table).t_s.tolist() == [86399.5, 86400, 86401.5]


def test_rows_without_a_time_are_evenly_apart(table: Path) -> None:
    table.write_text("x,f\n1,2\n3,4\n5,6\n")
    samples = read(table, "t=,x=x,f=f", "10ms")
    assert samples.t_s.tolist() == [0, 0.01, 0.02]
    assert samples.force_n.tolist() == [2, 4, 6]


def test_a_quantity_that_is_not_there_is_not_measured(table: Path) -> None:
    table.write_text("Time,Fz\n0,700\n0.001,710\n")
    samples = read(table, "t=time,x=,f=fz")
    assert np.isnan(samples.position_m).all()
    assert samples.force_n.tolist() == [700, 710]


def test_a_header_may_hold_a_comma(table: Path) -> None:
    table.write_text('t_s,"stack, height",force_n\n0,1,2\n')
    assert read(table, "x=stack, height").position_m.tolist() == [1]


class Dialect(NamedTuple):
    separator: str
    decimal: str
    quoting: Literal[0, 1]
    end: str
    encoding: str
    declared: bool
    trailing: bool
    names: tuple[str, str, str]
    units: str
    blank: bool


TIMES, LENGTHS, FORCES = ("s", "ms", "us"), ("m", "cm", "mm", "in"), ("N", "kN", "kg", "lb")
dialects = st.builds(
    Dialect,
    st.sampled_from(",;\t"),
    st.sampled_from(".,"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([("t_s", "displacement_m", "force_n"), ("Zeit", "H\u00f6he", "Kraft, netto"), ("t", "x", "f")]),
    st.tuples(st.sampled_from(TIMES), st.sampled_from(LENGTHS), st.sampled_from(FORCES)).map(",".join),
    st.booleans(),
)
values = st.integers(-99_999, 99_999).map(lambda n: n / 1000)
times = st.integers(-499, 499).map(lambda n: n / 1000)  # rows that are more than a second apart are refused
tables = st.lists(st.tuples(times, st.none() | values, st.none() | values), min_size=1, unique_by=lambda row: row[0])


@soak
@settings(deadline=None, max_examples=long(120, 20))
@given(rows=tables.map(sorted_by_time := lambda rows: sorted(rows, key=lambda row: row[0])), dialect=dialects)
def test_a_table_in_any_dialect_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float | None, float | None]], dialect: Dialect
) -> None:
    path = tmp_path_factory.getbasetemp() / "t.csv"
    path.write_bytes(written(rows, dialect))
    t, x, f = dialect.names
    named = read(path, f"t={t},x={x},f={f}", dialect.units)
    plain = path.with_name("plain.csv")
    plain.write_bytes(written(rows, PLAIN))
    expected = read(plain, None, dialect.units)
    for one, other in zip(named, expected, strict=True):
        np.testing.assert_array_equal(one, other)


PLAIN = Dialect(
    ",", ".", csv.QUOTE_MINIMAL, "\n", "utf-8", False, False, ("t_s", "displacement_m", "force_n"), "", False
)


def written(rows: list[tuple[float, float | None, float | None]], dialect: Dialect) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.separator, quoting=dialect.quoting, lineterminator=dialect.end)
    end = ("",) if dialect.trailing else ()
    writer.writerow((*dialect.names, *end))
    for row in rows:
        cells = ["" if value is None else f"{value:.4f}".replace(".", dialect.decimal) for value in row]
        writer.writerow((*cells, *end))
        if dialect.blank:
            out.write(dialect.end + "# " + dialect.separator + dialect.end)
    declared = f"sep={dialect.separator}{dialect.end}" if dialect.declared else ""
    return (declared + out.getvalue()).encode(dialect.encoding)


def test_marks_of_encodings_are_not_part_of_the_first_header(table: Path) -> None:
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        table.write_bytes(mark + (HEAD + "0,1,2\n").encode(encoding))
        assert read(table).t_s.tolist() == [0]


@needs.shared_data
def test_the_real_recordings_are_tables() -> None:
    press = read(needs.SHARED_DATA / "leg_press_biostrength" / "right.csv")
    assert len(press) > 1000
    assert 0.2 < press.position_m.min() < press.position_m.max() < 0.58
    pull = read(needs.SHARED_DATA / "isometric_pull" / "example1.csv")
    assert set(pull.position_m.tolist()) == {0.0}
