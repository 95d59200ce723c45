"""Foreign bytes, lost bytes and clocks that wrap: nothing false is accepted, and all samples are counted."""

import random
from pathlib import Path

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Force, Pos
from tests.firmware_bridge.wire import RAW, Wire
from tests.soak import Figure, long, soak

pytestmark = soak
NOISE_MIB = long(1024, 16)
FRAMES = long(1_000_000, 20_000)
WRAPS = long(10, 2)
WRAP_US = 2**32
PART_US = 20_000_000
LOST = 0.01


def rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_noise_is_never_taken_for_a_frame(figure: Figure) -> None:
    dice = random.Random(2)
    decoder = Decoder(RAW)
    decoder.feed(Chunk(0, dice.randbytes(1 << 20)))
    before_bytes = rss_bytes()
    for k in range(NOISE_MIB):
        assert len(decoder.feed(Chunk(k, dice.randbytes(1 << 20)))) == 0
    counts = decoder.counts
    grown_bytes = rss_bytes() - before_bytes
    figure(
        f"{NOISE_MIB} MiB of random bytes",
        f"{counts.frames} frames accepted, {counts.bad_crc} of the right shape refused by their CRC, "
        f"memory {grown_bytes / 1024:+.0f} KiB",
    )
    assert counts.frames == 0
    assert decoder.take_control() == []
    assert grown_bytes < 8 << 20  # the pieces themselves are a MiB each


def test_received_and_lost_are_what_was_sent(figure: Figure) -> None:
    """With resets, silences that wrap the clock, and one frame in a hundred lost."""
    dice = random.Random(3)
    device, decoder = Wire(), Decoder(RAW)
    sent = {Pos.TYPE: 0, Force.TYPE: 0}
    dropped = boots = parts = at_us = rows = 0
    first = last = 0.0
    per_part = len(Wire().stream(0, PART_US))
    all_parts = FRAMES // per_part + 1
    resets = {all_parts // 4, all_parts // 2, 3 * all_parts // 4}
    silences = set(dice.sample(range(1, all_parts), min(WRAPS, all_parts - 1)))
    while parts < all_parts:
        if parts in silences:  # the device is silent while its clock wraps once
            at_us += WRAP_US
        if parts in resets:
            boots += 1
            at_us += 1_500_000
            device.reboot(at_us, boot_id=100 + boots, stream_id=boots)
            frames = [(at_us, device.hello(at_us))]
        else:
            frames = []
        frames += device.stream(at_us, PART_US)
        at_us += PART_US
        parts += 1
        keep = min(40, len(frames) // 2)  # losses just before a reset or the end cannot be counted
        kept = [
            (done_us, wire)
            for k, (done_us, wire) in enumerate(frames)
            if k < keep or k >= len(frames) - keep or dice.random() >= LOST
        ]
        dropped += len(frames) - len(kept)
        samples = decoder.feed(*(Chunk(done_us * 1000, wire) for done_us, wire in kept))
        rows += len(samples)
        assert float(samples.t_s.min()) >= last - 0.05
        last = float(samples.t_s.max())
        for row in device.sent:
            sent[row.kind] += 1
        device.sent.clear()
    counts = decoder.counts
    figure(
        f"{device.frames} frames, 1 % lost, {boots} resets, {len(silences)} wraps",
        f"{counts.frames} received + {counts.lost_frames} counted as lost = {counts.frames + counts.lost_frames} sent; "
        f"{last - first:.0f} s on the session clock, {at_us / 1e6:.0f} s in truth",
    )
    assert counts.resets == boots
    assert counts.lost_frames == dropped > 0
    assert counts.frames + counts.lost_frames == device.frames
    assert counts.position_samples + counts.lost_position_samples == sent[Pos.TYPE]
    assert counts.force_samples + counts.lost_force_samples == sent[Force.TYPE]
    assert rows == counts.position_samples + counts.force_samples
    assert abs(last - at_us / 1e6) < 0.1 * (1 + boots)
