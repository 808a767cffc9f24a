/** Probabilities → words heard, as course_lib.extra.streaming.detections finds them. */

const NO_WORD = "nothing"; // the class that is no word

export class Detector {
  /**
   * @param {object} settings
   * @param {string[]} settings.classes
   * @param {number} [settings.threshold] a word has to reach it
   * @param {number} [settings.smooth] frames that are averaged
   * @param {number} [settings.apart] seconds after a detection without another
   */
  constructor({ classes, threshold = 0.55, smooth = 10, apart = 0.5 }) {
    Object.assign(this, { classes, threshold, smooth, apart });
    this.reset();
  }

  /** Forget everything. */
  reset() {
    this.recent = []; // probabilities of the last frames
    this.count = 0; // frames so far
    this.below = this.classes.map(() => -1); // the frame at which each class was last too low
    this.last = null; // {word, frame} of the last detection
    this.silentUntil = -Infinity;
    this.heights = this.classes.map(() => 0); // the averages now
  }

  /**
   * Take the probabilities after a frame.
   * @param {Float32Array} probabilities `[classes]`
   * @param {number} seconds the end of the frame
   * @returns {{seconds: number, label: string, probability: number} | null}
   */
  push(probabilities, seconds) {
    this.recent.push(probabilities);
    if (this.recent.length > this.smooth) this.recent.shift();
    const frame = this.count;
    this.count += 1;
    let best = -1;
    this.classes.forEach((name, number) => {
      const sum = this.recent.reduce((total, each) => total + each[number], 0);
      this.heights[number] = sum / this.recent.length;
      if (this.heights[number] < this.threshold) this.below[number] = frame;
      if (name === NO_WORD) return;
      if (best < 0 || this.heights[number] > this.heights[best]) best = number;
    });
    const probability = this.heights[best];
    const hasNotFallen = this.last?.word === best && this.below[best] < this.last.frame;
    if (probability < this.threshold || seconds < this.silentUntil || hasNotFallen) return null;
    this.last = { word: best, frame };
    this.silentUntil = seconds + this.apart;
    return { seconds, label: this.classes[best], probability };
  }
}
