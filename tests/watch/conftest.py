"""These tests wait for brokers and pages as long as a loaded computer needs."""

from tests.unhurried import unhurried as unhurried
