"""Everything that an installation brings along may be given on with this program: no licence asks for more."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

PERMISSIVE = {"MIT", "BSD", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "Zlib", "CC0-1.0", "PSF-2.0", "Apache-2.0"}
CLASSIFIED = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "Apache Software License": "Apache-2.0",
}


def runtime() -> dict[str, Distribution]:
    """This program and what it needs, without extras."""
    found: dict[str, Distribution] = {}
    waiting = ["rep-monitor"]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # of another system or interpreter
        needs = [need for need in found[name].requires or [] if "extra ==" not in need]
        waiting += [match[0] for need in needs if (match := re.match(r"[\w.-]+", need))]
    return found


def licence(package: Distribution) -> str:
    """An expression, as SPDX writes it; empty if the package names none."""
    stated = package.metadata.get_all("License-Expression") or []
    classified = [
        CLASSIFIED.get(line.rpartition(" :: ")[2], "")
        for line in package.metadata.get_all("Classifier") or []
        if line.startswith("License")
    ]
    words = (package.metadata.get_all("License") or [""])[0]
    return next(filter(None, [*stated, *classified, words]), "")


def is_permissive(expression: str) -> bool:
    """One of the alternatives (OR) has only permissive parts (AND).

    >>> is_permissive("EPL-2.0 OR BSD-3-Clause"), is_permissive("MIT AND GPL-3.0-only")
    (True, False)
    """
    return any({part.strip(" ()") for part in one.split(" AND ")} <= PERMISSIVE for one in expression.split(" OR "))


def test_every_runtime_dependency_has_a_permissive_licence() -> None:
    packages = runtime()
    assert {"rep-monitor", "aiomqtt", "amqtt", "numpy", "mcap", "paho-mqtt"} <= packages.keys()
    wrong = {name: licence(package) for name, package in packages.items() if not is_permissive(licence(package))}
    assert not wrong


def test_a_licence_that_asks_for_more_is_noticed() -> None:
    assert not is_permissive("GPL-3.0-only")
    assert not is_permissive("MIT AND LGPL-2.1-or-later")
    assert not is_permissive("")
    assert is_permissive("EPL-2.0 OR BSD-3-Clause")
