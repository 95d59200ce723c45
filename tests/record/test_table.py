"""A table of samples: taken whole, or refused in one sentence that names the line and the remedy."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.record.table import TableError, read_table
from tests import needs

HEAD = "t_s,displacement_m,force_n\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def test_rows_become_samples(table: Path) -> None:
    table.write_text(HEAD + "0.000,0.31050,163.1\n0.016,0.31052,\n0.036,,165.4\n")
    samples = read_table(table)
    assert samples.t_s.tolist() == [0.0, 0.016, 0.036]
    np.testing.assert_array_equal(samples.position_m, [0.31050, 0.31052, np.nan])
    np.testing.assert_array_equal(samples.force_n, [163.1, np.nan, 165.4])
    assert samples.flags.tolist() == [0, 0, 0]
    assert [column.dtype for column in samples] == [np.float64, np.float64, np.float64, np.uint8]


def test_flags_may_follow(table: Path) -> None:
    table.write_text("t_s,displacement_m,force_n,flags\n0,1,2,0\n1,,,34\n")
    assert read_table(table).flags.tolist() == [0, 34]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEAD + "0,1,2\n1,2,3\n",  # as spreadsheets write it
        (HEAD + "0,1,2\n1,2,3\n").replace("\n", "\r\n"),
        HEAD + "0,1,2\n1,2,3",  # no end of line at the end
        HEAD + "0,1,2\n\n1,2,3\n\n",
        "t_s, displacement_m, force_n\n0, 1, 2\n1, 2, 3\n",
        HEAD + "0e0,1.0,+2\n1,2,.3e1\n",
    ],
)
def test_what_programs_make_of_a_table_is_read(table: Path, text: str) -> None:
    table.write_bytes(text.encode())
    samples = read_table(table)
    assert (samples.t_s.tolist(), samples.force_n.tolist()) == ([0, 1], [2, 3])


COLUMNS = "it must be t_s,displacement_m,force_n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", f"t.csv is empty: its first line must be {COLUMNS[11:]}"),
        ("\n0,1,2\n", f"t.csv is empty: its first line must be {COLUMNS[11:]}"),
        (HEAD, "t.csv has a header and no rows"),
        (HEAD + "\n\n", "t.csv has a header and no rows"),
        ("t_s,force_n\n0,1\n", f"t.csv, line 1 lacks displacement_m: {COLUMNS}"),
        ("time,x,f\n0,1,2\n", f"t.csv, line 1 lacks t_s and displacement_m and force_n: {COLUMNS}"),
        ("displacement_m,t_s,force_n\n0,1,2\n", f"t.csv, line 1 has other columns or another order: {COLUMNS}"),
        ("t_s;displacement_m;force_n\n0;1;2\n", f"t.csv, line 1 lacks .*: {COLUMNS}"),
        ("0.0,1.0,2.0\n0.1,1,2\n", f"t.csv, line 1 lacks .*: {COLUMNS}"),
        (HEAD + "0,1,2\n1,abc,3\n", "t.csv, line 3: displacement_m is 'abc', not a number: write a decimal number"),
        (HEAD + "0,1,2\n1,2,#\n", "t.csv, line 3: force_n is '#', not a number"),
        (HEAD + "0,1,2\n1,1,nan\n", "t.csv, line 3: force_n is nan: leave the cell empty"),
        (HEAD + "0,1,NaN\n1,,2\n", "t.csv, line 2: force_n is NaN: leave the cell empty"),
        (HEAD + "0,1,2\n1,-inf,2\n", "t.csv, line 3: displacement_m is -inf: leave the cell empty"),
        (HEAD + "nan,1,2\n", "t.csv, line 2: t_s is nan"),
        (HEAD + "0,1,2\n,1,2\n", "t.csv, line 3: t_s is '', not a number: write a decimal number$"),
        (HEAD + "0,1,2\n0.5,1,2\n0.4,1,2\n", r"line 4: time goes backwards \(0.4 s after 0.5 s\): put the rows in ord"),
        (HEAD + "0,1,2\n\n0.5,1,2\n0.5,1,2\n", r"t.csv, line 5: time stands still \(0.5 s after 0.5 s\)"),
        (HEAD + "0,1,2\n1,2\n", "t.csv, line 3 has 2 cells and needs 3: commas between"),
        (HEAD + "0,0,0,31,163,1\n", "t.csv, line 2 has 6 cells and needs 3: .* points as decimal marks"),
        (HEAD + "0,1,2\n  \n1,1,2\n", "t.csv, line 3 has 1 cells and needs 3"),
        (HEAD + "0,1,2\n1,1,\xff\n", "t.csv, line 3: force_n is 'ÿ', not a number"),
        ("t_s,displacement_m,force_n,flags\n0,1,2,256\n", "t.csv, line 2: flags is 256: whole numbers from 0 to 255"),
        ("t_s,displacement_m,force_n,flags\n0,1,2,\n", "t.csv, line 2: flags is '', not a number"),
    ],
)
def test_every_mistake_is_one_sentence(table: Path, text: str, sentence: str) -> None:
    table.write_text(text)
    with pytest.raises(TableError, match=sentence) as caught:
        read_table(table)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_told(table: Path) -> None:
    table.write_bytes(HEAD.encode() + b"0,1,2\n1,\xc3\x28,2\n")
    with pytest.raises(TableError, match="line 3: displacement_m"):
        read_table(table)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"none\.csv cannot be read: No such file"):
        read_table(tmp_path / "none.csv")


cells = st.sampled_from(
    ["0", "1", "2.5", "-3", "", " ", "x", "nan", "inf", "1e3", "1e999", "0x1", "1_0", '"1"', "٣", "#"]
)


rows_of_cells = st.lists(st.lists(cells, min_size=1, max_size=5), max_size=6)
rows_in_order = st.lists(st.lists(cells, min_size=2, max_size=2), max_size=3).map(
    lambda rows: [[str(number), *row] for number, row in enumerate(rows)]
)


@settings(deadline=None)
@given(rows=st.one_of(rows_of_cells, rows_in_order), end=st.sampled_from(["", "\n", "\n\n"]))
def test_the_fast_way_and_the_careful_way_agree(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "t.csv"
    lines = [",".join(row) for row in rows]
    path.write_text(HEAD + "\n".join(lines) + end)
    try:
        samples = read_table(path)
    except TableError as error:
        complaint = str(error)
    else:
        complaint = ""
        assert len(samples) == sum(bool(line) for line in lines)
        assert np.isfinite(samples.t_s).all()
        assert (np.diff(samples.t_s) > 0).all()
        assert not np.isinf(samples.position_m).any()
    assert "some line cannot be read" not in complaint


@needs.shared_data
def test_the_real_recordings_are_tables() -> None:
    press = read_table(needs.SHARED_DATA / "leg_press_biostrength" / "right.csv")
    assert len(press) > 1000
    assert 0.2 < press.position_m.min() < press.position_m.max() < 0.58
    pull = read_table(needs.SHARED_DATA / "isometric_pull" / "example1.csv")
    assert set(pull.position_m.tolist()) == {0.0}
