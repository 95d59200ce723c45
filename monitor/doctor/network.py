"""Findings on broker and page: reachable, and open only to those who should have access."""

from monitor.doctor.finding import Finding, bad, note, ok, unknown


def broker(where: str, trouble: str | None, refused: bool) -> Finding:
    should = "the broker answers and accepts the account"
    if trouble is None:
        return ok("broker", f"{where} answers", should)
    if refused:
        remedy = "correct [mqtt] username and password_file; `rep-monitor access broker` makes accounts"
        return bad("broker", trouble, should, remedy)
    return bad("broker", trouble, should, "start the broker, or correct [mqtt] host and port; the daemon keeps trying")


def access(own: bool, on_loopback: bool, admits_anonymous: bool | None, refused_topic: str | None) -> Finding:
    """The rights that the broker gives to clients without an account, and those that it refuses to the daemon."""
    should = "the daemon may publish its topics, and clients need an account"
    if own:
        return ok("broker_access", "the daemon's own broker, on this computer only", should)
    remedy = "`rep-monitor access broker` writes accounts and an access list"
    if refused_topic is not None:
        return bad("broker_access", f"{refused_topic} may not be published: events would be lost", should, remedy)
    if admits_anonymous is None:
        return unknown("broker_access", "the broker does not answer", should)
    if admits_anonymous and not on_loopback:
        return bad("broker_access", "anybody in the network can connect without an account", should, remedy)
    if admits_anonymous:
        return note("broker_access", "anybody on this computer can connect without an account", should, remedy)
    return ok("broker_access", "the daemon may publish its topics, anonymous clients are refused", should)


def page(url: str | None, machine: str, answer: str | None, daemon_runs: bool) -> Finding:
    """`answer`: the machine that the page at the address belongs to; None if nothing answers."""
    should = "the page answers while the daemon runs"
    if url is None:
        return ok("page", "switched off: [display] enabled = false", should)
    if answer == machine:
        return ok("page", f"{url} answers", should)
    if not daemon_runs:
        taken = "" if answer is None else f"; another program uses {url}, so the daemon will take the next free port"
        return unknown("page", f"the daemon does not run{taken}", should, "start it: rep-monitor run --config ...")
    what = "nothing answers" if answer is None else "another program answers"
    return bad("page", f"{what} at {url}", should, "read the daemon's log, then restart it")


def certificate(folder: str, trouble: str | None, unreadable: str | None) -> Finding:
    should = "screens that trust the authority accept the page's certificate"
    if unreadable is not None:
        return unknown("page_certificate", f"{folder}: {unreadable}", should, "run doctor with sudo")
    if trouble is not None:
        return bad("page_certificate", trouble, should, "renew it: sudo rep-monitor access tls PROFILE; then restart")
    return ok("page_certificate", "accepted", should)
