"""Each line of an examination, sound and with its fault: the verdict, what is said of it, the remedy."""

import pytest

from firmware_bridge.holders import Holder
from monitor.doctor import board, host, network, page, papers, port, probes, sensors
from monitor.doctor.broker import heard_of
from monitor.doctor.finding import Finding
from monitor.mqtt.contract.messages import Delivery, FirmwareInfo, Info, LinkInfo, MachineInfo, ProtocolInfo
from monitor.profile.profile import CalibrationSettings, MachineSettings
from tests.doctor.calibrated import calibrated, rest

TTY = "/dev/ttyUSB0"
TABLE = CalibrationSettings(metres_per_count=0.0001, newtons_per_count=0.01, force_zero_counts=1000)
MACHINE = MachineSettings(id="a", kind="stack")


CASES: list[tuple[Finding, str, str]] = [
    (port.there(TTY, True, []), "ok", "is there"),
    (port.there(TTY, False, ["/dev/ttyS0"]), "bad", "not there; plugged in are /dev/ttyS0"),
    (port.lasting_name("/dev/serial/by-id/usb-x", None), "ok", "usb-x stays"),
    (port.lasting_name(TTY, "/dev/serial/by-id/usb-x"), "note", "may be another board"),
    (port.lasting_name(TTY, None), "note", "no name under"),
    (port.permission(TTY, True, "dialout", "pi"), "ok", "pi may open"),
    (port.permission(TTY, False, "dialout", "pi"), "bad", "belongs to the group dialout"),
    (port.holder(TTY, [], None), "ok", "nobody"),
    (port.holder(TTY, [Holder(7, "rep-monitor")], 7), "ok", "the daemon (pid 7) has it"),
    (port.holder(TTY, [Holder(9, "screen")], None), "bad", "held by screen (pid 9)"),
    (port.holder(TTY, [Holder(7, "rep-monitor"), Holder(9, "screen")], 7), "bad", "held by screen (pid 9)"),
    (port.stays(0, False), "ok", "it stays"),
    (port.stays(1, False), "note", "gone 1 times"),
    (port.stays(7, True), "bad", "gone 7 times within a minute, again and again"),
    (port.modem_manager(False, None), "ok", "does not run"),
    (port.modem_manager(True, True), "ok", "told to ignore"),
    (port.modem_manager(True, False), "bad", "will write to the board"),
    (port.modem_manager(True, None), "unknown", "udev does not say"),
    (board.firmware("1.2.0", 1, None), "ok", "1.2.0"),
    (board.firmware("1.2.0", 2, None), "bad", "speaks protocol 2"),
    (board.firmware(None, None, "tty sends no frames at 115200 baud: is that the rate?"), "bad", "sends no frames"),
    (board.rates(500, 80.1, 500, 80), "ok", "500 positions, 80.1 forces"),
    (board.rates(250, 80, 500, 80), "bad", "250 positions"),
    (board.rates(500, 10.8, 500, 80), "bad", "10.8 forces"),
    (board.rates(None, None, None, None), "bad", "0.0 forces"),
    (board.rates(500, 40, 500, 40), "note", "40.0 forces"),
    (board.rates(478, 78, 500, 80, slack=0.1), "ok", "478 positions"),
    (board.lost_frames({"frames": 1000}, {}), "ok", "0 of 1000"),
    (board.lost_frames({"frames": 9999, "lost_frames": 1}, {}), "note", "did not fetch them in time"),
    (board.lost_frames({"frames": 900, "lost_frames": 100}, {"tx_dropped": 99}), "bad", "no room to send 99"),
    (board.lost_frames({"frames": 900, "lost_frames": 100}, {"samp_overrun": 3}), "bad", "missed 3 samples"),
    (board.lost_frames({"frames": 900, "lost_frames": 100, "bad_crc": 90}, {}), "bad", "noise on the cable"),
    (sensors.cell_noise(rest(), TABLE, None), "ok", "0.50 N rms"),
    (sensors.cell_noise(rest(noise_counts=500), TABLE, None), "bad", "5.00 N rms"),
    (sensors.cell_noise(rest(noise_counts=200), TABLE, calibrated()), "bad", "2.00 N rms"),
    (sensors.cell_noise(rest(noise_counts=40), TABLE, calibrated(5)), "ok", "0.40 N rms"),
    (sensors.cell_drift(rest(), TABLE, MACHINE), "ok", "+0.0 N at rest"),
    (sensors.cell_drift(rest(force_counts=1900), TABLE, MACHINE), "bad", "+9.0 N at rest"),
    (sensors.cell_drift(rest(drift=20.0), TABLE, MACHINE), "note", "walking +12.0 N a minute"),
    (sensors.told_drift(0.2, None), "ok", "+0.2 N at rest in this session"),
    (sensors.told_drift(None, None), "ok", "not enough seen"),
    (sensors.told_drift(8.0, "it reads +8.0 N: calibrate again"), "bad", "it reads +8.0 N"),
    (sensors.encoder(0, 0), "ok", "no illegal"),
    (sensors.encoder(3, 0), "bad", "3 illegal transitions within seconds"),
    (sensors.encoder(0, 5), "note", "5 illegal transitions since"),
    (host.clock(True, 2026), "ok", "NTP"),
    (host.clock(False, 2026), "note", "nobody sets it"),
    (host.clock(True, 1970), "bad", "the year 1970"),
    (host.clock(None, 2026), "unknown", "does not say"),
    (host.disk_space("/var", int(9e9)), "ok", "9.0 GB free"),
    (host.disk_space("/var", int(1e9)), "note", "1.0 GB free"),
    (host.disk_space("/var", int(1e8)), "bad", "0.1 GB free"),
    (host.disk_mount(None), "ok", "nothing speaks against it"),
    (host.disk_mount("/x is mounted with data=writeback; remove that"), "bad", "data=writeback"),
    (network.broker("broker:1883", None, False), "ok", "broker:1883 answers"),
    (network.broker("broker:1883", "no broker answers at broker:1883", False), "bad", "no broker answers"),
    (network.broker("broker:1883", "does not let us in", True), "bad", "does not let us in"),
    (network.access(True, True, None, None), "ok", "own broker"),
    (network.access(False, False, False, None), "ok", "anonymous is refused"),
    (network.access(False, True, True, None), "note", "anybody on this computer"),
    (network.access(False, False, True, None), "bad", "anybody in the network"),
    (network.access(False, True, False, "rep/a/ack/doctor"), "bad", "rep/a/ack/doctor may not be written"),
    (network.access(False, True, None, None), "unknown", "does not answer"),
    (network.page(None, "a", None, True), "ok", "not wanted"),
    (network.page("http://x/", "a", "a", True), "ok", "answers"),
    (network.page("http://x/", "a", None, True), "bad", "nothing answers"),
    (network.page("http://x/", "a", page.ANOTHER, True), "bad", "another program answers"),
    (network.page("http://x/", "a", None, False), "unknown", "the daemon does not run"),
    (network.page("http://x/", "a", "b", False), "unknown", "another program's"),
    (papers.profile("m.toml", None, "m.toml:3: wrong"), "bad", "m.toml:3: wrong"),
    (papers.calibration(None, 0, None, []), "note", "written by hand"),
    (papers.calibration(None, 2, None, []), "note", "2 lines of calibrations.jsonl cannot be read"),
    (papers.calibration(calibrated(), 0, 30.0, []), "ok", "30 days old, weights within 0.20%"),
    (papers.calibration(calibrated(), 0, 400.0, []), "note", "400 days old"),
    (papers.calibration(calibrated(), 0, 30.0, ["[machine] top_m"]), "note", "changed by hand since: [machine] top_m"),
]  # fmt: skip


