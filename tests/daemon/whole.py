"""A profile for tests of the whole service."""

from pathlib import Path

from tests.mqtt.brokers import free_port

PROFILE = """
[machine]
id = "e2e"
kind = "stack"
rest_m = 0.0
bottom_m = 0.03
top_m = 0.43
working_load_n = 784.5
friction = 0.08

[protocol]
name = "2/4"

[calibration]
metres_per_count = 0.0001
newtons_per_count = 0.05

[display]
port = {page_port}
"""


def a_profile(folder: Path, broker_port: int | None) -> Path:
    path = folder / "e2e.toml"
    outside = "" if broker_port is None else f'[mqtt]\nhost = "127.0.0.1"\nport = {broker_port}\n'
    path.write_text(PROFILE.format(page_port=free_port()) + outside)
    return path
