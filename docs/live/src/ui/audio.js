// Sound out, sound in: the player of clips and the microphone.

import { Resampler } from "../engine/resample.js";

const QUIETEST = 0.2; // below this speed a voice is a rumble, and is not played
const PIECE = 512; // samples: what the microphone hands over at once, about 11 ms

const OR_CLIPS = "The clips still play: press “Play a word”.";
const REFUSALS = {
  NotAllowedError: "The browser does not allow this page the microphone.",
  NotFoundError: "No microphone was found.",
  NotReadableError: "The microphone gives no sound: another program may hold it.",
};
REFUSALS.SecurityError = REFUSALS.NotAllowedError;
REFUSALS.OverconstrainedError = REFUSALS.NotFoundError;
REFUSALS.AbortError = REFUSALS.NotReadableError;

let shared = null;

/** The page's audio context, made at the first click, as browsers want it. */
function contextOf() {
  if (!window.AudioContext) return null;
  shared ??= new AudioContext({ latencyHint: "interactive" });
  if (shared.state !== "running") shared.resume();
  return shared;
}

/** Plays samples at a speed, and knows where it is: by the clock, so that it runs without sound. */
export class Player {
  play(samples, { from = 0, speed = 1 } = {}) {
    this.stop();
    this.from = from;
    this.speed = speed;
    this.began = performance.now(); // before the context: the first one takes a tenth of a second
    const { sampleRate } = DATA.frame;
    const context = contextOf();
    if (context && speed >= QUIETEST && samples.length) {
      const buffer = context.createBuffer(1, samples.length, sampleRate);
      buffer.copyToChannel(samples, 0);
      this.source = context.createBufferSource();
      this.source.buffer = buffer;
      this.source.playbackRate.value = speed;
      this.source.connect(context.destination);
      this.source.start(0, Math.min(this.seconds, buffer.duration));
    }
  }

  /** Where in the samples it is, in seconds. */
  get seconds() {
    return this.from + ((performance.now() - this.began) / 1000) * this.speed;
  }

  stop() {
    this.source?.stop();
    this.source = null;
  }
}

// Runs in the audio thread: hands over what the microphone gives in pieces.
const TAP = `registerProcessor("tap", class extends AudioWorkletProcessor {
  piece = new Float32Array(${PIECE});
  filled = 0;
  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.piece[this.filled++] = sample;
      if (this.filled === ${PIECE}) {
        this.port.postMessage(this.piece);
        this.piece = new Float32Array(${PIECE});
        this.filled = 0;
      }
    }
    return true;
  }
});`;

/** A node that calls `hear` with each piece of mono sound it is given. */
async function makeTap(context, hear) {
  const mono = { channelCount: 1, channelCountMode: "explicit" };
  try {
    // A page from a folder may load a worklet from a data: address, but not from a blob: one.
    await context.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(TAP)}`);
    const node = new AudioWorkletNode(context, "tap", mono);
    node.port.onmessage = ({ data }) => hear(data);
    return node;
  } catch {
    const node = context.createScriptProcessor(1024, 1, 1);
    node.onaudioprocess = ({ inputBuffer }) => hear(inputBuffer.getChannelData(0).slice());
    return node;
  }
}

/** The microphone, resampled to what the models hear. */
export class Microphone {
  /** Open it; `hear` gets the samples. Throws an Error whose message is a sentence for readers. */
  async open(hear) {
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioContext) {
      throw new Error(`This browser offers this page no microphone. ${OR_CLIPS}`);
    }
    // What browsers do for calls (echo, noise, gain) would change what the model hears.
    const unchanged = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const audio = { channelCount: 1, ...unchanged };
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      const unknown = `The microphone could not be opened (${error.name}).`;
      throw new Error(`${REFUSALS[error.name] ?? unknown} ${OR_CLIPS}`);
    }
    const context = contextOf();
    const resampler = new Resampler(context.sampleRate, DATA.frame.sampleRate);
    this.listens = true;
    this.tap = await makeTap(context, (piece) => {
      if (this.listens) hear(resampler.push(piece));
    });
    this.source = context.createMediaStreamSource(this.stream);
    this.source.connect(this.tap).connect(context.destination); // the tap's output is silent
  }

  close() {
    this.listens = false;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.source?.disconnect();
    this.tap?.disconnect();
  }
}
