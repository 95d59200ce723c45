// Draws the tension bar, the carriage and its pace as one picture, which goes to the screen without the page.
//
// For an element that moves, the browser styles, layers and draws the page again, 25 times a second; this costs less.
// The style sheet has all sizes and colours; where the boxes are, the empty elements #bar and #ladder say.

import { BAND_SHARE } from "./bar.js";

const $ = (id) => document.getElementById(id);
const canvas = $("picture");
const ladderBox = $("ladder").parentNode;
const pen = (canvas.transferControlToOffscreen?.() ?? canvas).getContext("2d", { alpha: false });
export const picture = pen.canvas;
const NOWHERE = { edge: null, carriage: null, pace: null };
let shown = { level: null, position: null, pace: null }; // as shares of the height; null: not shown
let scene = null; // boxes, sizes and colours; null: the picture is not on the page
let rows = NOWHERE; // where the picture has what is shown

/** Shows these; returns whether anything had to be drawn. */
export function move({ level, position, pace }) {
  shown = { level, position, pace };
  if (!scene) return false;
  const { bar, rail } = scene;
  const row = (box, share) => (share === null || box === null ? null : Math.round(box.top + (1 - share) * box.height));
  const before = rows;
  rows = { edge: row(bar, level), carriage: row(rail, position), pace: row(rail, pace) };
  const barMoves = rows.edge !== before.edge;
  const ladderMoves = rows.carriage !== before.carriage || rows.pace !== before.pace;
  if (barMoves) drawEdge(rows.edge, before.edge);
  if (ladderMoves) drawSlide(rows, before);
  return barMoves || ladderMoves;
}

/** Draws all of it, because sizes or colours have changed. */
export function redraw() {
  scene = arrange();
  if (!scene) return;
  const { width, height, bar, inks, sizes } = scene;
  if (width !== pen.canvas.width || height !== pen.canvas.height) Object.assign(pen.canvas, { width, height });
  pen.fillStyle = inks.bg;
  pen.fillRect(0, 0, width, height);
  fill(bar, inks.line, sizes.border);
  drawEmptyBar();
  if (scene.rail) drawLadder();
  rows = NOWHERE;
  move(shown);
}

const follow = new ResizeObserver(redraw);
for (const element of [canvas, $("bar"), $("ladder")]) follow.observe(element);
pen.canvas.addEventListener("contextrestored", redraw); // after a crash of the browser's graphics
document.addEventListener("visibilitychange", redraw);

/** In pixels of the screen: the browser moves boxes to whole ones, too. */
function whole(px) {
  return Math.round(px * devicePixelRatio);
}

/** The box of an element within the picture; `inset`: without its border. */
function box(element, inset = 0) {
  const [frame, { left, right, top, bottom }] = [canvas, element].map((one) => one.getBoundingClientRect());
  const [width, height] = [whole(right) - whole(left) - 2 * inset, whole(bottom) - whole(top) - 2 * inset];
  const [x, y] = [whole(left) - whole(frame.left) + inset, whole(top) - whole(frame.top) + inset];
  return { left: x, top: y, width, height, bottom: y + height };
}

function arrange() {
  const { width, height } = box(canvas);
  if (!width || !height) return null;
  const style = getComputedStyle(document.body);
  const px = (name) => whole(parseFloat(style.getPropertyValue(`--${name}`)));
  const { borderTopWidth, borderTopLeftRadius } = getComputedStyle($("bar"));
  const border = whole(parseFloat(borderTopWidth));
  const round = whole(parseFloat(borderTopLeftRadius)) - border;
  const sizes = { border, edge: px("edge-height"), thumb: px("thumb"), bracket: px("bracket"), stroke: px("stroke") };
  const ladder = box($("ladder"), border);
  const beyond = border - whole(4) - sizes.thumb / 2; // the ends of the carriage's way, from those of the ladder
  const rail = ladder.width > 0 ? { top: ladder.top - beyond, height: ladder.height + 2 * beyond } : null;
  const names = ["bg", "line", "track", "tint", "mark", "fill", "low", "learning", "pace", "weave"];
  const inks = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  const bar = box($("bar"), border);
  const stripes = pattern(9, (tile, px) => stripe(tile, px, 3, "rgb(255 255 255 / .2)"));
  return {
    width,
    height,
    bar,
    ladder,
    rail,
    slide: box(ladderBox),
    round,
    sizes,
    inks,
    stripes,
    woven: woven(inks, bar),
  };
}

/** Fills a box with round corners; `more`: how much larger than the box. */
function fill({ left, top, width, height }, ink, more = 0) {
  pen.fillStyle = ink;
  pen.beginPath();
  pen.roundRect(left - more, top - more, width + 2 * more, height + 2 * more, scene.round + more);
  pen.fill();
}

/** Draws nothing but these rows. */
function within(top, bottom, draw) {
  if (bottom <= top) return;
  pen.save();
  pen.beginPath();
  pen.rect(0, top, scene.width, bottom - top);
  pen.clip();
  draw();
  pen.restore();
}

