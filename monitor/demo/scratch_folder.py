"""The temporary folder for what the demo records, so that no report and no backup takes its lifter for a real one."""

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
    """Deleted at the end, unless it is to be kept; the last lines on the terminal say which."""
    folder = Path(tempfile.mkdtemp(prefix="rep-monitor-demo-"))
    try:
        yield folder
    finally:
        recorded = recordings(folder)
        if keep and recorded:
            print(f"Stopped. What the simulated machine recorded is kept in {folder}. Look at it:")
            print(shlex.join([_command(), "report", str(recorded[-1])]))
        else:
            shutil.rmtree(folder)
            print(
                "Stopped. Nothing of the simulated machine is left running, and",
                "what it recorded is deleted; --keep keeps it." if recorded else "nothing was recorded.",
            )


def _command() -> str:
    """What a person types here to call this program."""
    if shutil.which("rep-monitor"):
        return "rep-monitor"
    script = Path(sys.executable).with_name("rep-monitor")
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)
