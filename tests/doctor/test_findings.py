"""Each finding, without a fault and with it: the verdict, the description, the remedy."""

import pytest

from firmware_bridge.holders import Holder
from monitor.doctor import board, configuration, host, network, page, port, probes, sensors
from monitor.doctor.broker import board_report
from monitor.doctor.finding import Finding
from monitor.mqtt.contract.messages import (
    Delivery,
    FirmwareInfo,
    InfoMessage,
    LinkInfo,
    MachineInfo,
    ProtocolInfo,
    StorageInfo,
)
from monitor.profile.profile import CalibrationSettings, MachineSettings
from tests.doctor.calibrated import calibrated, rest

TTY = "/dev/ttyUSB0"
TABLE = CalibrationSettings(metres_per_count=0.0001, newtons_per_count=0.01, force_zero_counts=1000)
MACHINE = MachineSettings(id="a", kind="stack")


CASES: list[tuple[Finding, str, str]] = [
    (port.present(TTY, True, []), "ok", "exists"),
    (port.present(TTY, False, ["/dev/ttyS0"]), "bad", "does not exist; other ports: /dev/ttyS0"),
    (port.persistent_name("/dev/serial/by-id/usb-x", None), "ok", "usb-x is persistent"),
    (port.persistent_name(TTY, "/dev/serial/by-id/usb-x"), "note", "can be another board"),
    (port.persistent_name(TTY, None), "note", "no name under"),
    (port.permission(TTY, True, "dialout", "pi"), "ok", "pi may open"),
    (port.permission(TTY, False, "dialout", "pi"), "bad", "belongs to the group dialout"),
    (port.holder(TTY, [], None), "ok", "no program"),
    (port.holder(TTY, [Holder(7, "rep-monitor")], 7), "ok", "the daemon (pid 7) has it"),
    (port.holder(TTY, [Holder(9, "screen")], None), "bad", "is open in screen (pid 9)"),
    (port.holder(TTY, [Holder(7, "rep-monitor"), Holder(9, "screen")], 7), "bad", "is open in screen (pid 9)"),
    (port.cable(0, False), "ok", "connected all the time"),
    (port.cable(1, False), "note", "disconnected 1 time within a minute"),
    (port.cable(7, True), "bad", "disconnected 7 times within a minute"),
    (port.modem_manager(False, None), "ok", "is not running"),
    (port.modem_manager(True, True), "ok", "ignores the port"),
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
    (board.lost_frames({"frames": 1000}, {}), "ok", "0 of 1000"),
    (board.lost_frames({"frames": 9999, "lost_frames": 1}, {}), "note", "did not read them in time"),
    (board.lost_frames({"frames": 900, "lost_frames": 100}, {"tx_dropped": 99}), "bad", "send buffer was full for 99"),
    (board.lost_frames({"frames": 900, "lost_frames": 100}, {"samp_overrun": 3}), "bad", "missed 3 samples"),
    (board.lost_frames({"frames": 900, "lost_frames": 100, "bad_crc": 90}, {}), "bad", "noise on the cable"),
    (sensors.cell_noise(rest(), TABLE, None), "ok", "0.50 N rms"),
    (sensors.cell_noise(rest(noise_counts=500), TABLE, None), "bad", "5.00 N rms"),
    (sensors.cell_noise(rest(noise_counts=200), TABLE, calibrated()), "bad", "2.00 N rms"),
    (sensors.cell_noise(rest(noise_counts=40), TABLE, calibrated(5)), "ok", "0.40 N rms"),
    (sensors.cell_drift(rest(), TABLE, MACHINE), "ok", "+0.0 N at rest"),
    (sensors.cell_drift(rest(force_counts=1900), TABLE, MACHINE), "bad", "+9.0 N at rest"),
    (sensors.cell_drift(rest(drift=20.0), TABLE, MACHINE), "note", "drifting +12.0 N a minute"),
    (sensors.reported_drift(0.2, None), "ok", "+0.2 N at rest in this session"),
    (sensors.reported_drift(None, None), "ok", "not yet known"),
    (sensors.reported_drift(8.0, "it reads +8.0 N: calibrate again"), "bad", "it reads +8.0 N"),
    (sensors.encoder(0, 0), "ok", "no illegal"),
    (sensors.encoder(3, 0), "bad", "3 illegal transitions within seconds"),
    (sensors.encoder(0, 5), "note", "5 illegal transitions since"),
    (host.clock(True, 2026), "ok", "NTP"),
    (host.clock(False, 2026), "note", "not synchronised"),
    (host.clock(True, 1970), "bad", "the year 1970"),
    (host.clock(None, 2026), "unknown", "does not report it"),
    (host.disk_space("/var", int(9e9)), "ok", "9.0 GB free"),
    (host.disk_space("/var", int(1e9)), "note", "1.0 GB free"),
    (host.disk_space("/var", int(1e8)), "bad", "0.1 GB free"),
    (host.disk_mount(None), "ok", "no risky option"),
    (host.disk_mount("/x is mounted with data=writeback; remove that"), "bad", "data=writeback"),
    (host.storage(False, None), "unknown", "no daemon that can be asked is running"),
    (host.storage(True, None), "ok", "can write"),
    (host.storage(True, "/s/events.db cannot be used"), "bad", "/s/events.db cannot be used"),
    (network.broker("broker:1883", None, False), "ok", "broker:1883 answers"),
    (network.broker("broker:1883", "no broker answers at broker:1883", False), "bad", "no broker answers"),
    (network.broker("broker:1883", "refuses the connection", True), "bad", "refuses the connection"),
    (network.access(True, True, None, None), "ok", "own broker"),
    (network.access(False, False, False, None), "ok", "anonymous clients are refused"),
    (network.access(False, True, True, None), "note", "anybody on this computer"),
    (network.access(False, False, True, None), "bad", "anybody in the network"),
    (network.access(False, True, False, "rep/a/ack/doctor"), "bad", "rep/a/ack/doctor may not be published"),
    (network.access(False, True, None, None), "unknown", "does not answer"),
    (network.page(None, "a", None, True), "ok", "switched off"),
    (network.page("http://x/", "a", "a", True), "ok", "answers"),
    (network.page("http://x/", "a", None, True), "bad", "nothing answers"),
    (network.page("http://x/", "a", page.ANOTHER, True), "bad", "another program answers"),
    (network.page("http://x/", "a", None, False), "unknown", "the daemon does not run"),
    (network.page("http://x/", "a", "b", False), "unknown", "another program uses"),
    (configuration.profile("m.toml", None, "m.toml:3: wrong"), "bad", "m.toml:3: wrong"),
    (configuration.calibration(None, 0, None, []), "note", "written by hand"),
    (configuration.calibration(None, 2, None, []), "note", "2 lines of calibrations.jsonl cannot be read"),
    (configuration.calibration(calibrated(), 0, 30.0, []), "ok", "30 days old, weights within 0.20%"),
    (configuration.calibration(calibrated(), 0, 400.0, []), "note", "400 days old"),
    (configuration.calibration(calibrated(), 0, 30.0, ["[machine] top_m"]), "note", "since: [machine] top_m"),
]  # fmt: skip