function drawEmptyBar() {
  const { bar, inks } = scene;
  const [from, to] = [0.5 - BAND_SHARE / 2, 0.5 + BAND_SHARE / 2].map((share) => Math.round(share * bar.height));
  fill(bar, inks.track);
  pen.fillStyle = inks.tint;
  pen.fillRect(bar.left, bar.top + from, bar.width, to - from);
}

/** The ladder, with stripes at the ends, where a lifter turns. */
function drawLadder() {
  const { ladder, slide, sizes, inks, height, stripes } = scene;
  pen.fillStyle = inks.bg;
  pen.fillRect(slide.left, 0, slide.width, height);
  fill(ladder, inks.line, sizes.border);
  fill(ladder, inks.track);
  const zone = Math.round(0.12 * ladder.height);
  for (const end of [ladder.top + zone, ladder.bottom]) {
    stripes.setTransform(new DOMMatrix([1, 0, 0, 1, 0, end]));
    within(end - zone, end, () => fill(ladder, stripes));
  }
}

/** A pattern of squares that `draw` draws on. */
function pattern(size, draw) {
  const px = Math.round(size * devicePixelRatio);
  const tile = Object.assign(document.createElement("canvas"), { width: px, height: px }).getContext("2d");
  draw(tile, px);
  return pen.createPattern(tile.canvas, "repeat");
}

function stripe(tile, px, high, ink) {
  tile.fillStyle = ink;
  tile.fillRect(0, px - whole(high), px, whole(high));
}

/** What fills the bar: the style sheet says in which state it is woven how. */
function woven({ weave, fill, low, learning, track }, bar) {
  if (weave === "plain") return fill;
  const weaves = {
    rows: [22, (tile, px) => stripe(tile, px, 6, low)],
    dots: [18, (tile, px) => dot(tile, px, learning)],
    diagonal: [34, (tile, px) => diagonal(tile, px, low)],
  };
  const [size, draw] = weaves[weave];
  const made = pattern(size, (tile, px) => {
    stripe(tile, px, size, track);
    draw(tile, px);
  });
  made.setTransform(new DOMMatrix([1, 0, 0, 1, bar.left, bar.bottom]));
  return made;
}

function dot(tile, px, ink) {
  tile.fillStyle = ink;
  tile.arc(px / 2, px / 2, 0.16 * px, 0, 2 * Math.PI);
  tile.fill();
}

function diagonal(tile, px, ink) {
  tile.fillStyle = ink;
  const wide = (px * 14) / 24;
  for (const left of [0, px]) {
    tile.moveTo(left, 0);
    tile.lineTo(left + wide, 0);
    tile.lineTo(left + wide - px, px);
    tile.lineTo(left - px, px);
  }
  tile.fill();
}

/** Moves the edge of the bar from one row to another; null: the bar is empty. */
function drawEdge(edge, before) {
  const { bar, sizes, inks, woven } = scene;
  const [at, was] = [edge ?? bar.bottom, before ?? bar.bottom];
  const bottom = Math.min(Math.max(at, was) + sizes.edge, bar.bottom);
  within(Math.min(at, was), at, drawEmptyBar);
  within(at, Math.min(at + sizes.edge, bottom), () => fill(bar, inks.mark));
  within(at + sizes.edge, bottom, () => fill(bar, woven));
}

function drawSlide({ carriage, pace }, before) {
  for (const middle of [before.carriage, before.pace])
    if (middle !== null) within(middle - scene.sizes.bracket, middle + scene.sizes.bracket, drawLadder);
  if (carriage !== null) drawCarriage(carriage);
  if (pace !== null) drawPace(pace);
}

function drawCarriage(middle) {
  const { slide, sizes, inks } = scene;
  const width = Math.round(0.62 * slide.width);
  const left = slide.left + Math.round((slide.width - width) / 2);
  const top = middle - Math.round(sizes.thumb / 2);
  for (const [ink, rim] of [
    [inks.bg, 0],
    [inks.mark, whole(3)],
  ]) {
    pen.fillStyle = ink;
    pen.beginPath();
    pen.roundRect(left + rim, top + rim, width - 2 * rim, sizes.thumb - 2 * rim, sizes.thumb / 2 - rim);
    pen.fill();
  }
}

/** A bracket around where the carriage should be. */
function drawPace(middle) {
  const { slide, sizes, inks } = scene;
  const { bracket, stroke } = sizes;
  const [width, top] = [Math.round(0.15 * slide.width), middle - Math.round(bracket / 2)];
  const outer = whole(10);
  const inner = Math.max(0, outer - stroke);
  const right = slide.left + slide.width - width;
  pen.fillStyle = inks.pace;
  pen.beginPath();
  pen.roundRect(slide.left, top, width, bracket, [outer, 0, 0, outer]);
  pen.roundRect(slide.left + stroke, top + stroke, width - stroke, bracket - 2 * stroke, [inner, 0, 0, inner]);
  pen.roundRect(right, top, width, bracket, [0, outer, outer, 0]);
  pen.roundRect(right, top + stroke, width - stroke, bracket - 2 * stroke, [0, inner, inner, 0]);
  pen.fill("evenodd");
}
