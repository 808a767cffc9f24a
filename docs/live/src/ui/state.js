// What is heard and what the model makes of it, frame by frame.

import { LogMel } from "../engine/logmel.js";
import { Model } from "../engine/model.js";
import { Detector } from "../engine/detect.js";

export const NOTHING = "nothing"; // the class that is no word
const HEARD_NO_WORD = "<b>no word</b> was heard";
const LEAD = 0.1; // seconds of silence before a clip that a listening model hears
const TAIL = 0.28; // and behind it: the model answers until 0.3 s after a word's end
const LONGEST = 24; // seconds of the microphone that are kept
const DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** A class as one says it. */
export function wordOf(name) {
  if (name === NOTHING) return "no word";
  return /^\d$/.test(name) ? DIGITS[name] : name;
}

/** All models of the page by name, those that listen to an endless sound first. */
export function loadModels() {
  const entries = Object.entries(DATA.models).map(([name, record]) => [name, new Model(record)]);
  return Object.fromEntries(entries);
}

/** Whether a model listens without end; the others answer after a clip's last frame. */
export const isListener = (model) => model.detector !== null;

/** The gates of a kind of cell, the one first that says whether new sound comes in. */
export const gatesOf = (model) =>
  ({ gru: ["update", "reset"], lstm: ["input", "forget", "output"], rnn: [] })[model.kind];

/** The clips of the page whose word a model knows. */
export const clipsFor = (model) => DATA.clips.filter(({ word }) => model.classes.includes(word));

