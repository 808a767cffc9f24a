/** What the build wrote into the page as text → arrays of numbers. */

/**
 * Decode base64.
 * @param {string} text
 * @returns {ArrayBuffer}
 */
function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

/**
 * Turn the weights (little-endian float32) and the clips (little-endian 16-bit PCM) of the page's
 * data into arrays.
 * @param {object} data as docs/live/make.py writes it
 * @returns {object} the same with Float32Arrays; samples are in units of full scale
 */
export function unpack(data) {
  const models = {};
  for (const [name, record] of Object.entries(data.models)) {
    const weights = {};
    for (const [part, text] of Object.entries(record.weights)) {
      weights[part] = new Float32Array(bytes(text));
    }
    models[name] = { ...record, weights };
  }
  const clips = data.clips.map((clip) => {
    const whole = new Int16Array(bytes(clip.samples));
    return { ...clip, samples: Float32Array.from(whole, (value) => value / 32768) };
  });
  return { ...data, models, clips };
}
