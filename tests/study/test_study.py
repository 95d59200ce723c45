"""A study of many recordings: complete, continued after any end, and the same on one process as on many."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.events import Rep
from monitor.exit_codes import ExitCode
from monitor.study import comparing, dataset, workers
from monitor.study.columns import SCHEMAS
from monitor.study.dataset import Dataset, read
from monitor.study.errors import StudyError
from monitor.study.replaying import Tables, digest_of, failed_batch, replay_batch
from monitor.study.study import make_study, recordings_in
from monitor.study.workers import ENDED, batches, in_processes, on_scheduler

RECORDINGS = Path(__file__).parents[1] / "recordings"
CLEAN, FAULTS = RECORDINGS / "clean.mcap", RECORDINGS / "faults.mcap"


def item(path: Path) -> tuple[str, str]:
    return digest_of(path), str(path)


def study(folder: Path, out: Path, processes: int = 1) -> tuple[int, int]:
    return make_study([folder], out, workers=processes, scheduler=None, progress=lambda done, of: None)


@cache
def alone() -> dict[workers.Batch, Tables]:
    """Each recording as a batch of its own, replayed in this process."""
    return {batch: replay_batch(batch) for batch in [(item(path),) for path in recordings_in([RECORDINGS])]}


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings" / "2026"
    folder.mkdir(parents=True)
    shutil.copy(CLEAN, folder)
    return tmp_path / "recordings"


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays without worker processes, which cost a second each."""
    monkeypatch.setattr("monitor.study.study.in_processes", lambda work, n: ((one, replay_batch(one)) for one in work))


@pytest.fixture
def environment_stays() -> Iterator[None]:
    """Dask sets seeds, limits of threads and settings of the allocator for all programs that are started later."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("in_this_process")
def test_a_study_has_every_record_and_is_continued(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    assert study(inputs, out) == (1, 1)
    assert study(inputs, out) == (1, 0)
    shutil.copy(FAULTS, inputs)
    shutil.copy(FAULTS, inputs / "a-copy.mcap")
    assert study(inputs, out) == (2, 1), "a copy is no other recording"
    tables = {name: read(out, name) for name in SCHEMAS}
    assert all(table.schema.equals(SCHEMAS[name]) for name, table in tables.items())
    assert sorted(Path(path).name for path in tables["recordings"]["path"].to_pylist()) == ["a-copy.mcap", "clean.mcap"]
    faults = digest_of(FAULTS)
    reps = [row for row in tables["repetitions"].to_pylist() if row["digest"] == faults]
    assert [row["rep"] for row in reps] == list(range(1, 10))
    assert {row["start_grade"] for row in reps} == {"squeezed", "fair", None}
    (summary,) = (row for row in tables["sets"].to_pylist() if row["digest"] == faults)
    assert summary["reps"] == 9
    assert summary["leak_jerk_s"] > 0
    assert '"jerk"' in summary["counts"] or '"drop"' in summary["counts"]
    kinds = [row["kind"] for row in tables["events"].to_pylist() if row["digest"] == faults]
    assert kinds.count("rep") == 9
    assert "failure" in kinds
    assert set(Rep.__struct_fields__) - {"start", "segmented", "closed_s", "cut"} <= set(reps[0])


@pytest.mark.usefixtures("in_this_process")
def test_what_cannot_be_replayed_is_reported_and_costs_nothing_else(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inputs / "noise.mcap").write_bytes(b"no recording")
    (inputs / "cut.mcap").write_bytes(FAULTS.read_bytes()[: FAULTS.stat().st_size // 2])
    words = ["study", str(inputs), "--out", str(tmp_path / "study")]
    assert main(words) == ExitCode.DONE_WITH_LOSS
    said = capsys.readouterr()
    assert "3 recordings, 1 set, 10 repetitions, " in said.out
    assert "noise.mcap is not a session recording" in said.err
    assert "cut.mcap: " in said.err
    assert "records are missing" in said.err
    trouble = {Path(row["path"]).name: row["trouble"] for row in read(tmp_path / "study", "recordings").to_pylist()}
    assert trouble["clean.mcap"] is trouble["cut.mcap"] is None
    assert main(words) == ExitCode.DONE_WITH_LOSS, "it is still so"


@pytest.mark.usefixtures("in_this_process")
def test_a_batch_counts_only_when_it_is_whole(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    study(inputs, out)
    whole = {name: read(out, name) for name in SCHEMAS}
    for path in (out / "recordings").glob("part-*"):  # written last
        path.unlink()
    (out / "events" / f"part-{'0' * 16}.part").write_bytes(b"half")
    others = out / "events" / "part-00000-of-another-program.parquet"
    others.write_bytes(b"not ours")
    assert study(inputs, out) == (1, 1)
    assert others.read_bytes() == b"not ours"
    others.unlink()
    assert {name: read(out, name) for name in SCHEMAS} == whole
    assert not list(out.rglob("*.part"))


@pytest.mark.usefixtures("in_this_process")
def test_a_full_disk_is_named(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **more: object) -> None:
        raise OSError(28, "Error writing bytes to file")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    assert main(["study", str(inputs), "--out", str(tmp_path / "study")]) == ExitCode.FAILED
    assert ".part: no space left on device" in capsys.readouterr().err


@pytest.mark.usefixtures("in_this_process")
def test_two_studies_or_two_detectors_do_not_share_a_dataset(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "study"
    study(inputs, out)
    with Dataset(out), pytest.raises(StudyError, match="another study writes"):
        study(inputs, out)
    monkeypatch.setattr(dataset, "fingerprint", lambda: "another")
    with pytest.raises(StudyError, match=r"made by another detector .* choose a new folder"):
        study(inputs, out)


@pytest.mark.may_leak("multiprocessing keeps a pipe to its resource tracker")
def test_a_killed_worker_costs_nothing() -> None:
    found: dict[workers.Batch, Tables] = {}
    for batch, tables in in_processes(list(alone()), 2):
        if not found:
            for process in multiprocessing.active_children():
                os.kill(process.pid or 0, signal.SIGKILL)
        assert batch not in found
        found[batch] = tables
    assert found == alone()


def test_a_recording_that_ends_its_workers_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch gets a second attempt, then each of its recordings gets two."""
    work = workers._Work((item(CLEAN), item(FAULTS)))
    (again,) = workers._again(work) or [work]
    assert again.batch == work.batch
    singles = workers._again(again) or []
    assert [single.batch for single in singles] == [(item(CLEAN),), (item(FAULTS),)]
    (last,) = workers._again(singles[0]) or [work]
    assert workers._again(last) is None
    failed = failed_batch(last.batch, ENDED)
    assert failed["recordings"]["trouble"].to_pylist() == [ENDED]
    assert failed["events"].num_rows == 0


