"""A temporary folder for the recordings of the demo, so that no report or backup contains its simulated lifter."""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.state.folders import recordings


@contextmanager
def scratch_folder(*, keep: bool) -> Iterator[Path]:
    """A folder that is deleted at the end, unless `keep`. The last lines on the terminal report which."""
    folder = Path(tempfile.mkdtemp(prefix="rep-monitor-demo-"))
    try:
        yield folder
    finally:
        recorded = [path for place in (folder, *sorted(folder.glob("*/"))) for path in recordings(place)]
        if keep and recorded:
            print(f"Stopped. The recordings of the simulated machine are in {folder}. To look at one:")
            print(shlex.join([_command(), "report", str(recorded[-1])]))
        else:
            shutil.rmtree(folder)
            ending = "The recordings are deleted; --keep keeps them." if recorded else "Nothing was recorded."
            print(f"Stopped. {ending}")


def _command() -> str:
    """The words that start this program in the current folder."""
    if shutil.which("rep-monitor"):
        return "rep-monitor"
    script = Path(sys.executable).with_name("rep-monitor")
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)
