"""Measures recording and storing: processor, disk, and the speed of reading.

.venv/bin/python -m tests.benchmarks.bench_record
"""

import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec
import numpy as np

from firmware_bridge.chunk import ChunkRun
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.simulator import Kit, Machine, clean_set, simulate
from firmware_bridge.simulator.wire import board_chunks
from monitor.detect.spine import Spine
from monitor.events import AnyEvent
from monitor.profile.reading import profile_from_builtins
from monitor.record.durable_file import DurableFile
from monitor.record.export import export_samples
from monitor.record.records import Header, Record, event_record, feedback_record, wire_record
from monitor.record.replay import batches, decoder_of
from monitor.record.session_file import SessionEncoder, SessionWriter
from monitor.record.session_reader import read_session
from monitor.record.table.table import read_table
from monitor.store.store import Store

SETS = 3
COMMITS = 400
MANY_EVENTS = 100_000
PERIOD_NS = 800_000_000
TABLES = {
    "machine": {"id": "bench", "kind": "stack", "rest_m": 0.0, "bottom_m": 0.03, "top_m": 0.53},
    "protocol": {"positive_s": 4.0, "negative_s": 4.0},
}


def recorded(rate_hz: int, force_rate_hz: float) -> tuple[Header, list[Record], float]:
    """Sets as the daemon records them, and their duration."""
    kit = Kit(position_rate_hz=rate_hz, force_rate_hz=force_rate_hz)
    machine = Machine(mass_kg=80, resonance_hz=8, friction=0.1, rest_m=0, bottom_m=0.03, top_m=0.53)
    trace = simulate(machine, clean_set(4, 4, reps=8), seed=1)
    decoder, spine = Decoder(kit.calibration(machine)), Spine(profile_from_builtins(TABLES), "bench")
    records: list[Record] = []
    for chunk in board_chunks(trace, kit, seed=1):
        records.append(wire_record(chunk))
        update = spine.update(decoder.feed(chunk))
        records += [event_record(event, chunk.received_ns) for event in update.events]
        records += [feedback_record(feedback, chunk.received_ns) for feedback in update.feedback]
    one_ns = records[-1].at_ns - records[0].at_ns
    header = Header(
        session="bench", machine="bench", created_utc="", created_ns=records[0].at_ns, daemon_version="0",
        profile=TABLES, calibration=asdict(kit.calibration(machine)),
    )  # fmt: skip
    return header, [r._replace(at_ns=r.at_ns + k * one_ns) for k in range(SETS) for r in records], SETS * one_ns / 1e9


def bench_writing(header: Header, records: list[Record], session_s: float) -> None:
    """Like the recorder's thread without its pauses: encodes, flushes and syncs every 0.8 s of the session."""
    for topic in ("/wire", "/feedback", "/event"):
        sizes = [len(record.data) for record in records if record.topic == topic]
        print(
            f"  {topic:10} {len(sizes) / session_s:6.1f} a second, {sum(sizes) / session_s / 1000:6.2f} kB/s as it is"
        )
    with tempfile.TemporaryDirectory() as directory:
        file, syncs_s = DurableFile(Path(directory) / "a" / "s.mcap"), []
        begin_s = time.process_time()
        for part in encoded(header, records):
            file.append(part)
            begin_sync_s = time.perf_counter()
            file.sync()
            syncs_s.append(time.perf_counter() - begin_sync_s)
        cost_s = time.process_time() - begin_s
        file.close()
    share, each_us = cost_s / session_s, cost_s / len(records) * 1e6
    print(f"  recording  {share * 1e3:6.2f} ms of a core a second ({share:.2%}), {each_us:.1f} us a record")
    print(f"  disk       {file.durable_bytes / session_s * 3600 / 1e6:6.1f} MB an hour")
    print(f"  sync       {quantiles(syncs_s)}")


def bench_memory(header: Header, records: list[Record], session_s: float) -> None:
    """The index of an open recording grows until it is closed."""
    tracemalloc.start()
    parts = encoded(header, records)
    for _ in parts:
        kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"  memory     {kept / session_s * 3600 / 1e6:6.2f} MB an hour until it is closed")


