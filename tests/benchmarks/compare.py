"""Compares the speed of this tree with another commit: `make bench BASE=REV`.

python -m tests.benchmarks.compare REV [--rounds 5] [--pieces bulk,live,start] [--no-instructions]

    bulk       ten sets at 1 kHz, from disk to events       live    15 s of a set, as in the daemon
    replay     the same at 500/80 Hz                        rest    15 s of a machine at rest, as in the daemon
    feedback   the same, with feedback                      start   `rep-monitor run --help`

Each round runs both trees, in turns, as whole processes. A ratio below 1 means that this tree is cheaper. The spread is
the range of the rounds' ratios; on a busy computer trust the instructions.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_bridge.simulator import Kit, Lifter, Rest, Script, simulate
from tests.benchmarks.bench_spine import MACHINE, record, session
from tests.benchmarks.instructions import NEEDED, WORK, environment, instructions
from tests.benchmarks.work import PIECES

ROOT = Path(__file__).parents[2]
REPEATED = 3  # a piece in a process, so that its start weighs less
REST_S = 20


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """The tree of a commit in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="rep-monitor-base-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "-q", "--detach", str(tree), revision], check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree)], check=True)


def make_recordings(folder: Path) -> None:
    """The recordings that `work` names. All commits can read them."""
    fast, slow = Kit(position_rate_hz=1000, force_rate_hz=1000), Kit(position_rate_hz=500, force_rate_hz=80)
    training = session()
    at_rest = Script(positive_s=2, negative_s=4, moves=(Rest(REST_S),), lifter=Lifter())
    record(folder / "fast.mcap", training, fast)
    record(folder / "training.mcap", training, slow)
    record(folder / "rest.mcap", simulate(MACHINE, at_rest, 1), slow)


def recording_of(piece: str, folder: Path) -> Path:
    return folder / f"{PIECES[piece][1]}.mcap"


def cpu_s(piece: str, tree: Path, folder: Path) -> float:
    """CPU seconds of one whole process."""
    work = [] if piece == "start" else [str(WORK), piece, str(recording_of(piece, folder)), str(REPEATED)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *(["-m", "monitor", "run", "--help"] if piece == "start" else work)],
        env=environment(tree),
        cwd=tree,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(piece: str, base: Path, folder: Path, rounds: int, count: bool) -> str:
    cpu_s(piece, base, folder), cpu_s(piece, ROOT, folder)  # writes the bytecode
    pairs = [(cpu_s(piece, base, folder), cpu_s(piece, ROOT, folder)) for _ in range(rounds)]
    ratios = [new / old for old, new in pairs]
    old_s, new_s = (statistics.median(column) for column in zip(*pairs, strict=True))
    spread = f"{statistics.median(ratios):5.2f}  {min(ratios):.2f}-{max(ratios):.2f}"
    line = f"{piece:<10}{old_s:9.3f} s {new_s:9.3f} s   {spread}"
    if not count or piece == "start":
        return line
    old, new = (instructions(piece, recording_of(piece, folder), tree) for tree in (base, ROOT))
    return f"{line}   {old / 1e6:8.1f} M {new / 1e6:8.1f} M   {new / old:6.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares the speed of this tree with another commit.")
    parser.add_argument("base", metavar="REV")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pieces", default=",".join((*PIECES, "start")))
    parser.add_argument("--no-instructions", action="store_true")
    given = parser.parse_args()
    count = not given.no_instructions and shutil.which(NEEDED) is not None
    if not count and not given.no_instructions:
        print(f"without instructions, because {NEEDED} is not installed: .ci/system-packages {NEEDED}")
    print(f"{'':<10}{'base':>11} {'this tree':>11}   ratio  spread      instructions: base, this tree, ratio")
    with checked_out(given.base) as base, tempfile.TemporaryDirectory() as folder:
        make_recordings(Path(folder))
        for piece in given.pieces.split(","):
            print(compare(piece, base, Path(folder), given.rounds, count), flush=True)


if __name__ == "__main__":
    main()
