"""Broker and page: reachable, and open to those alone who may."""

from monitor.doctor.finding import Finding, bad, note, ok, unknown


def broker(where: str, trouble: str | None, refused: bool) -> Finding:
    should = "the broker answers, and knows the account"
    if trouble is None:
        return ok("broker", f"{where} answers", should)
    if refused:
        return bad("broker", trouble, should, "correct [mqtt] username and password_file; `rep-monitor access broker`")
    return bad("broker", trouble, should, "start the broker, or correct [mqtt] host and port; the daemon waits for it")


def access(own: bool, on_loopback: bool, lets_anybody_in: bool | None, refused_topic: str | None) -> Finding:
    """What the broker lets anybody, and what it does not let us."""
    should = "our topics may be written, nobody comes in without an account"
    if own:
        return ok("broker_access", "the daemon's own broker, on this computer only", should)
    remedy = "an account for each, an access list: `rep-monitor access broker` writes them"
    if refused_topic is not None:
        return bad("broker_access", f"{refused_topic} may not be written: events would be refused", should, remedy)
    if lets_anybody_in is None:
        return unknown("broker_access", "the broker does not answer", should)
    if lets_anybody_in and not on_loopback:
        return bad("broker_access", "anybody in the network may come in without an account", should, remedy)
    if lets_anybody_in:
        return note("broker_access", "anybody on this computer may come in without an account", should, remedy)
    return ok("broker_access", "our topics may be written, anonymous is refused", should)


def page(url: str | None, machine: str, answer: str | None, daemon_runs: bool) -> Finding:
    """`answer`: of which machine the page at the address says it is; None where nothing answers."""
    should = "the page answers while the daemon runs"
    if url is None:
        return ok("page", "not wanted: [display] enabled = false", should)
    if answer == machine:
        return ok("page", f"{url} answers", should)
    if not daemon_runs:
        taken = "" if answer is None else f"; {url} is another program's, the next free port will be taken"
        return unknown("page", f"the daemon does not run{taken}", should, "start it: rep-monitor run --config ...")
    what = "nothing answers" if answer is None else "another program answers"
    return bad("page", f"{what} at {url}", should, "see what the daemon has said of its page, restart it")
