"""Shares the tests of `make test` among parallel workers: how many there are, what stays together, what comes first.

A worker takes whole files, so that what the tests of a file share is made once. Files that share a browser go together.
"""

import os
from functools import cache
from pathlib import PurePosixPath

AT_MOST = 8
A_CORE = 2  # many tests wait for real time; more workers would delay each other
WORKER_BYTES = 1 << 30  # of a worker with its browser, brokers and daemons
TOGETHER = ("tests/display", "tests/report", "tests/gym/web/page")  # a browser each
LONGEST = (  # they come first, so that no worker is left with a long file at the end
    "tests/display",
    "tests/report",
    "tests/benchmarks/test_instructions.py",
    "tests/detect/test_detector_contract.py",
    "tests/gym/collector/test_collector.py",
    "tests/calibrate/test_refusals.py",
    "tests/deploy/test_staged.py",
    "tests/firmware/test_streaming.py",
    "tests/firmware/test_detection.py",
    "tests/gym/test_gym.py",
    "tests/gym/web/page",
    "tests/demo/test_demo.py",
    "tests/test_readme.py",
    "tests/recordings/test_recordings.py",
    "tests/daemon/test_daemon.py",
    "tests/firmware/test_faults.py",
    "tests/test_end_to_end.py",
    "tests/faults/test_clock.py",
    "tests/quality/test_quality.py",
    "tests/quality/life/test_life.py",
    "tests/firmware_bridge/simulator/test_gym.py",
    "tests/firmware_bridge/simulator/test_sets.py",
    "tests/study/test_study.py",
    "tests/detect/test_mutants.py",
    "tests/faults/test_strangers.py",
    "tests/faults/test_process.py",
    "tests/projection/test_on_the_page.py",
)


def number() -> int:
    """The workers of `-n auto`: two for each core, if the memory suffices."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(A_CORE * len(os.sched_getaffinity(0)), memory_bytes // WORKER_BYTES, AT_MOST))


def unit(node_id: str) -> str:
    """What goes to one worker with this test: its file, or its folder."""
    return _unit_of_file(node_id.partition("::")[0])


@cache
def _unit_of_file(name: str) -> str:
    path = PurePosixPath(name)
    return next((folder for folder in TOGETHER if path.is_relative_to(folder)), name)


def place(node_id: str) -> int:
    """Its place in the order; what is not long keeps its place after the longest."""
    own = unit(node_id)
    return LONGEST.index(own) if own in LONGEST else len(LONGEST)