@pytest.mark.parametrize(("finding", "verdict", "said"), CASES, ids=lambda case: getattr(case, "key", ""))
def test_each_line_with_its_fault(finding: Finding, verdict: str, said: str) -> None:
    assert finding.verdict == verdict, finding
    assert said in finding.found
    assert (finding.remedy is None) <= (verdict in ("ok", "unknown"))


def test_the_kernel_tells_whether_somebody_sets_the_clock() -> None:
    assert probes.clock_synchronized() in (True, False, None)
    assert probes.year() >= 2024


def test_what_a_daemon_tells_becomes_rates_and_counts() -> None:
    def info(positions: int, forces: int) -> Info:
        return Info(
            version="1",
            machine=MachineInfo(
                id="a", kind="stack", bottom_m=0, top_m=1, lockout_m=1, working_load_n=None, force_ceiling_n=None
            ),
            protocol=ProtocolInfo(name=None, positive_s=4, negative_s=4, starts_with="positive", band=0.1),
            firmware=FirmwareInfo(
                protocol=1, firmware="1.2.0", mcu="ATMEGA328P", boot_id="00aa", reset_cause="POWER_ON", adc="HX711",
                force_rate_hz=80.0,
                position_rate_hz=500.0,
            ),
            link=LinkInfo(
                state="live",
                counts={"frames": 100, "lost_frames": 7, "position_samples": positions, "force_samples": forces},
                device={"enc_illegal": 3, "tx_dropped": 7},
            ),
            delivery=Delivery(),
            session=None,
            recording="idle",
            fault=None,
        )  # fmt: skip

    heard = heard_of([(0.0, info(1, 1)), (3.0, info(1000, 100)), (8.0, info(3500, 500))])
    assert (heard.version, heard.protocol, heard.promised_hz) == ("1.2.0", 1, 80.0)
    assert (heard.position_hz, heard.force_hz) == (500.0, 80.0)
    assert heard.slips == (0, 3)
    assert board.lost_frames(heard.counts or {}, heard.device or {}).verdict == "bad"
    assert heard_of([(0.0, info(1, 1))]).position_hz is None
    assert (
        heard_of([(0.0, info(1, 1)), (3.0, info(9000, 900)), (8.0, info(10, 1))]).position_hz is None
    )  # a new session