def test_batches_are_large_and_leave_no_worker_without_work() -> None:
    some = [(str(n), "") for n in range(45)]
    assert [len(batch) for batch in batches(some, 2)] == [20, 20, 5]
    assert [len(batch) for batch in batches(some[:6], 4)] == [2, 2, 2]
    assert sum(batches(some, 3), ()) == tuple(some)


@pytest.mark.usefixtures("environment_stays")
@pytest.mark.may_leak("Dask keeps threads and descriptors for the next cluster")
def test_a_dask_scheduler_gives_the_same_tables_and_survives_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "REACHED_WITHIN_S", 60.0)
    distributed = pytest.importorskip("distributed")
    work = list(alone())
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        found: dict[workers.Batch, Tables] = {}
        for batch, tables in on_scheduler(work, cluster.scheduler_address):
            if not found:
                os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
            found[batch] = tables
    assert found == alone()


@pytest.mark.usefixtures("in_this_process")
def test_a_comparison_counts_what_another_detector_says(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(FAULTS, inputs)
    study(inputs, tmp_path / "old")
    batch = ((digest_of(FAULTS), "x"), (digest_of(CLEAN), "y"))
    tables = replay_batch([(digest, str(path)) for (digest, _), path in zip(batch, (FAULTS, CLEAN), strict=True)])
    events = tables["events"].to_pylist()
    stall = next(event for event in events if event["kind"] == "stall")
    jerk = next(event for event in events if event["kind"] == "jerk")
    events.remove(stall)
    jerk["t_s"] += 0.1
    jerk["record"] = jerk["record"].replace('"peak_g":', '"peak_g":1')
    sets = tables["sets"].to_pylist()
    sets[0]["skill"] -= 0.25
    changed = {"events": events, "sets": sets}
    for name, rows in changed.items():
        tables[name] = type(tables[name]).from_pylist(rows, schema=SCHEMAS[name])
    with Dataset(tmp_path / "new") as new:
        new.add(batch, tables)
    found = comparing.compare(tmp_path / "old", tmp_path / "new")
    assert found.kinds["stall"] == comparing.Kind(same=1, only_old=1)
    assert found.kinds["jerk"] == comparing.Kind(same=2, changed=1)
    assert found.kinds["rep"].changed == found.kinds["rep"].only_old == found.kinds["rep"].only_new == 0
    assert [Path(path).name for path in found.differing] == ["faults.mcap"]
    assert min(found.skill_changes) == pytest.approx(-0.25)
    assert main(["study", "--compare", str(tmp_path / "old"), str(tmp_path / "new")]) == ExitCode.DONE
    said = capsys.readouterr().out
    assert "2 recordings in both; 1 differ" in said
    assert "largest change -25.0%" in said


@pytest.mark.may_leak("Dask keeps a thread for the next client")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "name at least one FOLDER"),
        (["missing", "--out", "out"], "missing does not exist"),
        ([".", "--out", "out"], "there is no recording"),
        ([".", "--out", "out", "--workers", "0"], "--workers must be at least 1"),
        (["--compare", "old", "new"], "is not a study: it has no folder recordings"),
        ([".", "--compare", "old", "new"], "takes two datasets and nothing else"),
        ([str(CLEAN), "--out", "out", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers"),
        ([str(CLEAN), "--out", "out", "--scheduler", "nonsense"], "no Dask scheduler answers"),
    ],
)
def test_bad_input_gets_a_sentence(
    words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["study", *words]) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
