"""Examines a page with axe-core, which comes from npm as .ci/axe/package-lock.json names it."""

import fcntl
import json
import subprocess
from functools import cache
from pathlib import Path

from tests import needs
from tests.browser import Page

FOLDER = Path(__file__).parents[2] / ".ci" / "axe"
SCRIPT = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
RUN = """(async (within) => {
  const arriving = document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity);
  await Promise.allSettled(arriving.map((one) => one.finished)); // a cancelled one is rejected
  const { violations } = await axe.run(within, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.length} x ${nodes[0].target} ${nodes[0].failureSummary}`);
})"""


def violations(page: Page, within: str = ":root") -> list[str]:
    """One line for each rule that the page violates now, or the first element that fits the selector `within`."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(_source())
    return [str(line) for line in page.evaluate(f"{RUN}(document.querySelector({within!r}))")]


@cache
def _source() -> str:
    installed = SCRIPT.with_name("package.json")
    with (FOLDER / "package.json").open() as package:
        fcntl.flock(package, fcntl.LOCK_EX)  # two workers that install it at once remove each other's files
        wanted = json.load(package)["devDependencies"]["axe-core"]
        if not installed.exists() or json.loads(installed.read_text())["version"] != wanted:
            options = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run([needs.path("npm"), "ci", "--prefix", str(FOLDER), *options], check=True, timeout=300)
    return SCRIPT.read_text() + "; true"
