/**
 * One step of the three cells, written out: a frame and the state before it → the state after it.
 *
 * A matrix `[rows, columns]` is a Float32Array, row by row, as Keras keeps it: `kernel`
 * `[inputs, gates × units]`, `recurrent` `[units, gates × units]`, `bias` `[gates × units]`. The
 * gates stand side by side in Keras's order.
 */

/**
 * Start from a bias and add row · matrix.
 * @param {Float32Array} bias `[columns]`
 * @param {Float32Array} row `[rows]`
 * @param {Float32Array} matrix `[rows, columns]`
 * @returns {Float64Array} `[columns]`
 */
export function affine(bias, row, matrix) {
  const sums = Float64Array.from(bias);
  const columns = sums.length;
  for (let i = 0; i < row.length; i += 1) {
    const value = row[i];
    const begin = i * columns;
    for (let j = 0; j < columns; j += 1) sums[j] += value * matrix[begin + j];
  }
  return sums;
}

export function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

/**
 * Open or shut a gate: the sigmoid of its sums, except where it is forced.
 * @param {string} name of the gate
 * @param {Float64Array} sums `[units]`
 * @param {{gate: string, value: number, units?: Set<number>}[]} force
 * @returns {Float32Array} `[units]`, 0 to 1
 */
function gate(name, sums, force) {
  const values = Float32Array.from(sums, sigmoid);
  for (const forced of force) {
    if (forced.gate !== name) continue;
    for (let unit = 0; unit < values.length; unit += 1) {
      if (!forced.units || forced.units.has(unit)) values[unit] = forced.value;
    }
  }
  return values;
}

/** Vanilla RNN: the state is tanh of frame and past together. `linear` leaves tanh out. */
function rnnStep(frame, { h }, { kernel, recurrent, bias }, { linear }) {
  const sums = affine(affine(bias, frame, kernel), h, recurrent);
  const after = linear ? Float32Array.from(sums) : Float32Array.from(sums, Math.tanh);
  return { state: { h: after }, gates: {} };
}

/** LSTM: the cell c forgets and takes in; the state h is what the output gate lets out of it. */
function lstmStep(frame, { h, c }, { kernel, recurrent, bias }, { force }) {
  const sums = affine(affine(bias, frame, kernel), h, recurrent);
  const units = h.length;
  const input = gate("input", sums.subarray(0, units), force);
  const forget = gate("forget", sums.subarray(units, 2 * units), force);
  const candidate = Float32Array.from(sums.subarray(2 * units, 3 * units), Math.tanh);
  const output = gate("output", sums.subarray(3 * units), force);
  const cell = c.map((before, unit) => forget[unit] * before + input[unit] * candidate[unit]);
  const state = { h: cell.map((value, unit) => output[unit] * Math.tanh(value)), c: cell };
  return { state, gates: { input, forget, output, candidate } };
}

/**
 * GRU in Keras's form (reset_after): the update gate z says how much of the old state stays.
 * z = 1 keeps it, z = 0 takes the candidate.
 */
function gruStep(frame, { h }, { kernel, recurrent, bias, recurrentBias }, { force }) {
  const drive = affine(bias, frame, kernel);
  const past = affine(recurrentBias, h, recurrent);
  const units = h.length;
  const both = drive.subarray(0, 2 * units).map((value, place) => value + past[place]);
  const update = gate("update", both.subarray(0, units), force);
  const reset = gate("reset", both.subarray(units), force);
  const candidate = Float32Array.from({ length: units }, (_, unit) => {
    return Math.tanh(drive[2 * units + unit] + reset[unit] * past[2 * units + unit]);
  });
  const after = h.map((old, unit) => update[unit] * old + (1 - update[unit]) * candidate[unit]);
  return { state: { h: after }, gates: { update, reset, candidate } };
}

/** For each kind of cell its step, its gates that can be forced, and whether it has a cell c. */
export const CELLS = {
  rnn: { step: rnnStep, gates: [], hasCell: false },
  lstm: { step: lstmStep, gates: ["input", "forget", "output"], hasCell: true },
  gru: { step: gruStep, gates: ["update", "reset"], hasCell: false },
};
