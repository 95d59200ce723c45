"""Lets the product wait longer for what a loaded computer does late; a test of a limit sets that limit itself."""

import sys
from collections.abc import Iterator

import pytest

PATIENT_S = 60.0
LIMITS = {  # of one step of another task or program, which takes milliseconds
    "monitor.display.ask_code": ("PATIENCE_S",),
    "monitor.display.visit": ("PATIENCE_S",),
    "monitor.gym.collector.questions": ("ANSWERED_WITHIN_S", "FORGOTTEN_WITHIN_S"),
    "monitor.gym.web.own_programs": ("PATIENCE_S",),
    "monitor.mqtt.broker.embedded_broker": ("CLOSE_WITHIN_S", "FLUSH_WITHIN_S"),
    "monitor.mqtt.broker.sound_broker": ("CLOSE_WITHIN_S",),
    "monitor.mqtt.broker.relay": ("REACHED_WITHIN_S",),
    "monitor.mqtt.client.connection": ("ACKNOWLEDGED_WITHIN_S", "CONNECT_WITHIN_S"),
    "monitor.mqtt.client.publisher": ("FLUSH_WITHIN_S", "OFFLINE_WITHIN_S"),
}


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    """Import it in a `conftest.py`. What a test itself imports keeps its limits there."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in LIMITS.items():
            for name in names if module in sys.modules else ():
                patch.setattr(f"{module}.{name}", PATIENT_S)
        yield
