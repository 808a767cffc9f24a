/** A trained model: rescaling, one recurrent layer, one dense layer; a frame at a time. */

import { CELLS, affine } from "./cells.js";

/**
 * Turn logits into probabilities.
 * @param {Float32Array} logits
 * @returns {Float32Array}
 */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}

/**
 * Round a matrix to int8, symmetric, with one scale for each column (each output).
 * @param {Float32Array} matrix `[rows, columns]`
 * @param {number} columns
 * @returns {Float32Array} the rounded values, as numbers again
 */
export function roundedToInt8(matrix, columns) {
  const largest = new Float64Array(columns);
  matrix.forEach((value, place) => {
    largest[place % columns] = Math.max(largest[place % columns], Math.abs(value));
  });
  return matrix.map((value, place) => {
    const scale = largest[place % columns] / 127 || 1;
    return Math.round(value / scale) * scale;
  });
}

export class Model {
  /** @param {object} record one of DATA.models */
  constructor(record) {
    const { name, kind, units, classes, licence, card, frame, detector, input, weights } = record;
    Object.assign(this, { name, kind, units, classes, licence, card, frame, detector });
    this.record = record;
    this.frameStep = frame.frameStep;
    this.input = input; // {scale, offset}: what the model does to a frame first
    this.weights = weights;
    this.linear = Boolean(record.linear);
    this.cell = CELLS[kind];
    this.gateNames = this.cell.gates;
  }

  /** The state before the first frame: zeros. */
  initial() {
    const h = new Float32Array(this.units);
    return this.cell.hasCell ? { h, c: new Float32Array(this.units) } : { h };
  }

  /**
   * Hear one frame.
   * @param {Float32Array} frame log-mel `[nMels]`
   * @param {{h: Float32Array, c?: Float32Array}} state before it; it is not changed
   * @param {object} [options]
   * @param {object|object[]} [options.force] {gate, value, units?}: gates held at a value, of all
   *     units or of a Set of them
   * @param {boolean} [options.masked] the state is copied on, as Keras does with padding; the
   *     gates are those that the frame would have had
   * @returns {{state: object, gates: Object<string, Float32Array>, logits: Float32Array,
   *     probabilities: Float32Array}}
   */
  step(frame, state, { force = [], masked = false } = {}) {
    const forces = [force].flat().filter(Boolean);
    for (const { gate } of forces) {
      if (!this.gateNames.includes(gate)) {
        const known = this.gateNames.join(", ") || "none";
        throw new Error(`expected a gate of this ${this.kind} (${known}), found ${gate}`);
      }
    }
    const scaled = frame.map((value) => value * this.input.scale + this.input.offset);
    const settings = { force: forces, linear: this.linear };
    const after = this.cell.step(scaled, state, this.weights, settings);
    const next = masked ? state : after.state;
    const logits = this.logits(next);
    return { state: next, gates: after.gates, logits, probabilities: softmax(logits) };
  }

  /**
   * Answer from a state.
   * @param {{h: Float32Array}} state
   * @returns {Float32Array} `[classes]`
   */
  logits(state) {
    const { logitsBias, logitsKernel } = this.weights;
    return Float32Array.from(affine(logitsBias, state.h, logitsKernel));
  }

  /**
   * What one unit adds to each logit.
   * @param {number} unit
   * @param {{h: Float32Array}} state
   * @returns {Float32Array} `[classes]`; over all units and with `weights.logitsBias` they sum to
   *     the logits
   */
  contribution(unit, state) {
    const begin = unit * this.classes.length;
    const row = this.weights.logitsKernel.subarray(begin, begin + this.classes.length);
    return row.map((weight) => weight * state.h[unit]);
  }

  /**
   * Make a changed copy.
   * @param {object} changes
   * @param {number} [changes.gain] the recurrent weights times this
   * @param {boolean} [changes.linear] an RNN without tanh
   * @param {boolean} [changes.int8] all weight matrices rounded to int8 as LiteRT rounds them:
   *     symmetric, one scale for each output. Unlike in its files, sums and states are not rounded
   * @returns {Model}
   */
  with({ gain = 1, linear = this.linear, int8 = false }) {
    if (linear && this.kind !== "rnn") {
      throw new Error(`expected an rnn to leave tanh out of, found a ${this.kind}`);
    }
    const weights = { ...this.weights };
    weights.recurrent = weights.recurrent.map((weight) => weight * gain);
    if (int8) {
      const columns = weights.bias.length;
      weights.kernel = roundedToInt8(weights.kernel, columns);
      weights.recurrent = roundedToInt8(weights.recurrent, columns);
      weights.logitsKernel = roundedToInt8(weights.logitsKernel, this.classes.length);
    }
    return new Model({ ...this.record, weights, linear });
  }
}

/**
 * Let a model hear frames, one after the other.
 * @param {Model} model
 * @param {Float32Array[]} frames
 * @param {object} [options] `force` as in Model.step; `masked`: a boolean for each frame; `state`
 *     before the first frame
 * @returns {{states: object[], gates: object[], logits: Float32Array[],
 *     probabilities: Float32Array[]}} each by frame
 */
export function run(model, frames, { force, masked, state = model.initial() } = {}) {
  const heard = { states: [], gates: [], logits: [], probabilities: [] };
  let before = state;
  frames.forEach((frame, number) => {
    const step = model.step(frame, before, { force, masked: Boolean(masked?.[number]) });
    before = step.state;
    heard.states.push(step.state);
    heard.gates.push(step.gates);
    heard.logits.push(step.logits);
    heard.probabilities.push(step.probabilities);
  });
  return heard;
}
