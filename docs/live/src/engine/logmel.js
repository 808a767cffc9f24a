/** Samples → log-mel frames, as course_lib.audio.log_mel computes them. */

import FFT from "../../vendor/fft.js";

export const LOG_OFFSET = 1e-6; // mel energy: what digital silence counts as
const MEL_LOW = 20; // hertz: the lower edge of the lowest band

/** Where bands begin, peak and end, in hertz: evenly spaced in mel. */
function bandEdges(nMels, low, high) {
  const lowest = 2595 * Math.log10(1 + low / 700);
  const highest = 2595 * Math.log10(1 + high / 700);
  const edge = (number) => lowest + ((highest - lowest) * number) / (nMels + 1);
  return Float64Array.from({ length: nMels + 2 }, (_, n) => 700 * (10 ** (edge(n) / 2595) - 1));
}

/**
 * Make triangular filters, evenly spaced on the mel scale, each with a peak of 1.
 * @param {{nMels: number, sampleRate: number, fftLength: number}} settings
 * @returns {{first: number, weights: Float32Array}[]} for each band: its first bin of frequency,
 *     and the weights of that bin and those after it
 */
export function melFilters({ nMels, sampleRate, fftLength }) {
  const edges = bandEdges(nMels, MEL_LOW, sampleRate / 2);
  return Array.from({ length: nMels }, (_, band) => {
    const [begin, peak, end] = edges.subarray(band, band + 3);
    const weights = [];
    let first = 0;
    for (let bin = 0; bin <= fftLength / 2; bin += 1) {
      const hertz = (bin * sampleRate) / fftLength;
      const weight = Math.min((hertz - begin) / (peak - begin), (end - hertz) / (end - peak));
      if (weight <= 0) continue;
      if (weights.length === 0) first = bin;
      weights.push(weight);
    }
    return { first, weights: Float32Array.from(weights) };
  });
}

/** Computes log-mel frames of a stream in pieces of any size. */
export class LogMel {
  /**
   * @param {object} settings
   * @param {number} settings.sampleRate hertz
   * @param {number} settings.frameLength samples
   * @param {number} settings.frameStep samples
   * @param {number} settings.nMels bands, up to half the sample rate
   */
  constructor({ sampleRate, frameLength, frameStep, nMels }) {
    Object.assign(this, { sampleRate, frameLength, frameStep, nMels });
    this.fftLength = 2 ** Math.ceil(Math.log2(frameLength));
    this.filters = melFilters({ nMels, sampleRate, fftLength: this.fftLength });
    this.window = Float32Array.from({ length: frameLength }, (_, sample) => {
      return 0.5 - 0.5 * Math.cos((2 * Math.PI * sample) / frameLength); // periodic Hann
    });
    this.fft = new FFT(this.fftLength);
    this.spectrum = this.fft.createComplexArray(); // real and imaginary parts in turn
    this.tapered = new Float64Array(this.fftLength); // a frame and zeros
    this.reset();
  }

  /** Forget all samples. */
  reset() {
    this.waiting = new Float32Array(0);
  }

  /**
   * Take the next samples.
   * @param {Float32Array} samples in units of full scale
   * @returns {Float32Array[]} a frame `[nMels]`, natural log of mel energy, for each that became
   *     whole
   */
  push(samples) {
    const joined = new Float32Array(this.waiting.length + samples.length);
    joined.set(this.waiting);
    joined.set(samples, this.waiting.length);
    const frames = [];
    let start = 0;
    for (; start + this.frameLength <= joined.length; start += this.frameStep) {
      frames.push(this.#frame(joined.subarray(start, start + this.frameLength)));
    }
    this.waiting = joined.slice(start);
    return frames;
  }

  #frame(samples) {
    for (let sample = 0; sample < this.frameLength; sample += 1) {
      this.tapered[sample] = Math.fround(samples[sample] * this.window[sample]);
    }
    this.fft.realTransform(this.spectrum, this.tapered);
    const frame = new Float32Array(this.nMels);
    for (let band = 0; band < this.nMels; band += 1) {
      const { first, weights } = this.filters[band];
      let energy = LOG_OFFSET;
      for (let place = 0; place < weights.length; place += 1) {
        const real = this.spectrum[2 * (first + place)];
        const imaginary = this.spectrum[2 * (first + place) + 1];
        energy += weights[place] * (real * real + imaginary * imaginary);
      }
      frame[band] = Math.log(energy);
    }
    return frame;
  }
}