@pytest.mark.parametrize(("finding", "verdict", "said"), CASES, ids=lambda case: getattr(case, "key", ""))
def test_each_finding_without_and_with_its_fault(finding: Finding, verdict: str, said: str) -> None:
    assert finding.verdict == verdict, finding
    assert said in finding.found
    assert (finding.remedy is None) <= (verdict in ("ok", "unknown"))


def test_the_kernel_reports_if_the_clock_is_synchronised() -> None:
    assert probes.clock_synchronized() in (True, False, None)
    assert probes.year() >= 2024


def test_the_info_of_a_daemon_becomes_rates_and_counts() -> None:
    def info(counted_s: float, positions: int, forces: int) -> InfoMessage:
        return InfoMessage(
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
                counted_s=counted_s,
                device={"enc_illegal": 3, "tx_dropped": 7},
            ),
            storage=StorageInfo(trouble="no space"),
            delivery=Delivery(),
            session=None,
            recording="idle",
            fault=None,
        )  # fmt: skip

    report = board_report([info(0.0, 1, 1), info(3.0, 1000, 100), info(8.0, 3500, 500)])
    assert (report.version, report.protocol, report.promised_hz) == ("1.2.0", 1, 80.0)
    assert (report.position_hz, report.force_hz) == (500.0, 80.0)
    assert report.slips == (0, 3)
    assert (report.informed, report.storage) == (True, "no space")
    assert board.lost_frames(report.counts or {}, report.device or {}).verdict == "bad"
    assert board_report([info(0.0, 1, 1)]).position_hz is None
    assert board_report([info(20.0, 9000, 900), info(0.2, 10, 1)]).position_hz is None  # a new session
