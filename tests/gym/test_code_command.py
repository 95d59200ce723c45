"""`rep-monitor gym code` invites a tablet only where a tablet can reach the page."""

from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.gym.web.routes.access import QrPath, ScreenCode


@pytest.mark.parametrize(("bind", "open_to_others"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True)])
def test_a_page_of_this_computer_invites_no_other_screen(
    bind: str, open_to_others: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    qr = QrPath(size=1, path="")
    given = ScreenCode(code="ABC234", role="trainer", url="http://gym-box:8100/#ABC234", expires_unix_s=0.0, qr=qr)
    monkeypatch.setattr("monitor.gym.web.own_programs.ask_code", lambda *_: given)
    config = tmp_path / "gym.toml"
    config.write_text(f'[display]\nbind = "{bind}"\n')
    assert main(["gym", "--config", str(config), "code"]) == 0
    said = capsys.readouterr().out
    assert ("Scan this with the new screen" in said) is open_to_others
    assert ("No other screen can reach the page" in said) is not open_to_others
    assert "type:  ABC 234" in said
