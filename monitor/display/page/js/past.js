// Asks the daemon's store for the events that the page has missed, at most once on each connection.

export class Past {
  #asked = -1; // the connection on which it asked

  /** `most`: how many events. */
  constructor({ model, link }, most) {
    Object.assign(this, { model, link, most });
  }

  ask() {
    const { state, first_seq, last_seq, store_id } = this.model.status ?? {};
    if (state !== "online" || !last_seq || this.#asked === this.link.connections) return;
    this.#asked = this.link.connections;
    this.link.resume(Math.max((first_seq ?? 1) - 1, last_seq - this.most, 0), store_id);
  }
}