def encoded(header: Header, records: list[Record]) -> Iterator[bytes]:
    encoder, due_ns = SessionEncoder(header), header.created_ns + PERIOD_NS
    for record in records:
        if record.at_ns >= due_ns:
            due_ns += PERIOD_NS
            yield encoder.flush()
        encoder.add(record)
    yield encoder.flush()


def bench_reading(header: Header, records: list[Record]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "s.mcap"
        with SessionWriter(path, header) as writer:
            for record in records:
                writer.add(record)
        session = read_session(path)
        rate = timed(lambda: sum(1 for _ in session))
        print(f"  records    {rate / 1e6:6.2f} million/s")

        def decode() -> int:
            decoder = decoder_of(header)
            return sum(len(decoder.feed_run(batch)) for batch in batches(session) if isinstance(batch, ChunkRun))

        print(f"  decoded    {timed(decode) / 1e6:6.2f} million samples/s, from file to samples")
        table = Path(directory) / "t.csv"
        exported = timed(lambda: export_samples(session, header, "csv", fresh(table)))
        print(f"  exported   {exported / 1e6:6.2f} million rows/s")
        print(f"  table      {timed(lambda: len(read_table(table).samples)) / 1e6:6.2f} million rows/s, CSV to samples")


def fresh(path: Path) -> Path:
    path.unlink(missing_ok=True)
    return path


def timed(work: Callable[[], int]) -> float:
    """Items per second of processor time, the best of three."""
    best = 0.0
    for _ in range(3):
        begin_s = time.process_time()
        count = work()
        best = max(best, count / (time.process_time() - begin_s))
    return best


def bench_store(records: list[Record]) -> None:
    events = [msgspec.json.decode(r.data, type=AnyEvent) for r in records if r.topic == "/event"]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "events.db"
        with Store(path) as store:
            for count in (1, 5):
                store.append(events[:1])
                commits_s, written = [], written_bytes()
                for k in range(COMMITS):
                    begin_s = time.perf_counter()
                    store.append([events[(k + n) % len(events)] for n in range(count)])
                    commits_s.append(time.perf_counter() - begin_s)
                disk = (written_bytes() - written) / COMMITS / 1000
                print(f"  commit of {count} {quantiles(commits_s)}, {disk:5.1f} kB to the disk")
            for start in range(0, MANY_EVENTS, 1000):
                store.append([events[(start + k) % len(events)] for k in range(1000)])
            begin_s = time.perf_counter()
            count = sum(len(store.after(seq, 500)) for seq in range(0, store.last_seq, 500))
            print(
                f"  resume     {count / (time.perf_counter() - begin_s) / 1e3:6.0f} thousand events/s in pages of 500"
            )
            begin_s = time.perf_counter()
            gone = store.prune(keep_days=30, keep_events=MANY_EVENTS // 2)
            print(f"  prune      {gone} of {count} in {time.perf_counter() - begin_s:.2f} s")
            store.append([events[k % len(events)] for k in range(MANY_EVENTS // 2)])
            size_mb = path.stat().st_size / 1e6
        for state in ("clean", "unclean"):
            begin_s = time.perf_counter()
            store = Store(path)
            opened_s = time.perf_counter() - begin_s
            print(f"  open       {opened_s:6.3f} s for {MANY_EVENTS} events, {size_mb:.0f} MB, {state}")
            if state == "clean":
                assert store._connection is not None
                store._connection.close()
            else:
                store.close()


def quantiles(times_s: Sequence[float]) -> str:
    p50, p99 = np.quantile(times_s, (0.5, 0.99))
    return f"p50 {p50 * 1e3:6.2f} ms, p99 {p99 * 1e3:6.2f} ms, worst {max(times_s) * 1e3:6.2f} ms"


def written_bytes() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def main() -> None:
    for rate_hz, force_rate_hz in ((500, 80.0), (500, 500.0), (1000, 1000.0)):
        header, records, session_s = recorded(rate_hz, force_rate_hz)
        print(f"recording, position at {rate_hz} Hz, force at {force_rate_hz:.0f} Hz, {session_s:.0f} s of sets")
        bench_writing(header, records, session_s)
        bench_reading(header, records)
    bench_memory(header, records, session_s)
    print("store")
    bench_store(records)


if __name__ == "__main__":
    main()
