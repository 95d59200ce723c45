"use strict";
// A packed curve: the minimum and maximum of each time bucket, and its path between two times.

const EMPTY = -32768;

class Curve {
  constructor({ bucket_s, scale, low, high }, unit) {
    this.bucket_s = bucket_s;
    this.low = whole(low);
    this.high = high === null ? this.low : whole(high);
    this.scale = scale * unit;
    this.most = this.extent(0, this.low.length * bucket_s); // of the whole curve
    this.hole_s = Math.max(0.15, 2.5 * bucket_s); // a longer silence is a hole, which is not filled
  }

  /** Minimum and maximum between two times, or null. */
  extent(from_s, until_s) {
    let least = Infinity,
      most = -Infinity;
    for (let at = this.#first(from_s), end = this.#end(until_s); at < end; at++) {
      if (this.low[at] === EMPTY) continue;
      least = Math.min(least, this.low[at]);
      most = Math.max(most, this.high[at]);
    }
    return most < least ? null : [least * this.scale, most * this.scale];
  }

  /** The maximum outside these stretches, which follow each other in time; null without any value there. */
  mostOutside(stretches) {
    let from_s = 0,
      most = -Infinity;
    for (const [start_s, end_s] of [...stretches, [this.low.length * this.bucket_s, 0]]) {
      most = Math.max(most, start_s > from_s ? (this.extent(from_s, start_s)?.[1] ?? most) : most);
      from_s = Math.max(from_s, end_s);
    }
    return most === -Infinity ? null : most;
  }

  /** The value nearest to a time, or null within a hole. */
  at(t_s) {
    const middle = Math.floor(t_s / this.bucket_s);
    const reach = Math.ceil(this.hole_s / this.bucket_s);
    for (let away = 0; away <= reach; away++) {
      for (const at of [middle - away, middle + away]) {
        if (at >= 0 && at < this.low.length && this.low[at] !== EMPTY)
          return ((this.low[at] + this.high[at]) / 2) * this.scale;
      }
    }
    return null;
  }

  /** The SVG path; each column of pixels shows its minimum and maximum, so that no spike is lost. */
  path(from_s, until_s, x, y) {
    const first = this.#first(from_s),
      end = this.#end(until_s);
    const columns = Math.max(1, Math.abs(x(until_s) - x(from_s)));
    const stride = Math.max(1, Math.floor((end - first) / columns));
    const parts = [];
    let before_s = -Infinity,
      before = 0;
    for (let start = first - (first % stride); start < end; start += stride) {
      let least = Infinity,
        most = -Infinity,
        seen_s = 0;
      for (let at = Math.max(0, start); at < Math.min(start + stride, this.low.length); at++) {
        if (this.low[at] === EMPTY) continue;
        least = Math.min(least, this.low[at]);
        most = Math.max(most, this.high[at]);
        seen_s = (at + 0.5) * this.bucket_s;
      }
      if (most < least) continue;
      const t_s = stride > 1 ? (start + stride / 2) * this.bucket_s : seen_s;
      const ends = Math.abs(before - least) < Math.abs(before - most) ? [least, most] : [most, least];
      const place = x(t_s).toFixed(1);
      const pen = t_s - before_s > Math.max(this.hole_s, 1.5 * stride * this.bucket_s) ? "M" : "L";
      parts.push(`${pen}${place} ${y(ends[0] * this.scale).toFixed(1)}`);
      if (most > least) parts.push(`L${place} ${y(ends[1] * this.scale).toFixed(1)}`);
      [before_s, before] = [t_s, ends[1]];
    }
    return parts.join("");
  }

  #first(from_s) {
    return Math.max(0, Math.floor(from_s / this.bucket_s) - 1);
  }

  #end(until_s) {
    return Math.min(this.low.length, Math.ceil(until_s / this.bucket_s) + 1);
  }
}

function whole(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Int16Array.from({ length: bytes.length / 2 }, (_, at) => view.getInt16(2 * at, true));
}
