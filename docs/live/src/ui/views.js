// Pictures on canvas: heat maps and lines over one time axis.

import { NOTHING, openness, wordOf } from "./state.js";

const GUTTER = { left: 4, right: 5.5 }; // rem beside a picture, for words; style.css has them, too
const SMALL = { left: 2.4, right: 3.9 }; // on a phone
const NARROW = 520; // pixels: a phone
const VIRIDIS = ["440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30"];
const BELOW_AND_ABOVE = {
  light: ["b2541c", "e08a4a", "f3c79b", "f4f4f2", "a9cdea", "4f93cd", "1a5a9e"],
  dark: ["f7b77b", "c4671f", "5c3520", "20242b", "1f3f63", "2f74bd", "9ccbf7"],
};

const channels = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** 256 colours between some, as canvases store them. */
function palette(colours) {
  const stops = colours.map(channels);
  return Uint32Array.from({ length: 256 }, (_, index) => {
    const place = (index / 255) * (stops.length - 1);
    const below = Math.min(Math.floor(place), stops.length - 2);
    const [red, green, blue] = stops[below].map((value, channel) =>
      Math.round(value + (place - below) * (stops[below + 1][channel] - value)),
    );
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

export const HEAT = palette([...VIRIDIS, "fde725"]);
const STATES = {
  light: palette(BELOW_AND_ABOVE.light),
  dark: palette(BELOW_AND_ABOVE.dark),
};

const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

/** Colours for values from -1 to 1, pale or dark around zero as the page is. */
export const stateColours = () => STATES[isDark() ? "dark" : "light"];

/** The size of the page's letters in pixels: larger in full screen. */
const rem = () => parseFloat(styles.fontSize);

/** A font for a canvas. */
const letters = (size, weight = "") => `${weight} ${size * rem()}px system-ui, sans-serif`;

const styles = getComputedStyle(document.documentElement); // follows the page as it changes

/** A colour of the style sheet. */
const colour = (name) => styles.getPropertyValue(`--${name}`).trim();

/** A canvas made ready to draw in pixels of the page: its context, width and height. */
function ready(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = letters(width < NARROW ? 0.69 : 0.75);
  context.textBaseline = "middle";
  return { context, width, height };
}

/** Where the picture itself is in its canvas. */
export function inner(width) {
  const { left, right } = width < NARROW ? SMALL : GUTTER;
  return { left: left * rem(), wide: Math.max(10, width - (left + right) * rem()) };
}

/** Frame → pixel, for an axis {first, count} of frames. */
const across = (axis, left, wide) => (frame) => left + ((frame - axis.first) / axis.count) * wide;

const scratch = document.createElement("canvas");

/** Cells as pixels of a small picture, which is stretched to its place. */
function pictureOf(columns, rows, colourAt) {
  scratch.width = columns;
  scratch.height = rows;
  const pen = scratch.getContext("2d");
  const image = pen.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      pixels[row * columns + column] = colourAt(column, row);
    }
  }
  pen.putImageData(image, 0, 0);
  return scratch;
}

/** The colour of a value between 0 and 1. */
const colourIn = (colours, value) => colours[Math.round(255 * Math.max(0, Math.min(1, value)))];

/** The frames of an axis that are known, from the first one to before the last one. */
const inSight = (axis, known) => [
  Math.max(0, axis.first),
  Math.min(known, axis.first + axis.count),
];

/**
 * A heat map: frames from left to right, rows from top to bottom.
 *
 * `valueAt(frame, row)` lies between 0 and 1, and is asked for frames that are known only.
 */
export function drawHeat(canvas, picture) {
  const { axis, known, rows, valueAt, colours, cursor, chosen, words, groups = [] } = picture;
  const { context, width, height } = ready(canvas);
  const { left, wide } = inner(width);
  const [from, to] = inSight(axis, known);
  const place = across(axis, left, wide);
  context.fillStyle = colour("empty");
  context.fillRect(left, 0, wide, height);
  if (to > from) {
    const cells = pictureOf(to - from, rows, (column, row) =>
      colourIn(colours, valueAt(from + column, row)),
    );
    context.imageSmoothingEnabled = false;
    context.drawImage(cells, place(from), 0, place(to) - place(from), height);
  }
  writeRows(context, words, { rows, left, height });
  writeGroups(context, groups, { rows, right: left + wide, height });
  if (chosen >= 0) markRow(context, chosen, { rows, left, wide, height });
  drawCursor(context, place, cursor, left, wide, height);
}

/** Words at the left of a heat map. */
function writeRows(context, words, { rows, left, height }) {
  context.fillStyle = colour("soft");
  context.textAlign = "right";
  for (const { text, row } of words) {
    context.fillText(text, left - 12, clampText((row / rows) * height, height));
  }
}

/** At the right of a heat map a bracket around each group of rows, and a line to its word. */
function writeGroups(context, groups, { rows, right, height }) {
  const middles = groups.map(({ from, to }) => ((from + to) / 2 / rows) * height);
  const places = spread(middles, height);
  context.fillStyle = colour("soft");
  context.strokeStyle = colour("soft");
  context.lineWidth = 1;
  context.textAlign = "left";
  groups.forEach(({ from, to, text }, number) => {
    const [top, bottom] = [from, to].map((row) => (row / rows) * height);
    context.fillRect(right + 3, top + 0.5, 1, bottom - top - 1);
    context.beginPath();
    context.moveTo(right + 4, middles[number]);
    context.lineTo(right + 10, places[number]);
    context.stroke();
    context.fillText(text, right + 13, places[number]);
  });
}

/** Places of words from top to bottom, each as close to its own as the others leave room. */
function spread(wanted, height) {
  const apart = Math.min(0.75 * rem(), (height - 14) / Math.max(1, wanted.length - 1));
  const places = [];
  for (const place of wanted) {
    places.push(Math.max(clampText(place, height), (places.at(-1) ?? -Infinity) + apart));
  }
  let lowest = height - 7;
  for (let number = places.length - 1; number >= 0; number -= 1) {
    places[number] = Math.min(places[number], lowest);
    lowest = places[number] - apart;
  }
  return places;
}

/** A frame around a row of a heat map, and an arrow beside it. */
function markRow(context, row, { rows, left, wide, height }) {
  const thick = Math.max(3, height / rows);
  const y = ((row + 0.5) / rows) * height;
  context.strokeStyle = colour("accent");
  context.lineWidth = 2;
  context.strokeRect(left + 1, y - thick / 2 - 1.5, wide - 2, thick + 3);
  context.fillStyle = colour("accent");
  context.beginPath();
  context.moveTo(left - 1, y);
  context.lineTo(left - 9, y - 5);
  context.lineTo(left - 9, y + 5);
  context.fill();
}

const clampText = (y, height) => Math.max(7, Math.min(height - 7, y));

function drawCursor(context, place, cursor, left, wide, height) {
  const x = place(cursor);
  if (cursor === undefined || x < left - 1 || x > left + wide + 1) return;
  context.fillStyle = colour("ink");
  context.fillRect(x - 0.75, 0, 1.5, height);
}

/** The probabilities as lines, the leading word in the accent colour; words stand at peaks. */
export function drawProbabilities(canvas, { axis, listening, cursor }) {
  const { context, width, height } = ready(canvas);
  const { left, wide } = inner(width);
  const place = across(axis, left, wide);
  const high = (value) => 6 + (1 - value) * (height - 12);
  const area = { place, high, left, wide, height };
  drawScale(context, [0, 0.5, 1], high, left, wide);
  const [from, to] = inSight(axis, listening.probabilities.length);
  if (to > from) {
    const at = Math.max(from, Math.min(to - 1, Math.floor(cursor ?? from)));
    const leading = leadingAt(listening, at);
    const peaks = peaksOf(listening, from, to);
    drawLines(context, peaks, { listening, from, to, leading, area });
    writeWords(context, peaks, { leading, ...area });
    const { classes } = listening.model;
    writeNow(context, listening.probabilities[at], classes, { leading, ...area });
  }
  for (const each of listening.detections) drawDetection(context, each, area);
  drawCursor(context, place, cursor, left, wide, height);
}

/** For each answer the frame at which it is likeliest, of those in sight. */
function peaksOf({ model, probabilities }, from, to) {
  return model.classes.map((name, number) => {
    let frame = from;
    for (let each = from; each < to; each += 1) {
      if (probabilities[each][number] > probabilities[frame][number]) frame = each;
    }
    return { name, number, frame, value: probabilities[frame][number] };
  });
}

/** A line for each answer, the leading one last, over the others. */
function drawLines(context, peaks, { listening, from, to, leading, area }) {
  const order = peaks.toSorted((a, b) => (a.number === leading) - (b.number === leading));
  for (const { name, number, value } of order) {
    const leads = number === leading;
    context.strokeStyle = colour(leads ? "accent" : value > 0.25 ? "soft" : "faint");
    context.lineWidth = leads ? 3 : 1.25;
    context.setLineDash(name === NOTHING ? [5, 4] : []);
    context.beginPath();
    for (let frame = from; frame < to; frame += 1) {
      context.lineTo(area.place(frame + 0.5), area.high(listening.probabilities[frame][number]));
    }
    context.stroke();
  }
  context.setLineDash([]);
}

/** The moment at which a word is heard, and the word. */
function drawDetection(context, { frame, label }, { place, left, wide, height }) {
  const x = place(frame);
  if (x < left || x > left + wide) return;
  context.fillStyle = colour("accent");
  context.fillRect(x - 1, 0, 2, height);
  const isLate = x > left + wide - 90;
  context.textAlign = isLate ? "right" : "left";
  context.font = letters(0.81, 600);
  context.fillText(`heard: ${wordOf(label)}`, x + (isLate ? -5 : 5), height - 14);
  context.font = letters(0.75);
}

function drawScale(context, values, high, left, wide, say = (value) => `${value}`) {
  context.fillStyle = colour("empty");
  const [top, bottom] = [high(values.at(-1)), high(values[0])];
  context.fillRect(left, Math.min(top, bottom), wide, Math.abs(bottom - top));
  context.textAlign = "right";
  for (const value of values) {
    context.fillStyle = colour("faint");
    context.fillRect(left, high(value) - 0.5, wide, 1);
    context.fillStyle = colour("soft");
    context.fillText(say(value), left - 8, high(value));
  }
}

/** The word that was heard last before a frame; before any, the likeliest one. */
function leadingAt({ model, detections, probabilities }, frame) {
  const last = detections.filter((each) => each.frame <= frame).at(-1);
  if (last) return model.classes.indexOf(last.label);
  const heights = probabilities[frame].map((value, number) =>
    model.classes[number] === NOTHING ? -1 : value,
  );
  return heights.indexOf(Math.max(...heights));
}

/** Names at the peaks of the three highest lines, none over another. */
function writeWords(context, peaks, { leading, place, high, left, wide }) {
  const written = [];
  const highest = peaks
    .filter(({ value, name }) => value > 0.25 && name !== NOTHING)
    .toSorted((a, b) => b.value - a.value);
  for (const { name, number, frame, value } of highest.slice(0, 5)) {
    const text = wordOf(name);
    const x = Math.max(left + 24, Math.min(left + wide - 24, place(frame + 0.5)));
    const above = high(value) - 9;
    const y = above < 8 ? above + 22 : above;
    if (written.some((each) => Math.abs(each.x - x) < 44 && Math.abs(each.y - y) < 14)) continue;
    written.push({ x, y });
    context.textAlign = "center";
    context.fillStyle = colour(number === leading ? "accent" : "soft");
    context.font = letters(0.81, number === leading ? 600 : "");
    context.fillText(text, x, y);
  }
  context.font = letters(0.75);
}

/** At the right edge, the two likeliest answers at the cursor. */
function writeNow(context, now, classes, { left, wide, high, leading }) {
  const ranked = classes.map((name, number) => ({ name, number, value: now[number] }));
  ranked.sort((a, b) => b.value - a.value);
  context.textAlign = "left";
  let last = -99;
  for (const { name, number, value } of ranked.slice(0, 2)) {
    const y = Math.max(last + 0.95 * rem(), high(value) + 1);
    last = y;
    context.fillStyle = colour(number === leading ? "accent" : "soft");
    const isNarrow = left + wide < NARROW - 50;
    const text = isNarrow ? wordOf(name) : `${wordOf(name)} ${value.toFixed(2)}`;
    context.fillText(text, left + wide + 6, y);
  }
}

/** Seconds below the views. */
export function drawTime(canvas, { axis, step, dropped }) {
  const { context, width } = ready(canvas);
  const { left, wide } = inner(width);
  const place = across(axis, left, wide);
  const every = axis.count * step > 2 ? 0.5 : axis.count * step > 0.7 ? 0.2 : 0.1;
  context.fillStyle = colour("soft");
  context.textAlign = "center";
  const first = Math.ceil(((axis.first + dropped) * step) / every);
  for (let tick = first; ; tick++) {
    const x = place((tick * every) / step - dropped);
    if (x > left + wide + 1) break;
    context.fillRect(x - 0.5, 0, 1, 5);
    context.fillText(`${(tick * every).toFixed(1)} s`, x, 13);
  }
}

/** One unit over time: how open its gate is, and its state. */
export function drawUnit(canvas, { axis, listening, unit, gate, cursor, known }) {
  const { context, width, height } = ready(canvas);
  const [left, wide] = [1.9 * rem(), width - 2.1 * rem()];
  const place = across(axis, left, wide);
  const high = (value) => 5 + ((1 - value) / 2) * (height - 10);
  drawScale(context, [-1, 0, 1], high, left, wide);
  const [from, to] = inSight(axis, known);
  const line = (stroke, thick, valueAt) => {
    context.strokeStyle = stroke;
    context.lineWidth = thick;
    context.beginPath();
    for (let frame = from; frame < to; frame++) {
      context.lineTo(place(frame + 0.5), high(valueAt(frame)));
    }
    context.stroke();
  };
  line(colour("ink"), 2, (frame) => listening.states[frame].h[unit]);
  if (gate) {
    const accent = colour("accent");
    line(accent, 2, (frame) => openness(gate, listening.gates[frame][gate][unit]));
  }
  drawCursor(context, place, cursor, left, wide, height);
}

/**
 * Curves of an experiment: [{name, values, colour, dashed}] over frames, on a plain or a
 * logarithmic scale; `mark` is a frame where something begins.
 */
export function drawCurves(canvas, curves, { low = 0, top = 1, logarithmic, mark, cursor } = {}) {
  const { context, width, height } = ready(canvas);
  const [left, wide] = [2.75 * rem(), width - 3.1 * rem()];
  const count = Math.max(...curves.map(({ values }) => values.length));
  const place = across({ first: 0, count }, left, wide);
  const scale = logarithmic ? (value) => Math.log10(Math.max(value, 1e-30)) : (value) => value;
  const [bottom, ceiling] = [scale(low), scale(top)];
  const high = (value) => {
    const share = (scale(value) - bottom) / (ceiling - bottom);
    return 7 + (1 - Math.max(0, Math.min(1, share))) * (height - 14);
  };
  const middle = logarithmic ? 10 ** Math.round((bottom + ceiling) / 2) : (low + top) / 2;
  const say = (value) =>
    logarithmic ? powerOfTen(Math.round(Math.log10(value))) : `${Number(value.toPrecision(2))}`;
  drawScale(context, [low, middle, top], high, left, wide, say);
  if (mark !== undefined) {
    context.fillStyle = colour("soft");
    context.fillRect(place(mark) - 0.5, 0, 1, height);
  }
  curves.forEach(({ values, tone, dashed }) => {
    context.strokeStyle = colour(tone);
    context.lineWidth = 2.25;
    context.setLineDash(dashed ? [6, 4] : []);
    context.beginPath();
    values.forEach((value, frame) => context.lineTo(place(frame + 0.5), high(value)));
    context.stroke();
  });
  context.setLineDash([]);
  drawCursor(context, place, cursor, left, wide, height);
}

/** A power of ten, such as "+3" or -4, as one writes it. */
export function powerOfTen(power) {
  const signs = [...`${Number(power)}`];
  const raised = signs.map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻").join("");
  return raised === "⁰" ? "1" : raised === "¹" ? "10" : `10${raised}`;
}

/** A small spectrogram of some frames. */
export function drawFrames(canvas, frames) {
  const { low, high } = rangeOf(frames);
  const { context, width, height } = ready(canvas);
  const bands = frames[0].length;
  const picture = pictureOf(frames.length, bands, (frame, band) =>
    colourIn(HEAT, (frames[frame][bands - 1 - band] - low) / (high - low)),
  );
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, 2.75 * rem(), 0, width - 3.1 * rem(), height);
}

/** The loudest log energy, and 9 below it (about 39 dB): what a spectrogram shows. */
export function rangeOf(frames, from = 0, to = frames.length) {
  let high = -8;
  for (let number = from; number < to; number++) {
    for (const value of frames[number]) if (value > high) high = value;
  }
  return { low: high - 9, high };
}
