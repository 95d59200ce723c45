"""The whole examination of one machine, line by line; a check that fails itself is told as such."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

from firmware_bridge.holders import holders
from monitor.calibrate import kept
from monitor.doctor import board, broker, host, network, page, papers, port, probes, sensors
from monitor.doctor.finding import Finding, unknown
from monitor.doctor.listening import Heard, listen
from monitor.profile.profile import Profile
from monitor.profile.toml_document import ConfigError
from monitor.state.folders import state_root
from monitor.state.mounts import mount_warning

Check = Callable[[], Finding]


class Examination:
    """`lines` asks one thing after the other; what several need is asked once."""

    def __init__(self, path: Path, read: Profile | ConfigError, given_port: str | None) -> None:
        self._path, self._read = path, read
        if isinstance(read, Profile):
            self._profile = read
            self._port = given_port or read.serial.port
            self._directory = state_root() / read.machine.id

    def lines(self) -> Iterator[Finding]:
        """Each as soon as it is known."""
        read = self._read
        if not isinstance(read, Profile):
            yield papers.profile(str(self._path), None, str(read))
            return
        yield self._do("profile", lambda: papers.profile(str(self._path), read, None))
        yield self._do("calibration", self._calibration)
        yield from self._of_port()
        yield from self._of_board()
        yield self._do("clock", lambda: host.clock(probes.clock_synchronized(), probes.year()))
        folder = str(self._directory)
        yield self._do("disk_space", lambda: host.disk_space(folder, probes.free_bytes(self._directory)))
        yield self._do("disk_mount", lambda: host.disk_mount(mount_warning(self._directory)))
        yield from self._of_network()

    def _do(self, key: str, check: Check) -> Finding:
        try:
            return check()
        except Exception as error:
            found = f"the check failed: {type(error).__name__}: {error}"
            remedy = "report it, with this line"
            return Finding(key=key, verdict="crashed", found=found, should="a check that works", remedy=remedy)

    def _calibration(self) -> Finding:
        found, damaged = kept.all_kept(self._directory)
        newest = next((one for one in reversed(found) if one.written), None)
        if newest is None:
            return papers.calibration(None, damaged, None, [])
        changed = probes.changed_since(newest, self._profile)
        return papers.calibration(newest, damaged, probes.age_days(newest), changed)

    def _of_port(self) -> Iterator[Finding]:
        if (name := self._port) is None:
            remedy = "add [serial] port, as `rep-monitor ports` shows it"
            yield unknown("port", "the profile names none", "the port of the profile is there", remedy)
            return
        there = Path(name).exists()
        yield self._do("port", lambda: port.there(name, there, probes.other_ports(name)))
        yield self._do("by_id", lambda: port.lasting_name(name, probes.by_id(name)))
        if there:
            yield self._do("permission", lambda: port.permission(name, *probes.may_open(name)))
            yield self._do("holder", self._holder)
        yield self._do(
            "modem_manager",
            lambda: port.modem_manager(probes.process_runs("ModemManager"), probes.modem_manager_ignores(name)),
        )

    def _holder(self) -> Finding:
        assert self._port is not None
        return port.holder(self._port, holders(self._port), probes.daemon_of(self._directory)[0])

    def _heard(self) -> Heard:
        """From the board, or where the daemon has it, from the daemon."""
        pid, up = probes.daemon_of(self._directory)
        if pid is not None:
            try:
                known = broker.address(self._profile, up)
            except (ConfigError, OSError) as error:
                return Heard(trouble=f"the daemon (pid {pid}) has the port, and cannot be asked: {error}")
            if known is None:
                return Heard(trouble=f"the daemon (pid {pid}) has the port, and does not say where it can be asked")
            return asyncio.run(broker.ask_daemon(self._profile, known))
        if self._port is None:
            return Heard(trouble="no port is known: add [serial] port")
        if not Path(self._port).exists():
            return Heard(trouble=f"{self._port} is not there: plug the board in")
        return asyncio.run(listen(self._profile, self._port))

    def _of_board(self) -> Iterator[Finding]:
        profile, table = self._profile, self._profile.calibration
        serial = profile.serial
        heard = Heard()

        def firmware() -> Finding:
            nonlocal heard
            heard = self._heard()
            if serial.format != "frames" and heard.trouble is None:
                return Finding(key="firmware", verdict="ok", found=f"{serial.format}: it does not say", should="lines")
            return board.firmware(heard.version, heard.protocol, heard.trouble)

        yield self._do("firmware", firmware)
        silent = heard.trouble or "nothing was heard"
        if heard.drops is None:
            yield unknown("cable", silent, "a port that stays")
        else:
            drops = heard.drops
            yield self._do("cable", lambda: port.stays(*drops))
        asked_hz = serial.rate_hz if serial.format == "frames" and profile.machine.kind != "static" else None
        if heard.force_hz is None:
            yield unknown("rates", silent if heard.counts is None else "the daemon told too little", "as agreed on")
        else:
            measured = (heard.position_hz, heard.force_hz, asked_hz, heard.promised_hz, heard.coarse)
            yield self._do("rates", lambda: board.rates(*measured))
        if (counts := heard.counts) is None:
            yield unknown("lost_frames", silent, "no frame lost")
        else:
            yield self._do("lost_frames", lambda: board.lost_frames(counts, heard.device or {}))
        if (rest := heard.rest) is None or table is None:
            why = heard.no_rest if heard.trouble is None else silent
            yield unknown("cell_noise", why, "a quiet cell", "leave the machine at rest, or stop the daemon")
            if (drift := heard.drift) is not None:
                yield self._do("cell_drift", lambda: sensors.told_drift(*drift))
            else:
                yield unknown("cell_drift", why, "a zero that stays", "leave the machine at rest, or stop the daemon")
        else:
            newest = kept.newest(self._directory)
            yield self._do("cell_noise", lambda: sensors.cell_noise(rest, table, newest))
            yield self._do("cell_drift", lambda: sensors.cell_drift(rest, table, profile.machine))
        if (slips := heard.slips) is None:
            yield unknown("encoder", silent, "no count missed")
        else:
            yield self._do("encoder", lambda: sensors.encoder(*slips))

    def _of_network(self) -> Iterator[Finding]:
        profile = self._profile
        pid, up = probes.daemon_of(self._directory)
        asked = broker.Asked()

        def answers() -> Finding:
            nonlocal asked
            asked = asyncio.run(broker.ask(profile, up))
            if asked.address is None and asked.trouble is None:
                return unknown("broker", "the daemon brings one up, and does not run", "the broker answers")
            return network.broker(str(asked.address), asked.trouble, asked.refused)

        yield self._do("broker", answers)
        yield self._do(
            "broker_access",
            lambda: network.access(asked.own, self._on_loopback(), asked.anonymous, asked.refused_topic),
        )
        yield self._do("page", lambda: self._page(pid is not None, up.page_url if up else None))

    def _on_loopback(self) -> bool:
        return self._profile.mqtt.host in ("localhost", "127.0.0.1", "::1", None)

    def _page(self, daemon_runs: bool, told_url: str | None) -> Finding:
        display, machine = self._profile.display, self._profile.machine.id
        if not display.enabled:
            return network.page(None, machine, None, daemon_runs)
        url = told_url or f"http://127.0.0.1:{display.port}/"
        return network.page(url, machine, page.whose(url, machine), daemon_runs)
