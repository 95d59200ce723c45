"""The whole examination of one machine, finding by finding. A check that raises is reported as a crash."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from firmware_bridge.holders import holders
from monitor.access.page_certificate import certificate_trouble
from monitor.calibrate import history
from monitor.doctor import board, broker, configuration, host, network, page, port, probes, sensors
from monitor.doctor.finding import Finding, ok, unknown
from monitor.doctor.listening import BoardReport, listen
from monitor.profile.profile import Profile
from monitor.profile.toml_document import ConfigError
from monitor.state.endpoints import Endpoints
from monitor.state.folders import state_root
from monitor.state.mounts import mount_warning
from monitor.state.running import daemon_of

LEAVE_AT_REST = "leave the machine at rest, or stop the daemon"
Check = Callable[[], Finding]


class Examination:
    """`lines` runs one check after the other; facts that several checks need are collected once."""

    def __init__(self, path: Path, read: Profile | ConfigError, given_port: str | None) -> None:
        self._path, self._read = path, read
        self._report = BoardReport()
        self._broker_report = broker.BrokerReport()
        if isinstance(read, Profile):
            self._profile = read
            self._port = given_port or read.serial.port
            self._directory = state_root() / read.machine.id

    def lines(self) -> Iterator[Finding]:
        """Yields each finding as soon as it is known."""
        read = self._read
        if not isinstance(read, Profile):
            yield configuration.profile(str(self._path), None, str(read))
            return
        yield self._do("profile", lambda: configuration.profile(str(self._path), read, None))
        yield self._do("calibration", self._calibration)
        yield from self._of_port()
        yield from self._of_board()
        yield self._do("clock", lambda: host.clock(probes.clock_synchronized(), probes.year()))
        folder = str(self._directory)
        yield self._do("disk_space", lambda: host.disk_space(folder, probes.free_bytes(self._directory)))
        yield self._do("disk_mount", lambda: host.disk_mount(mount_warning(self._directory)))
        yield self._do("storage", lambda: host.storage(self._report.informed, self._report.storage))
        yield from self._of_network()

    def _do(self, key: str, check: Check) -> Finding:
        try:
            return check()
        except Exception as error:
            found = f"the check failed: {type(error).__name__}: {error}"
            remedy = "report it, with this line"
            return Finding(key=key, verdict="crashed", found=found, should="a check that works", remedy=remedy)

    def _calibration(self) -> Finding:
        found, damaged = history.read_all(self._directory)
        newest = next((one for one in reversed(found) if one.written), None)
        if newest is None:
            return configuration.calibration(None, damaged, None, [])
        changed = probes.changed_since(newest, self._profile)
        return configuration.calibration(newest, damaged, probes.age_days(newest), changed)

    def _of_port(self) -> Iterator[Finding]:
        if (name := self._port) is None:
            remedy = "add [serial] port; `rep-monitor ports` lists the names"
            yield unknown("port", "the profile names no port", "the port of the profile exists", remedy)
            return
        there = Path(name).exists()
        yield self._do("port", lambda: port.present(name, there, probes.other_ports(name)))
        yield self._do("by_id", lambda: port.persistent_name(name, probes.by_id(name)))
        if there:
            yield self._do("permission", lambda: port.permission(name, *probes.may_open(name)))
            yield self._do("holder", self._holder)
        yield self._do(
            "modem_manager",
            lambda: port.modem_manager(probes.process_runs("ModemManager"), probes.modem_manager_ignores(name)),
        )

    def _holder(self) -> Finding:
        assert self._port is not None
        return port.holder(self._port, holders(self._port), daemon_of(self._directory)[0])

    def _board_report(self) -> BoardReport:
        """From the board, or from the daemon if it uses the port."""
        pid, up = daemon_of(self._directory)
        if pid is not None:
            try:
                known = broker.address(self._profile, up)
            except (ConfigError, OSError) as error:
                return BoardReport(trouble=f"the daemon (pid {pid}) uses the port, and cannot be asked: {error}")
            if known is None:
                return BoardReport(trouble=f"the daemon (pid {pid}) uses the port, and has not announced its broker")
            return asyncio.run(broker.ask_daemon(self._profile, known))
        if self._port is None:
            return BoardReport(trouble="no port is known: add [serial] port")
        if not Path(self._port).exists():
            return BoardReport(trouble=f"{self._port} does not exist: plug the board in")
        return asyncio.run(listen(self._profile, self._port))

    def _of_board(self) -> Iterator[Finding]:
        yield self._do("firmware", self._firmware)
        report = self._report
        yield self._do("cable", lambda: self._cable(report))
        yield self._do("rates", lambda: self._rates(report))
        yield self._do("lost_frames", lambda: self._lost_frames(report))
        yield self._do("cell_noise", lambda: self._cell_noise(report))
        yield self._do("cell_drift", lambda: self._cell_drift(report))
        yield self._do("encoder", lambda: self._encoder(report))

    def _firmware(self) -> Finding:
        self._report = report = self._board_report()
        line_format = self._profile.serial.format
        if line_format != "frames" and report.trouble is None:
            return ok("firmware", f"{line_format}: this format does not name its firmware", "lines of text")
        return board.firmware(report.version, report.protocol, report.trouble)

    def _cable(self, report: BoardReport) -> Finding:
        if report.drops is None:
            return unknown("cable", report.silence, "a port that stays connected")
        return port.cable(*report.drops)

    def _rates(self, report: BoardReport) -> Finding:
        if report.force_hz is None:
            why = report.silence if report.counts is None else "the daemon has not published enough"
            return unknown("rates", why, "the rates that were requested")
        serial, machine = self._profile.serial, self._profile.machine
        asked_hz = serial.rate_hz if serial.format == "frames" and machine.kind != "static" else None
        return board.rates(report.position_hz, report.force_hz, asked_hz, report.promised_hz)

    def _lost_frames(self, report: BoardReport) -> Finding:
        if report.counts is None:
            return unknown("lost_frames", report.silence, "no frame lost")
        return board.lost_frames(report.counts, report.device or {})

    def _cell_noise(self, report: BoardReport) -> Finding:
        table = self._profile.calibration
        if report.rest is None or table is None:
            return unknown("cell_noise", report.unrest, "a quiet cell", LEAVE_AT_REST)
        return sensors.cell_noise(report.rest, table, history.newest(self._directory))

    def _cell_drift(self, report: BoardReport) -> Finding:
        table = self._profile.calibration
        if report.rest is not None and table is not None:
            return sensors.cell_drift(report.rest, table, self._profile.machine)
        if report.drift is not None:
            return sensors.reported_drift(*report.drift)
        return unknown("cell_drift", report.unrest, "a stable zero", LEAVE_AT_REST)

    def _encoder(self, report: BoardReport) -> Finding:
        if report.slips is None:
            return unknown("encoder", report.silence, "no count missed")
        return sensors.encoder(*report.slips)

    def _of_network(self) -> Iterator[Finding]:
        pid, up = daemon_of(self._directory)
        yield self._do("broker", lambda: self._broker(up))
        yield self._do("broker_access", self._broker_access)
        yield self._do("page", lambda: self._page(pid is not None, up.page_url if up else None))
        if self._profile.display.tls is not None:
            yield self._do("page_certificate", lambda: self._certificate(Path(self._profile.display.tls or "")))

    def _broker(self, up: Endpoints | None) -> Finding:
        self._broker_report = report = asyncio.run(broker.ask(self._profile, up))
        if report.address is None and report.trouble is None:
            return unknown("broker", "the daemon, which contains the broker, is not running", "the broker answers")
        return network.broker(str(report.address), report.trouble, report.refused)

    def _broker_access(self) -> Finding:
        report = self._broker_report
        on_loopback = self._profile.mqtt.host in ("localhost", "127.0.0.1", "::1", None)
        return network.access(report.own, on_loopback, report.anonymous, report.refused_topic)

    def _page(self, daemon_runs: bool, announced_url: str | None) -> Finding:
        display, machine = self._profile.display, self._profile.machine.id
        if not display.enabled:
            return network.page(None, machine, None, daemon_runs)
        url = announced_url or f"http://127.0.0.1:{display.port}/"
        return network.page(url, machine, page.whose(url, machine), daemon_runs)

    def _certificate(self, folder: Path) -> Finding:
        try:
            return network.certificate(str(folder), certificate_trouble(folder, time.time()), None)
        except OSError as error:
            return network.certificate(str(folder), None, error.strerror or str(error))
