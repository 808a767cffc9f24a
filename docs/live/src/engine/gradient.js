/** Backpropagation through time, written out for the three cells. */

import { affine } from "./cells.js";
import { run } from "./model.js";

/** row · matrixᵀ: what flows back through a matrix `[rows, columns]`. */
function back(row, matrix, rows) {
  const columns = row.length;
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < columns; j += 1) sum += row[j] * matrix[i * columns + j];
    return sum;
  });
}

/**
 * For each kind: the gradient at the state after a frame → at the sums before the activations
 * (`ofFrame` for those with the frame, `ofPast` for those with the state before), and what goes
 * straight to the state before, past all weights.
 */
const BACK = {
  rnn(dh, { now, model }) {
    const sums = dh.map((value, unit) => (model.linear ? value : value * (1 - now.h[unit] ** 2)));
    return { ofFrame: sums, ofPast: sums, straight: {} };
  },

  lstm(dh, { now, before, gates, dc }) {
    const units = dh.length;
    const { input, forget, output, candidate } = gates;
    const sums = new Float64Array(4 * units);
    const toCell = new Float64Array(units);
    for (let unit = 0; unit < units; unit += 1) {
      const shown = Math.tanh(now.c[unit]);
      const cell = dc[unit] + dh[unit] * output[unit] * (1 - shown ** 2);
      const [i, f, g, o] = [input[unit], forget[unit], candidate[unit], output[unit]];
      sums[unit] = cell * g * i * (1 - i);
      sums[units + unit] = cell * before.c[unit] * f * (1 - f);
      sums[2 * units + unit] = cell * i * (1 - g ** 2);
      sums[3 * units + unit] = dh[unit] * shown * o * (1 - o);
      toCell[unit] = cell * f;
    }
    return { ofFrame: sums, ofPast: sums, straight: { dc: toCell } };
  },

  gru(dh, { before, gates, model }) {
    const units = dh.length;
    const { update, reset, candidate } = gates;
    const past = affine(model.weights.recurrentBias, before.h, model.weights.recurrent);
    const ofFrame = new Float64Array(3 * units);
    for (let unit = 0; unit < units; unit += 1) {
      const [z, r, g] = [update[unit], reset[unit], candidate[unit]];
      const ofCandidate = dh[unit] * (1 - z) * (1 - g ** 2);
      ofFrame[unit] = dh[unit] * (before.h[unit] - g) * z * (1 - z);
      ofFrame[units + unit] = ofCandidate * past[2 * units + unit] * r * (1 - r);
      ofFrame[2 * units + unit] = ofCandidate;
    }
    const ofPast = ofFrame.map((value, place) => {
      return place < 2 * units ? value : value * reset[place - 2 * units];
    });
    return { ofFrame, ofPast, straight: { dh: dh.map((value, unit) => value * update[unit]) } };
  },
};

/**
 * Measure how much each frame could still change the answer after the last one: the norm of the
 * gradient of the loss (cross-entropy) by each frame, as course_lib.extra.microscope does.
 * @param {Model} model
 * @param {Float32Array[]} frames
 * @param {number} label the number of the right class
 * @returns {Float64Array} `[frames]`, loss per natural log of energy
 */
export function gradientByFrame(model, frames, label) {
  const { states, gates, probabilities } = run(model, frames);
  const { kernel, recurrent, logitsKernel } = model.weights;
  const ofLogits = probabilities.at(-1).map((value, number) => value - (number === label ? 1 : 0));
  const norms = new Float64Array(frames.length);
  let dh = back(ofLogits, logitsKernel, model.units);
  let dc = new Float64Array(model.units);
  for (let frame = frames.length - 1; frame >= 0; frame -= 1) {
    const before = frame > 0 ? states[frame - 1] : model.initial();
    const known = { now: states[frame], before, gates: gates[frame], dc, model };
    const { ofFrame, ofPast, straight } = BACK[model.kind](dh, known);
    const ofInput = back(ofFrame, kernel, frames[frame].length);
    norms[frame] = Math.abs(model.input.scale) * Math.hypot(...ofInput);
    dh = back(ofPast, recurrent, model.units);
    if (straight.dh) dh = dh.map((value, unit) => value + straight.dh[unit]);
    if (straight.dc) dc = straight.dc;
  }
  return norms;
}