/** The words that a model knows, as one says them. */
export function knownWords(model) {
  const words = model.classes.filter((name) => name !== NOTHING).map(wordOf);
  if (words[0] === DIGITS[0]) return "zero to nine";
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** Keras's update gate is 1 where a unit keeps what it has: everywhere here, 1 is open. */
export const openness = (gate, value) => (gate === "update" ? 1 - value : value);

/** A new log-mel of the kind that a model was trained on. */
export function earsOf(model) {
  return new LogMel(model.frame);
}

/** The frames of a whole clip, without silence around it. */
export function framesOf(clip, model) {
  return earsOf(model).push(clip.samples);
}

/** The samples of a clip, with silence around it for a model that listens without end. */
export function samplesFor(clip, model) {
  if (!isListener(model)) return clip.samples;
  const { sampleRate } = DATA.frame;
  const lead = Math.round(LEAD * sampleRate);
  const samples = new Float32Array(lead + clip.samples.length + Math.round(TAIL * sampleRate));
  samples.set(clip.samples, lead);
  return samples;
}

/** Everything a model computes while it reads samples that come piece by piece. */
export class Listening {
  /**
   * @param {Model} model
   * @param {object} about  word: what is said, or null; samples: all of them, or none as yet
   */
  constructor(model, { word = null, samples = new Float32Array(0), options = {} } = {}) {
    this.model = model;
    this.word = word;
    this.samples = samples;
    this.options = options;
    this.ears = earsOf(model);
    this.heard = 0; // samples that went through the ears
    this.dropped = 0; // frames that were forgotten
    this.frames = [];
    this.begin = model.initial();
    this.restart();
  }

  restart() {
    this.state = this.begin;
    this.states = [];
    this.gates = [];
    this.probabilities = [];
    this.detections = [];
    this.detector = new Detector({ classes: this.model.classes, ...this.model.detector });
  }

  /** Seconds of sound that one frame stands for. */
  get step() {
    return this.model.frameStep / DATA.frame.sampleRate;
  }

  get seconds() {
    return this.samples.length / DATA.frame.sampleRate;
  }

  /** The number of frames in all samples. */
  get length() {
    const { frameLength, frameStep } = this.model.frame;
    return Math.max(0, Math.floor((this.samples.length - frameLength) / frameStep) + 1);
  }

  /** New samples of the microphone. */
  append(samples) {
    const { length } = this.samples;
    // Room for all that is kept, and a second that may come at once.
    this.room ??= new Float32Array((LONGEST + 1) * this.model.frame.sampleRate);
    this.room.set(samples, length);
    this.samples = this.room.subarray(0, length + samples.length);
    if (this.seconds > LONGEST) this.forget(Math.round(LONGEST / 2 / this.step));
  }

  /** Let go of the first frames; the state after them is kept to begin from. */
  forget(count) {
    const known = Math.min(count, this.states.length);
    if (!known) return;
    this.begin = this.states[known - 1];
    for (const name of ["frames", "states", "gates", "probabilities"]) this[name].splice(0, known);
    const samples = known * this.model.frameStep;
    this.room.copyWithin(0, samples, this.samples.length);
    this.samples = this.room.subarray(0, this.samples.length - samples);
    this.heard -= samples;
    this.dropped += known;
    this.detections = this.detections
      .map((each) => ({ ...each, frame: each.frame - known }))
      .filter(({ frame }) => frame >= 0);
  }

  /**
   * Hear the samples up to a moment, in seconds: the ears make frames, the cell makes steps.
   * Returns the detections that were new.
   */
  hear(seconds = this.seconds) {
    const until = Math.min(this.samples.length, Math.round(seconds * DATA.frame.sampleRate));
    if (until > this.heard) {
      this.frames.push(...this.ears.push(this.samples.slice(this.heard, until)));
      this.heard = until;
    }
    return this.read();
  }

  /** Make a step for each frame that has none as yet. */
  read() {
    const found = [];
    while (this.states.length < this.frames.length) {
      const frame = this.states.length;
      const options = typeof this.options === "function" ? this.options(frame) : this.options;
      const made = this.model.step(this.frames[frame], this.state, options);
      this.state = made.state;
      this.states.push(made.state);
      this.gates.push(made.gates);
      this.probabilities.push(made.probabilities);
      if (!isListener(this.model)) continue;
      const { sampleRate, frameLength } = this.model.frame;
      const moment = frameLength / sampleRate + (this.dropped + frame) * this.step;
      const detection = this.detector.push(made.probabilities, moment);
      if (detection) {
        // What the reader sees on the line is told, not the average that passed the threshold.
        const probability = made.probabilities[this.model.classes.indexOf(detection.label)];
        this.detections.push({ ...detection, probability, frame });
        found.push(this.detections.at(-1));
      }
    }
    return found;
  }

  /** Read the same frames again, with a gate forced or as learned. */
  again(options) {
    this.options = options;
    this.restart();
    return this.read();
  }

  /** The answer to all that was heard, and its probability. */
  answer() {
    return answerFrom(this.model, this.probabilities);
  }
}

/**
 * The answer: of a model that listens without end its likeliest word at any frame, of another the
 * likeliest class after the last frame.
 */
export function answerFrom(model, probabilities) {
  let best = { label: null, probability: 0, frame: -1 };
  const from = isListener(model) ? 0 : Math.max(0, probabilities.length - 1);
  for (let frame = from; frame < probabilities.length; frame++) {
    model.classes.forEach((label, number) => {
      const probability = probabilities[frame][number];
      if (label !== NOTHING && probability > best.probability) best = { label, probability, frame };
    });
  }
  return best;
}

/** What a run says, in words: of its last detection, else of its answer; null before any. */
export function verdictOf(listening) {
  const { model, word } = listening;
  const detection = listening.detections.at(-1);
  const answer = detection ?? answerFrom(model, listening.probabilities);
  const { label, probability } = answer;
  if (label === null) return null;
  const isWrong = model.classes.includes(word) && label !== word;
  const said = isWrong ? `said: ${wordOf(word)}; ` : "";
  if (!detection && isNoWordLikelier(listening, answer)) return `${said}${HEARD_NO_WORD}`;
  const isUnsure = isListener(model) ? !detection : probability < leastSure(model);
  const thinks = isUnsure ? "not sure, perhaps" : isWrong ? "it thinks:" : "heard:";
  const where = detection
    ? "at the blue line"
    : isListener(model)
      ? "at its highest"
      : "at the end";
  const wrong = isWrong ? "wrong; " : "";
  return `${said}${thinks} <b>${wordOf(label)}</b> (${wrong}${probability.toFixed(2)} ${where})`;
}

/** Whether “no word” is likelier than the word even where the word is likeliest. */
function isNoWordLikelier({ model, probabilities }, { frame, probability }) {
  const number = model.classes.indexOf(NOTHING); // the small networks have no such answer
  return number >= 0 && probabilities[frame][number] > probability;
}

/** A model that answers after a clip is not sure below the threshold that holds for digits. */
function leastSure(model) {
  const { detector } = DATA.models.digits;
  return new Detector({ classes: model.classes, ...detector }).threshold;
}

/** Read frames with options that may depend on the frame's number. */
export function readAll(model, frames, options = {}) {
  const made = { states: [], gates: [], probabilities: [] };
  let state = model.initial();
  frames.forEach((frame, number) => {
    const chosen = typeof options === "function" ? options(number) : options;
    const step = model.step(frame, state, chosen);
    state = step.state;
    made.states.push(step.state);
    made.gates.push(step.gates);
    made.probabilities.push(step.probabilities);
  });
  return made;
}

/** The number of the answer to which a unit has its strongest link: its largest weight. */
function linkOf(model, unit) {
  const ones = new Float32Array(model.units).fill(1);
  const weights = Array.from(model.contribution(unit, { h: ones }), Math.abs);
  return weights.indexOf(Math.max(...weights));
}

/** How open the gate of a unit was, all frames together. */
function opennessOf(unit, gate, made) {
  if (!gate) return 0;
  return made.gates.reduce((sum, gates) => sum + openness(gate, gates[gate][unit]), 0);
}

/**
 * Units in the order of what they do: by the answer to which each has its strongest link, then by
 * how open its gate is in the frames that were made.
 *
 * Returns rows of {unit, link, open}.
 */
export function sortUnits(model, made) {
  const [gate] = gatesOf(model);
  const rows = Array.from({ length: model.units }, (_, unit) => {
    return { unit, link: linkOf(model, unit), open: opennessOf(unit, gate, made) };
  });
  return rows.sort((a, b) => a.link - b.link || b.open - a.open);
}
