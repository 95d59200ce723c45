"""The README promises nothing that is not there: commands, files, sentences, the table of exit statuses."""

import re
from pathlib import Path

from monitor.__main__ import COMMANDS
from monitor.exit_codes import TABLE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_its_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", README, re.DOTALL))
    asked = re.findall(r"\bmake ([a-z]+)", code)
    assert asked
    assert set(asked) <= targets
    for name in re.findall(r"\brep-monitor ([a-z]+)", code):
        assert name in COMMANDS


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_its_table_of_exit_statuses_is_the_commands() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE))
    assert rows == {str(int(code)): meaning for code, meaning in TABLE.items()}
