"""The decoder's clock goes on over wraps, silences, wrong stamps and restarts."""

import numpy as np
import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.framing import frame
from firmware_bridge.formats.messages import Hello, Pos
from firmware_bridge.samples import Flag
from tests.firmware_bridge.decoding import Timed, assert_same, chunked, decode, keys, true_keys
from tests.firmware_bridge.wire import Wire


def test_the_clock_goes_on_over_wraps_and_over_a_silence_of_any_length() -> None:
    device = Wire(t0_us=2**32 - 5_000_000)
    frames: Timed = []
    for at_us in (0, 10_000_000, 3_000_000_000, 15_000_000_000, 15_010_000_000):
        frames += device.stream(at_us, 50_000)
    samples, counts = decode(chunked(frames))
    assert keys(samples) == true_keys(device.sent, device.sent[0].at_us)
    assert (counts.resets, counts.bad_stamp) == (0, 0)


def test_a_stalled_host_does_not_bend_the_clock() -> None:
    device = Wire()
    frames = device.stream(0, 40_000_000)
    # Nothing is read from the fifth second on; four seconds fit the buffer, eleven are lost, then all arrives at once.
    arrivals = [(max(at_us, 20_000_000) if at_us > 5_000_000 else at_us, at_us, wire) for at_us, wire in frames]
    samples, counts = decode(chunked([(at, wire) for at, done, wire in arrivals if not 9e6 < done < 20e6]))
    assert set(keys(samples)) <= set(true_keys(device.sent, device.sent[0].at_us))
    assert counts.resets == 0
    assert counts.lost_position_samples == 5500


@pytest.mark.parametrize("uptime_s", [3, 2000, 2148, 4000])
@pytest.mark.parametrize("hello", [True, False])
def test_a_restarted_device_is_known_and_bridged_by_arrival(uptime_s: int, hello: bool) -> None:
    device = Wire(t0_us=(uptime_s * 1_000_000) % 2**32)
    frames = device.stream(0, 1_500_000)
    before = len(device.sent)
    device.reboot(2_500_000, boot_id=77, stream_id=2)
    frames += [(2_500_000, device.hello(2_500_000))] if hello else []
    frames += device.stream(2_600_000, 1_500_000)
    samples, counts = decode(chunked(frames))
    lost = 0 if hello else 5  # the first block after it is refused, the second confirms it
    assert counts.resets == 1
    assert counts.bad_stamp == (0 if hello else 1)
    assert counts.lost_position_samples == lost
    assert len(samples) == len(device.sent) - lost
    marked = np.flatnonzero(samples.flags & Flag.RESTART)
    is_force = np.isnan(samples.position_m)
    assert marked.tolist() == sorted(before + np.flatnonzero(is_force[before:] == kind)[0] for kind in (False, True))
    assert abs(samples.t_s[before] - (2.6 if hello else 2.61)) < 0.02


def test_a_lone_impossible_stamp_changes_nothing() -> None:
    device = Wire()
    frames = device.stream(10**9, 300_000)
    outlier = frame(Pos(1, device.pos_idx, 5, 2000, (1, 2, 3)).to_bytes(device.seq))
    frames += [(10**9 + 300_000, outlier)]
    device.seq += 1
    frames += device.stream(10**9 + 310_000, 300_000)
    samples, counts = decode(chunked(frames))
    assert keys(samples) == true_keys(device.sent, device.sent[0].at_us)
    assert (counts.bad_stamp, counts.resets, counts.lost_frames) == (1, 0, 0)


def test_two_impossible_stamps_far_apart_are_not_a_restart() -> None:
    device = Wire()
    frames: Timed = []
    for k in range(3):
        at_us = 10**9 + k * 1_000_000
        frames += device.stream(at_us, 300_000)
        outlier = Pos(1, device.pos_idx, 5 + k * 1_000_000, 2000, (1, 2, 3))
        frames.append((at_us + 310_000, frame(outlier.to_bytes(device.seq))))
        device.seq += 1
    samples, counts = decode(chunked(frames))
    assert keys(samples) == true_keys(device.sent, device.sent[0].at_us)
    assert (counts.bad_stamp, counts.resets) == (3, 0)


def test_a_conversion_that_waited_behind_a_block_keeps_its_own_time() -> None:
    device = Wire()
    samples, counts = decode([Chunk(0, device.pos(0) + device.force(3000) + device.pos(10_000) + device.force(15_500))])
    assert samples.t_s[[5, 11]].tolist() == [0.003, 0.0155]
    assert (counts.bad_stamp, counts.late_samples, counts.resets) == (0, 0, 0)


def test_what_was_measured_before_the_session_began_is_late() -> None:
    device = Wire()
    force, pos = device.force(6000), device.pos(0)
    samples, counts = decode([Chunk(8_000_000, force + pos)])
    assert samples.t_s.tolist() == [0.0, 0.0, 0.002]
    assert counts.late_samples == 3


def test_a_known_boot_makes_the_first_hello_of_another_boot_a_reset() -> None:
    device = Wire(boot_id=5)
    known = Hello(1, 0, 1, 0, 0, 1, 4, 7, 1, 80, 3, 16000, 1, 0)
    frames = [(0, device.hello(0)), *device.stream(100, 50_000)]
    assert decode(chunked(frames))[1].resets == 0
    assert decode(chunked(frames), boot=known)[1].resets == 1


def test_a_hello_of_another_boot_between_two_status_of_one_boot_makes_two_resets_in_any_grouping() -> None:
    device = Wire()
    frames: Timed = []
    for second in range(6):
        frames += [(second * 1_000_000, device.status(second * 1_000_000))] if second != 3 else []
        frames += device.stream(second * 1_000_000 + 100, 900_000)
        if second == 2:
            frames.append((2_950_000, Wire(boot_id=9).hello(2_950_000)))
    one_by_one, together = (decode(chunked(frames), together=together) for together in (False, True))
    assert_same(one_by_one[0], together[0])
    assert one_by_one[1] == together[1]
    assert together[1].resets == 2
