/** Another sample rate, by a windowed sinc: what is above half the lower of both rates is cut. */

const CROSSINGS = 40; // zero crossings of the sinc on each side: 5 ms at 8 kHz
const PASSED = 0.94; // share of half the lower rate at which the filter is half open
const BETA = 8; // of the Kaiser window: what is above half the lower rate is 80 dB lower

/** The modified Bessel function of order 0, by its series. */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Resamples a stream in pieces of any size; what comes out is 5 ms late at 8 kHz, not shifted. */
export class Resampler {
  /**
   * @param {number} from hertz, a whole number
   * @param {number} to hertz, a whole number
   */
  constructor(from, to) {
    if (!(Number.isInteger(from) && Number.isInteger(to) && from > 0 && to > 0)) {
      throw new Error(`expected two rates in whole hertz, found ${from} and ${to}`);
    }
    const divisor = greatestCommonDivisor(from, to);
    this.from = from / divisor;
    this.to = to / divisor;
    this.cutoff = PASSED * Math.min(1, to / from); // as a share of half the rate `from`
    this.reach = Math.ceil((CROSSINGS * PASSED) / this.cutoff); // samples on each side
    this.phases = new Map(); // where an output falls between two samples → the filter there
    this.reset();
  }

  /** Forget all samples. */
  reset() {
    this.waiting = new Float32Array(this.reach); // zeros before the first sample
    this.start = -this.reach; // the place of waiting[0] in the recording
    this.count = 0; // outputs so far
  }

  /**
   * Take the next samples.
   * @param {Float32Array} samples
   * @returns {Float32Array} the samples at the other rate that can be told by now
   */
  push(samples) {
    if (this.from === this.to) return samples.slice();
    const joined = new Float32Array(this.waiting.length + samples.length);
    joined.set(this.waiting);
    joined.set(samples, this.waiting.length);
    const end = this.start + joined.length;
    const found = [];
    let before = this.#before();
    while (before + this.reach < end) {
      const filter = this.#filter((this.count * this.from) % this.to);
      const first = before - this.reach + 1 - this.start;
      let sum = 0;
      for (let tap = 0; tap < filter.length; tap += 1) sum += filter[tap] * joined[first + tap];
      found.push(sum);
      this.count += 1;
      before = this.#before();
    }
    const needed = Math.min(joined.length, before - this.reach + 1 - this.start);
    this.waiting = joined.slice(needed);
    this.start += needed;
    return Float32Array.from(found);
  }

  /** The last sample at or before the next output. */
  #before() {
    return Math.floor((this.count * this.from) / this.to);
  }

  /** The filter's weights for the samples around an output that lies `phase / to` after one. */
  #filter(phase) {
    if (!this.phases.has(phase)) {
      const weights = new Float64Array(2 * this.reach);
      for (let tap = 0; tap < weights.length; tap += 1) {
        const away = tap - this.reach + 1 - phase / this.to; // samples
        const angle = Math.PI * this.cutoff * away;
        const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
        const inside = Math.max(0, 1 - (away / this.reach) ** 2);
        const taper = bessel(BETA * Math.sqrt(inside)) / bessel(BETA);
        weights[tap] = this.cutoff * sinc * taper;
      }
      const sum = weights.reduce((total, weight) => total + weight, 0);
      this.phases.set(
        phase,
        weights.map((weight) => weight / sum),
      ); // a constant stays one
    }
    return this.phases.get(phase);
  }
}

/**
 * Resample a whole recording.
 * @param {Float32Array} samples
 * @param {number} from hertz
 * @param {number} to hertz
 * @returns {Float32Array} as long in seconds, to the nearest sample
 */
export function resample(samples, from, to) {
  const resampler = new Resampler(from, to);
  const padded = new Float32Array(samples.length + resampler.reach + resampler.from);
  padded.set(samples);
  return resampler.push(padded).slice(0, Math.round((samples.length * to) / from));
}
