// The page's connection to the broker; the only user of mqtt.js.
//
//   const link = new Link({url, tree, heard, changed});  link.start();
//   heard(topic below the tree, record, retained)            one JSON object of version 1; null: the topic was cleared
//   changed({up, attempts, next_ms})                        next_ms: when the next attempt is due
//
// Each connection uses a new mqtt.js client, so that a restart of the broker leaves nothing behind. Messages that
// cannot be understood are counted.

const VERSION = 1;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30000;
const ANSWER_MS = 5000;
const TOPICS = { "live/feedback": 0, status: 1, info: 1, "event/#": 1, set: 1 };

export class Link {
  #client = null;
  #timer = 0;
  #stopped = false;
  #ahead_s = 0; // how far the daemon's clock is ahead of ours, learned from a refusal
  #waiting = new Map(); // id of a command -> callback for its answer
  attempts = 0; // failed ones since the last success
  connections = 0;
  subscribed = 0; // of these connections, those whose topics the broker has subscribed: no later message is missed
  unknown = 0; // messages that were not understood

  constructor({ url, tree, heard, changed }) {
    Object.assign(this, { url, tree, heard, changed });
    this.client_id = `page-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`.slice(0, 23);
    this.retry = () => this.#client || this.#stopped || this.start();
    addEventListener("online", this.retry);
  }

  start() {
    clearTimeout(this.#timer);
    const client = mqtt.connect(this.url, {
      protocolVersion: 4,
      clientId: this.client_id,
      clean: true,
      keepalive: 10, // seconds; a daemon that hangs is seen as absent after one and a half of them
      connectTimeout: 5000,
      reconnectPeriod: 0, // done here, with jitter
      resubscribe: false,
      timerVariant: "native", // the page's policy allows no worker
    });
    this.#client = client;
    client.on("connect", () => this.#connected(client));
    client.on("message", (topic, payload, packet) => this.#message(topic, payload, packet.retain));
    client.on("error", (error) => console.info(`broker: ${error.message}`)); // a close follows
    client.on("close", () => this.#closed(client));
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    removeEventListener("online", this.retry);
    this.#client?.end(true);
  }

  /** Sends a command; calls `answered` with the daemon's ack, or with null after 5 s. */
  command(name, fields, answered) {
    this.#ask(name, fields, (ack) => {
      if (ack?.error !== "stale") return answered(ack);
      this.#ahead_s = ack.stamp_s - Date.now() / 1000; // this screen's clock is wrong: use the daemon's
      this.#ask(name, fields, answered);
    });
  }

  #ask(name, fields, answered) {
    const id = `c-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    if (!this.#client?.connected) return answered(null);
    const ack = this.#topic(`ack/${id}`);
    const done = (record) => {
      if (!this.#waiting.delete(id)) return;
      clearTimeout(timer);
      this.#client?.unsubscribe(ack);
      answered(record);
    };
    const timer = setTimeout(() => done(null), ANSWER_MS);
    this.#waiting.set(id, done);
    const message = JSON.stringify({ v: VERSION, id, stamp_s: Date.now() / 1000 + this.#ahead_s, ...fields });
    this.#client.subscribe(ack, { qos: 1 }, () =>
      this.#client?.publish(this.#topic(`cmd/${name}`), message, { qos: 1 }),
    );
  }

  /** Asks for the events after `after`; they come on `resume/<client>`, marked as historical. */
  resume(after, store_id) {
    const client = this.client_id;
    this.#client?.subscribe(this.#topic(`resume/${client}`), { qos: 1 }, () =>
      this.command(
        "resume",
        { client, after, store_id },
        (ack) => ack?.ok || console.info(`no resume: ${ack?.detail ?? "no answer"}`),
      ),
    );
  }

  #topic(rest) {
    return `${this.tree}/${rest}`;
  }

  #connected(client) {
    this.attempts = 0;
    this.connections += 1;
    const wanted = Object.entries(TOPICS).map(([rest, qos]) => [this.#topic(rest), { qos }]);
    // If the broker refuses, close and try again, so that the page shows the attempts.
    client.subscribe(Object.fromEntries(wanted), (error) => {
      if (error) client.end(true);
      else this.subscribed += 1;
    });
    this.changed({ up: true, attempts: 0, next_ms: 0 });
  }

  #closed(client) {
    if (client !== this.#client || this.#stopped) return;
    this.#client = null;
    client.removeAllListeners();
    client.on("error", () => {}); // late errors of a closed client
    client.end(true);
    const wait_ms = retryDelay_ms(this.attempts, Math.random());
    this.attempts += 1;
    this.#timer = setTimeout(() => this.start(), wait_ms);
    this.changed({ up: false, attempts: this.attempts, next_ms: performance.now() + wait_ms });
  }

  #message(topic, payload, retained) {
    const rest = topic.slice(this.#topic("").length);
    if (!payload.length) return this.heard(rest, null, retained); // an empty message clears a retained topic
    let record = null;
    try {
      record = JSON.parse(payload.toString());
    } catch {
      // counted below
    }
    if (record === null || typeof record !== "object" || record.v !== VERSION) this.unknown += 1;
    else if (rest.startsWith("ack/")) this.#waiting.get(rest.slice(4))?.(record);
    else this.heard(rest, record, retained);
  }
}

/** 1 s, doubling up to 30 s, with 50 % jitter so that the displays of a gym do not all reconnect at once. */
export function retryDelay_ms(attempts, random) {
  const full_ms = Math.min(LAST_RETRY_MS, 2 * FIRST_RETRY_MS * 2 ** attempts);
  return Math.max(FIRST_RETRY_MS, full_ms * (0.5 + 0.5 * random));
}
