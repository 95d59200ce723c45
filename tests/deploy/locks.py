"""The pins of a lock file."""

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


LOCKS = ROOT / "configs" / "locks"


def pins(name: str) -> dict[str, str]:
    """The version of each distribution; each has hashes, and no distribution has two versions."""
    text = re.sub(r"(?m)^\s*#.*$", "", (LOCKS / f"{name}.lock").read_text()).replace("\\\n", " ")
    versions: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, *hashes = line.split(" --hash=")
        assert hashes, line
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", part.strip()) for part in hashes)
        parsed = Requirement(requirement.strip())
        (pin,) = parsed.specifier
        assert pin.operator == "=="
        key = canonicalize_name(parsed.name)
        assert key not in versions, f"{key} has two versions in {name}.lock"
        versions[key] = pin.version
    return versions
