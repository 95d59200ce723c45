// Keeps a picture of a chart's lines that moves to the left, and draws only what has come since.

export class Strip {
  #pen = document.createElement("canvas").getContext("2d");
  #scales = ""; // for which the picture was drawn
  #right_s = Infinity; // the time at its right edge
  #last_s = -Infinity; // of what it shows

  /** The next picture is drawn from the beginning. */
  forget() {
    this.#scales = "";
  }

  /** Draws into a uPlot chart over time; `lines`: {stroke, scale, width, dash_s, values}, a value for each time. */
  draw({ ctx, bbox, scales, valToPos }, times, lines) {
    const { left, top, width, height } = bbox;
    const { min, max } = scales.x;
    const px_s = width / (max - min);
    const moved = Math.round((max - this.#right_s) * px_s);
    const ranges = lines.map(({ scale }) => [scales[scale].min, scales[scale].max]);
    const now = JSON.stringify([width, height, px_s, ranges]);
    if (now !== this.#scales || !(moved >= 0 && moved < width)) this.#begin(width, height, max);
    else if (moved) this.#move(moved, px_s);
    this.#scales = now;
    const first = Math.max(1, 1 + times.findLastIndex((t_s) => t_s <= this.#last_s));
    this.#last_s = times.at(-1);
    const right = width + (this.#last_s - this.#right_s) * px_s;
    const x = (t_s) => right - (this.#last_s - t_s) * px_s;
    for (const line of lines) this.#line(line, times, first, x, (value) => valToPos(value, line.scale, true) - top);
    if (width && height) ctx.drawImage(this.#pen.canvas, left, top);
  }

  #begin(width, height, max_s) {
    Object.assign(this.#pen.canvas, { width, height });
    this.#right_s = max_s;
    this.#last_s = -Infinity;
  }

  #move(px, px_s) {
    this.#pen.globalCompositeOperation = "copy"; // clears what comes in from the right
    this.#pen.drawImage(this.#pen.canvas, -px, 0);
    this.#pen.globalCompositeOperation = "source-over";
    this.#right_s += px / px_s;
  }

  /** Where a value is null there is a hole; `dash_s`: so long the line is there, and so long it is not. */
  #line({ stroke, width, dash_s, values }, times, first, x, y) {
    const pen = this.#pen;
    pen.beginPath();
    for (let at = first; at < times.length; at += 1) {
      if (values[at - 1] === null || values[at] === null) continue;
      if (dash_s && times[at] % (2 * dash_s) > dash_s) continue;
      if (at === first || values[at - 2] === null || dash_s) pen.moveTo(x(times[at - 1]), y(values[at - 1]));
      pen.lineTo(x(times[at]), y(values[at]));
    }
    const lineWidth = width * devicePixelRatio;
    Object.assign(pen, { strokeStyle: stroke, lineWidth, lineCap: "round", lineJoin: "round" });
    pen.stroke();
  }
}
