"""A table that cannot be used is refused in one sentence, which names the line and the remedy."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.record.table.errors import TableError
from monitor.record.table.reading import Reading, reading_of
from monitor.record.table.table import read_table
from tests.soak import long, soak

HEAD = "t_s,displacement_m,force_n\n"
FIRST_LINE = "its first line must be t_s,displacement_m,force_n"
QUOTE = r'has an opening quote \("\) without a closing one'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", f"t.csv is empty: {FIRST_LINE}"),
        ("\n\n", f"t.csv is empty: {FIRST_LINE}"),
        ("# a comment\n", f"t.csv is empty: {FIRST_LINE}"),
        ("sep=;\n", f"t.csv is empty: {FIRST_LINE}"),
        (HEAD, "t.csv has a header and no rows"),
        (HEAD + "\n,,\n# nothing\n", "t.csv has a header and no rows"),
        ("\n0,1,2\n", "t.csv, line 2 contains numbers and no headers: put t_s,displacement_m,force_n in front"),
        ("0.0,1.0,2.0\n0.1,1,2\n", "t.csv, line 1 contains numbers and no headers"),
        ("0,0;1,0;2,0\n", "t.csv, line 1 contains numbers and no headers"),
        ("'t_s','displacement_m','force_n'\n'0','1','2'\n", "line 1 has its headers in ' quotes: write double quotes"),
        ("\u201ct_s\u201d;\u201cpos\u201d\n1;2\n", "line 1 has its headers in \u201c quotes: write double quotes"),
        ("t_s:displacement_m:force_n\n0:1:2\n", r"line 1 is .*separated by commas, semicolons, tabs or bars \(\|\)"),
        ("t_s displacement_m force_n\n0 1 2\n", "line 1 is .*separated by commas, semicolons, tabs or bars"),
        ("x" * 70_000, "line 1 is 'x+[.]{3}': it must name the columns"),
        ("t_s,force_n\n0,1\n", "line 1 has the columns 't_s', 'force_n', but lacks displacement_m: "),
        ("t_s,t_s,displacement_m,force_n\n0,0,1,2\n", "line 1 has 't_s' twice: rename one of the columns"),
        (HEAD + "0,1,2\n1,abc,3\n", "t.csv, line 3: displacement_m is 'abc', not a number: write a decimal number"),
        (HEAD + "0,1,2\n1,2,#\n", "t.csv, line 3: force_n is '#', not a number"),
        (HEAD + "0,1,2\n1,2,٣\n", "t.csv, line 3: force_n is '٣', not a number"),
        (HEAD + "0,1,2\n1,2,1_0\n", "t.csv, line 3: force_n is '1_0', not a number"),
        (HEAD + "0,1,2\n1,1,nan\n", "t.csv, line 3: force_n is 'nan': leave the cell empty"),
        (HEAD + "0,1,NaN\n1,,2\n", "t.csv, line 2: force_n is 'NaN': leave the cell empty"),
        (HEAD + "0,1,#N/A\n1,,2\n", "t.csv, line 2: force_n is '#N/A': leave the cell empty"),
        (HEAD + "0,1,2\n1,-inf,2\n", "t.csv, line 3: displacement_m is '-inf': leave the cell empty"),
        (HEAD + "0,1,2\n1,1e999,2\n", "t.csv, line 3: displacement_m is '1e999', larger than any measurement"),
        (HEAD + "nan,1,2\n", "t.csv, line 2: t_s is 'nan'"),
        (HEAD + "0,1,2\n,1,2\n", "t.csv, line 3: t_s is '', not a number: every row needs its time"),
        (HEAD + "12:00:00:1,1,2\n", "line 2: t_s is '12:00:00:1', which is no time: write seconds or hh:mm:ss"),
        (HEAD + "2024-05-01T,1,2\n", "line 2: t_s is '2024-05-01T', which is no time: write seconds or hh:mm:ss"),
        (HEAD + "12:00:00,1,2\n12:00:00,1,2\n", r"line 3: t_s is '12:00:00', but time stands still \(43200 after"),
        (HEAD + "0,1,2\nMax,1,2\n", "line 3: t_s is 'Max', which is no time: .* # in front of a line without samples"),
        (HEAD + HEAD + "0,1,2\n", "t.csv, line 2 has no number, so it is no row of samples: put # in front of it"),
        (HEAD + "0,1,2\nTest 2\n0.1,1,2\n", "t.csv, line 3 has no number, so it is no row of samples: put # in"),
        (HEAD + "0,1,2\n0.1,1,2,ok\n", "t.csv, line 3 has 4 cells and needs 3: give every column a header; where"),
        (HEAD + "0,1 mm,2\n", "t.csv, line 2: displacement_m is '1 mm', not a number: write it without a unit"),
        (HEAD + "0,1,2\n5,1,2\n0.1,1,2\n", r"line 4: t_s is '0.1', but time goes backwards .*: split the table here"),
        (HEAD + "9,1,2\n8,1,2\n7,1,2\n", r"line 3: t_s is '8', but time goes backwards .*: put the rows in order"),
        (HEAD + "s,m,N\n0,1,2\n", "t.csv, line 2: t_s is 's', which is a unit: put # in front .* --units s,m,N$"),
        (HEAD + "[ms],[m],[N]\n0,1,2\n", "t.csv, line 2: t_s is .*, which is a unit: .* --units ms,m,N$"),
        (
            HEAD + "0,1,2\n0.5,1,2\n0.4,1,2\n",
            r"line 4: t_s is '0.4', but time goes backwards \(0.4 after 0.5\): put the rows in order",
        ),
        (HEAD + "0,1,2\n\n0.5,1,2\n0.5,1,3\n", r"t.csv, line 5: t_s is '0.5', but time stands still \(0.5 after 0.5\)"),
        (HEAD + "0,1,2\n1e9,1,2\n", "t.csv, line 3: t_s is '1e9', more than a year after the row before"),
        (HEAD + "-1e12,1,2\n", "t.csv, line 2: t_s is '-1e12': not a possible time"),
        (HEAD + "0,1,2\n1,1001,2\n", "t.csv, line 3: displacement_m is '1001': not a possible position"),
        (HEAD + "0,1,2\n1,1,-8388607\n", "t.csv, line 3: force_n is '-8388607': not a possible force"),
        (HEAD + "0,1,2\n1,2\n", "t.csv, line 3 has 2 cells and needs 3: an empty cell where nothing was measured"),
        (HEAD + "0,1,2\n1,2", "t.csv, line 3 is the last one and ends in its middle, .*: delete this line"),
        (HEAD + "0.0,1,2\n0.0,1,3\n0.1,1,2\n", "line 3: t_s is '0.0', but time stands still .*: write it with more"),
        (HEAD + "0,1,\n0,1,\n1,2,3\n1,2,3\n", "line 3: .* time stands still .*: remove the rows that are there twice"),
        ("x_m,force_n\n0,1\n", "--columns t=...,x=x_m,f=force_n .*without a time, nothing, and .*--units 10ms"),
        (HEAD + "0,0,0,31,163,1\n", "t.csv, line 2 has 6 cells and needs 3: .* separate the cells by semicolons"),
        (HEAD + "0,1,2\n1,1,\xff\n", "t.csv, line 3: force_n is 'ÿ', not a number"),
        (HEAD + "0,1,2\n0.5" + ",1" * 50_000, "t.csv, line 3 is longer than any row"),
        (HEAD + "0.5" + ",1" * 50_000 + "\n0,1,2\n", "t.csv, line 2 is longer than any row"),
        (HEAD + '0,1,2\n0.5,"1,2\n1,1,2\n', f"t.csv, line 3 {QUOTE}"),
        (HEAD + '0,1,2\n0.5,"1,2\n1",1,2\n2,"1",1\n', f"t.csv, line 3 {QUOTE}"),
        (HEAD + '0,1,2\n0.5,"1"0,2\n1,1,2\n', f"t.csv, line 3 {QUOTE}"),
        (HEAD + '0,1,2\n0.5,"' + "1" * 200_000 + "\n1,1,2\n", "t.csv, line 3 is longer than any row"),
        ("t_s,displacement_m,force_n,flags\n0,1,2,256\n", "t.csv, line 2: flags is '256': whole numbers from 0 to 255"),
        ("t_s,displacement_m,force_n,flags\n0,1,2,0\n1,1,2,\n", "t.csv, line 3: flags is '': whole numbers"),
        (HEAD.replace(",", ";") + "0,0;1,0;1.234,5\n", r"line 2: force_n is '1.234,5', which has both: write one"),
        (HEAD.replace(",", ";") + "0,0;1,0;2,0\n1,0;1,0;2.5\n", "line 3: force_n is '2.5', .*the other mark"),
        (HEAD.replace(",", ";") + "0.5;1.0;2\n1.0;1,5;2\n", "line 3: displacement_m is '1,5', .*the other mark"),
        (HEAD.replace(",", ";") + "0;1;1,234\n1;1;2,345\n", "its commas may be decimal marks or separate thousands"),
        (HEAD.replace(",", ";") + "0;0,5;1,234,567\n", "line 2: force_n is '1,234,567', .*thousands without"),
        (HEAD + '0,1,"1,234.5"\n', r"line 2: force_n is '1,234.5', which has both: write one decimal mark"),
        (HEAD + "0,1,1 234.5\n", "line 2: force_n is '1 234.5', not a number: write thousands without separators"),
        (HEAD + "0,1,1\u202f234\n", "line 2: force_n is .*, not a number: write thousands without separators"),
        (HEAD + "0,1,1'234\n", "line 2: force_n is .*, not a number: write thousands without separators"),
    ],
)  # fmt: skip
def test_every_mistake_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=sentence) as caught:
        read_table(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400 + len(str(path))


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(HEAD.encode() + b"0,1,2\n1,\xc3\x28,2\n")
    with pytest.raises(TableError, match="line 3: displacement_m"):
        read_table(path)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"PK\x03\x04 and a spreadsheet", "is a spreadsheet .* save the sheet as CSV"),
        (b"\x1f\x8b\x08", "is compressed with gzip: unpack it first"),
        (HEAD.encode() + b"0,1,2\0\n", "is not text: save the table as CSV, encoded in UTF-8"),
        (bytes(range(256)), "is not text"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(TableError, match=sentence):
        read_table(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"none\.csv cannot be read: No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(TableError, match="is not a regular file: save the table to a file first"):
        read_table(Path("/dev/zero"))


def test_a_huge_file_is_refused_before_it_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.record.table.text.MOST_BYTES", 1 << 20)
    path = tmp_path / "t.csv"
    path.write_bytes(bytes(2 << 20))
    with pytest.raises(TableError, match="is larger than 1 MiB: split it by sessions"):
        read_table(path)


@pytest.mark.parametrize(
    ("columns", "units", "sentence"),
    [
        ("Time", None, "--columns has 'Time': write t=..., x=... and f=..."),
        ("t=Time,z=Pos", None, "--columns has 't=Time,z=Pos'|--columns has 'z=Pos'"),
        ("t=a,t=b", None, "--columns has t= twice"),
        ("t=,x=a", None, "--columns has no name after t=: say how far apart the rows are, as in --units 10ms"),
        (None, "0mm", "--units has '0mm', which is not a unit"),
        (None, "1.mm", "--units has '1.mm', which is not a unit"),
        ("x=,f=", None, "--columns has neither position nor force"),
        (
            None,
            "ms,furlong",
            "--units has 'furlong', which is not a unit of a table: time in s, ms, us, .*; position in m",
        ),
        (None, "ms,us", "--units has two units of time, ms and us: name one"),
        (None, "", "--units has '', which is not a unit"),
        ("", None, "--columns has ''"),
    ],
)
def test_options_that_say_nothing_useful_are_named(columns: str | None, units: str | None, sentence: str) -> None:
    with pytest.raises(TableError, match=sentence):
        reading_of(columns, units)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Time,Pos,Load\n0,1,2\n")
    with pytest.raises(TableError, match="line 1 has the columns 'Time', 'Pos', 'Load', but lacks 'Force': give"):
        read_table(path, Reading({"t": "Time", "x": "Pos", "f": "Force"}))
    with pytest.raises(TableError, match="but lacks 't_s': give --columns its headers, or t= if there is no time"):
        read_table(path, Reading({"x": "Pos", "f": "Load"}))
    path.write_text("Time Pos Load\n0 1 2\n")
    with pytest.raises(
        TableError, match="line 1 is 'Time Pos Load': it must name the columns Time,Pos,Load, separated"
    ):
        read_table(path, Reading({"t": "Time", "x": "Pos", "f": "Load"}))


def test_the_line_that_looks_most_like_headers_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Date;1.5.2024\nType;7\n\nTime;Pos;Load\n0;1;2\n")
    with pytest.raises(TableError, match=r"line 4 has the columns .* which is which, --columns t=Time,x=Pos,f=Load"):
        read_table(path)


cells = st.sampled_from(
    ["0", "1", "2.5", "-3", "", " ", "x", "nan", "inf", "1e3", "1e999", "0x1", "1_0", '"1"', "٣", "#", '"', "1,5", "'"]
)
rows_of_cells = st.lists(st.lists(cells, min_size=1, max_size=5), max_size=6)
rows_in_order = st.lists(st.lists(cells, min_size=2, max_size=2), max_size=3).map(
    lambda rows: [[str(number), *row] for number, row in enumerate(rows)]
)


@soak
@settings(deadline=None, max_examples=long(120, 20))
@given(
    rows=st.one_of(rows_of_cells, rows_in_order),
    separator=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["", "\n", "\n\n"]),
)
def test_the_fast_way_and_the_careful_way_agree(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str, end: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "t.csv"
    path.write_text(HEAD.replace(",", separator) + "\n".join(separator.join(row) for row in rows) + end)
    with pytest.MonkeyPatch.context() as patch:
        fast = outcome(path)
        patch.setattr("monitor.record.table.rows.TableRows._fast", lambda body: None)
        assert outcome(path) == fast


def outcome(path: Path) -> object:
    """What comes of it: the sentence, or the numbers."""
    try:
        samples = read_table(path).samples
    except TableError as error:
        return str(error)
    assert np.isfinite(samples.t_s).all()
    assert (np.diff(samples.t_s) > 0).all()
    return [np.nan_to_num(column, nan=-1e9).tolist() for column in samples]
