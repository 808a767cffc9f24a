/** What one can do to the frames of a clip. */

import { LOG_OFFSET } from "./logmel.js";

/** A generator of random numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Put the frames in random order.
 * @param {Float32Array[]} frames
 * @param {number} seed the same seed, the same order
 * @returns {Float32Array[]}
 */
export function shuffled(frames, seed) {
  const random = randomFrom(seed);
  const order = [...frames];
  for (let place = order.length - 1; place > 0; place -= 1) {
    const other = Math.floor(random() * (place + 1));
    [order[place], order[other]] = [order[other], order[place]];
  }
  return order;
}

/**
 * Turn the order of the frames round.
 * @param {Float32Array[]} frames
 * @returns {Float32Array[]}
 */
export function reversed(frames) {
  return [...frames].reverse();
}

/**
 * Append frames of digital silence.
 * @param {Float32Array[]} frames
 * @param {number} count of frames
 * @returns {Float32Array[]}
 */
export function withSilence(frames, count) {
  const silence = frames[0].map(() => Math.log(LOG_OFFSET));
  return [...frames, ...Array.from({ length: count }, () => silence.slice())];
}
