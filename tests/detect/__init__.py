"""Tests of detection; pytest explains failed assertions of the check modules like those of test modules."""

import pytest

pytest.register_assert_rewrite(*(f"tests.detect.{name}_checks" for name in ("force", "movement", "sensor")))
