"""How the page's link reaches the broker and sends commands."""

from tests import needs
from tests.browser import Page
from tests.display.rules import run

pytestmark = needs.chromium


def test_retry_delays_grow_to_30_s_with_jitter(rules: Page) -> None:
    delays = run(
        rules,
        """const { retryDelay_ms } = await import("/js/link.js");
        const delays = (attempts) => [0, 0.5, 0.999].map((random) => retryDelay_ms(attempts, random));
        return [0, 1, 2, 3, 4, 9, 60].map(delays);""",
    )
    assert all(1000 <= low < middle < high <= 30000 for low, middle, high in delays)
    assert delays[0][0] == 1000
    assert delays[-1][0] == 15000


FAKE = """const { Link } = await import("/js/link.js");
const published = [], answers = [];
const handlers = {};
const client = {
  connected: true, unsubscribe() {}, end() {}, removeAllListeners() {},
  on: (name, handler) => (handlers[name] = handler),
  subscribe: (topic, options, done) => done?.(),
  publish: (topic, message) => published.push([topic, JSON.parse(message)]),
};
globalThis.mqtt = { connect: (url, options) => Object.assign(client, { url, options }) };
const link = new Link({ url: "ws://here/mqtt", tree: "rep/m", heard: () => {}, changed: () => {} });
link.start();
const answer = (more) => {
  const { id } = published.at(-1)[1];
  const record = { v: 1, id, ok: false, stamp_s: Date.now() / 1000 + 3600, error: null, detail: null, ...more };
  handlers.message(`rep/m/ack/${id}`, JSON.stringify(record), { retain: false });
};
"""


def test_a_command_is_repeated_if_our_clock_was_wrong(rules: Page) -> None:
    topic, first, second, answered, ahead_s = run(
        rules,
        FAKE
        + """link.command("protocol", { name: "2/4" }, (ack) => answers.push(ack));
        const first = published[0][1];
        answer({ error: "stale" });
        const second = published[1][1];
        answer({ ok: true });
        answer({ ok: true });
        return [published[0][0], first, second, answers, second.stamp_s - first.stamp_s];""",
    )
    assert topic == "rep/m/cmd/protocol"
    assert (first["v"], first["name"], second["name"]) == (1, "2/4", "2/4")
    assert first["id"] != second["id"]
    assert 3590 < ahead_s < 3610
    assert [ack["ok"] for ack in answered] == [True]


def test_the_link_uses_mqtt_3_1_1(rules: Page) -> None:
    options = run(rules, FAKE + "return client.options;")
    assert (options["protocolVersion"], options["clean"], options["reconnectPeriod"]) == (4, True, 0)
    assert 0 < 1.5 * options["keepalive"] < 20  # a daemon that hangs longer is shown as absent
