"""The `info` message describes daemon and device by name."""

from pathlib import Path
from unittest.mock import Mock

from firmware_bridge.formats.codes import Adc, Mcu, ResetCause
from firmware_bridge.formats.messages import Hello
from monitor.custody.housekeeping import Housekeeper
from monitor.daemon.about import firmware_info, storage_info
from monitor.daemon.keeper import Keeper
from monitor.events import Leak
from monitor.store.store import Store
from tests.daemon.stage import PROFILE


def hello(mcu: int, adc: int, reset_cause: int) -> Hello:
    return Hello(1, 1, 0, 0, mcu, reset_cause, 77, 5, adc, 80, 3, 16000, 1, 123)


def test_leaks_of_sets_add_up() -> None:
    one = Leak(lockout_s=1.1, bottom_s=0.0, unload_s=2.0, low_tension_s=0.1, high_tension_s=3.0, unjudged_s=0.5)
    assert one + one == Leak(
        lockout_s=2.2, bottom_s=0.0, unload_s=4.0, low_tension_s=0.2, high_tension_s=6.0, unjudged_s=1.0
    )


def test_a_known_board_has_names() -> None:
    said = hello(mcu=Mcu.ATMEGA2560, adc=Adc.HX711, reset_cause=ResetCause.POWER_ON | ResetCause.BROWN_OUT)
    info = firmware_info(said, PROFILE)
    assert (info.mcu, info.adc, info.reset_cause) == ("ATMEGA2560", "HX711", "POWER_ON|BROWN_OUT")


def test_an_unknown_board_has_numbers() -> None:
    info = firmware_info(hello(mcu=77, adc=88, reset_cause=0), PROFILE)
    assert (info.mcu, info.adc, info.reset_cause) == ("MCU 77", "ADC 88", "unknown")


def test_a_store_that_was_moved_is_trouble(tmp_path: Path) -> None:
    with Store(tmp_path / "events.db") as store:
        keeper, housekeeper = Keeper(store, []), Housekeeper(PROFILE, store, tmp_path)
        assert storage_info(keeper, housekeeper, None, None).trouble is None
        store.path.rename(tmp_path / "elsewhere.db")
        trouble = storage_info(keeper, housekeeper, None, None).trouble
        assert "was replaced, moved or removed while it was in use" in str(trouble)


def test_a_recording_that_cannot_be_written_is_named_as_such(tmp_path: Path) -> None:
    recorder = Mock(status=Mock(last_error="Not a directory", dropped_records=0))
    with Store(tmp_path / "events.db") as store:
        keeper, housekeeper = Keeper(store, []), Housekeeper(PROFILE, store, tmp_path)
        trouble = storage_info(keeper, housekeeper, recorder, None).trouble
    assert trouble == "the recording cannot be written (Not a directory)"
