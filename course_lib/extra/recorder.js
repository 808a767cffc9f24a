// The recorder as a page shows it: buttons, level, player, status.
// Microphone or file → WAV → a message to Python.

const LARGEST = 8_000_000; // bytes: a Jupyter server cuts the connection at a message of 10 MiB
const PATIENCE = 4_000; // milliseconds without an answer from Python before the status says so
const LATE = 3_000; // milliseconds after its end at which a recording is given up
const PIECE = 1_024; // samples: what the microphone hands over at once, about 20 ms
const FLOOR = -60; // decibels: the left end of the level meter
const PYTHON_READS = /\.(wav|flac|ogg|mp3)$/i; // other files are decoded here

const OR_UPLOAD = "or upload a sound file";
const OTHER_BROWSER = `Use a current Firefox, Chrome, Edge or Safari, ${OR_UPLOAD}`;
const NO_ANSWER =
  "Python has not answered yet. If a cell is running, wait for its end; if the kernel was " +
  "restarted, run this cell again.";
const REFUSALS = {
  NotAllowedError:
    "The browser does not allow this page the microphone. Allow it (the sign beside the page's " +
    `address) and press Record again, ${OR_UPLOAD}.`,
  NotFoundError: `No microphone was found. Connect one and press Record again, ${OR_UPLOAD}.`,
  NotReadableError:
    "The microphone gives no sound: another program may hold it. Close that program and press " +
    `Record again, ${OR_UPLOAD}.`,
};
REFUSALS.SecurityError = REFUSALS.NotAllowedError;
REFUSALS.OverconstrainedError = REFUSALS.NotFoundError;
REFUSALS.AbortError = REFUSALS.NotReadableError;

const STYLE = `
.course-recorder { max-width: 34em; padding: 10px 12px;
  font: 13px/1.5 var(--jp-ui-font-family, system-ui, sans-serif);
  color: var(--jp-ui-font-color1, inherit); border-radius: 8px;
  border: 1px solid var(--jp-border-color2, rgba(128, 128, 128, .45)); }
.course-recorder .row { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
.course-recorder button { display: inline-flex; align-items: center; gap: 7px; min-height: 32px;
  padding: 0 13px; font: inherit; color: inherit; cursor: pointer; border-radius: 16px;
  background: var(--jp-layout-color2, rgba(128, 128, 128, .13));
  border: 1px solid var(--jp-border-color1, rgba(128, 128, 128, .6)); }
.course-recorder button:hover:enabled {
  background: var(--jp-layout-color3, rgba(128, 128, 128, .28)); }
.course-recorder button:focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1e88e5); outline-offset: 2px; }
.course-recorder button:disabled { opacity: .5; cursor: default; }
.course-recorder .sign { width: 11px; height: 11px; border-radius: 50%; background: #e53935; }
.course-recorder .recording .sign { border-radius: 2px; }
.course-recorder .live { display: flex; align-items: center; gap: 8px; visibility: hidden; }
.course-recorder .live.on { visibility: visible; }
.course-recorder .level { width: 96px; height: 8px; overflow: hidden; border-radius: 4px;
  background: rgba(128, 128, 128, .3); }
.course-recorder .level div { width: 100%; height: 100%; background: #2e9e5b;
  transform: scaleX(0); transform-origin: left; }
.course-recorder .level.loud div { background: #e53935; }
.course-recorder .time { min-width: 5.6em; font-variant-numeric: tabular-nums; }
.course-recorder audio { display: block; width: 100%; height: 36px; margin-top: 9px; }
.course-recorder audio[hidden] { display: none; }
.course-recorder .status { margin-top: 8px; padding-left: 9px;
  border-left: 3px solid rgba(128, 128, 128, .45); }
.course-recorder .status.good { border-color: #2e9e5b; }
.course-recorder .status.bad { border-color: #e53935; }
[data-jp-theme-light="false"] .course-recorder audio,
html[theme="dark"] .course-recorder audio { color-scheme: dark; }
`;

const PAGE = `
<style>${STYLE}</style>
<div class="course-recorder" role="group" aria-label="Recorder" data-lm-suppress-shortcuts="true">
  <div class="row">
    <button type="button" class="record">
      <span class="sign" aria-hidden="true"></span><span class="label">Record</span>
    </button>
    <button type="button" class="upload">Upload a file</button>
    <input type="file" accept="audio/*,.wav,.flac,.ogg,.mp3,.m4a,.webm" aria-label="A sound file"
      hidden>
    <div class="live">
      <div class="level" role="meter" aria-label="Level" aria-valuemin="${FLOOR}" aria-valuemax="0"
        ><div></div></div>
      <span class="time"></span>
    </div>
  </div>
  <audio controls hidden aria-label="The last recording"></audio>
  <div class="status" role="status" aria-live="polite"></div>
</div>`;

// Runs beside the page, in the audio thread: hands over what the microphone gives in pieces.
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
    const address = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
    await context.audioWorklet.addModule(address);
    URL.revokeObjectURL(address);
    const node = new AudioWorkletNode(context, "tap", mono);
    node.port.onmessage = ({ data }) => hear(data);
    return node;
  } catch {
    // A page's content policy may forbid modules from a Blob. The older node runs in the page's
    // own thread: it may drop a piece when the page is busy.
    const node = context.createScriptProcessor(4 * PIECE, 1, 1);
    node.onaudioprocess = ({ inputBuffer }) => hear(inputBuffer.getChannelData(0).slice());
    return node;
  }
}

/**
 * The microphone's stream, as it comes: what browsers do for calls (echo, noise, gain) would change
 * what the model hears.
 */
async function openMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error(
      window.isSecureContext
        ? `This browser offers pages no microphone. ${OTHER_BROWSER}.`
        : "Browsers keep the microphone from a page without a secure address, and this one came " +
          `from ${location.origin}. Open the notebook at localhost or over https, ${OR_UPLOAD}.`,
    );
  }
  const unchanged = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...unchanged } });
  } catch (error) {
    const unknown = `The microphone could not be opened (${error.name}: ${error.message}).`;
    throw new Error(REFUSALS[error.name] ?? `${unknown} Press Record again, ${OR_UPLOAD}.`);
  }
}

/**
 * Record until `seconds` are over or the signal `stop` comes; `progress` is called with each piece
 * and the seconds so far.
 */
async function record(seconds, stop, progress) {
  if (!window.AudioContext) {
    const found = "This browser cannot take sound apart (it has no AudioContext).";
    throw new Error(`${found} ${OTHER_BROWSER}.`);
  }
  const context = new AudioContext();
  const wanted = Math.round(seconds * context.sampleRate);
  const pieces = [];
  let heard = 0;
  let stream;
  const close = () => stream?.getTracks().forEach((track) => track.stop());
  try {
    await new Promise((done, fail) => {
      const hear = (piece) => {
        pieces.push(piece);
        heard += piece.length;
        progress(piece, Math.min(heard, wanted) / context.sampleRate);
        if (heard >= wanted) done();
      };
      stop.addEventListener("abort", done);
      context.resume();
      Promise.all([openMicrophone(), makeTap(context, hear)]).then(([opened, tap]) => {
        stream = opened;
        if (stop.aborted) return close();
        stream.getTracks().forEach((track) => track.addEventListener("ended", done));
        // The tap's output is silent.
        context.createMediaStreamSource(stream).connect(tap).connect(context.destination);
        setTimeout(done, 1000 * seconds + LATE);
      }, fail);
    });
  } finally {
    close();
    context.close();
  }
  const samples = new Float32Array(Math.min(heard, wanted));
  let start = 0;
  for (const piece of pieces) {
    const fits = piece.subarray(0, samples.length - start);
    samples.set(fits, start);
    start += fits.length;
  }
  return { samples, rate: context.sampleRate };
}

/**
 * A WAV file with 16-bit samples: half the bytes of float, played by every browser, its steps far
 * below a microphone's own noise.
 */
function makeWav(samples, rate) {
  const size = 2 * samples.length;
  const view = new DataView(new ArrayBuffer(44 + size));
  const letters = (at, text) => {
    for (let index = 0; index < text.length; index++) {
      view.setUint8(at + index, text.charCodeAt(index));
    }
  };
  letters(0, "RIFF");
  view.setUint32(4, 36 + size, true);
  letters(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of the format that follows
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channel
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes of a sample
  view.setUint16(34, 16, true); // bits of a sample
  letters(36, "data");
  view.setUint32(40, size, true);
  samples.forEach((sample, index) => {
    const rounded = Math.round(32768 * sample);
    view.setInt16(44 + 2 * index, Math.max(-32768, Math.min(32767, rounded)), true);
  });
  return view.buffer;
}

/**
 * A file's bytes as Python can read them: WAV, FLAC, OGG and MP3 as they are, anything else decoded
 * by the browser.
 */
async function readFile(file) {
  let bytes = await file.arrayBuffer();
  if (!PYTHON_READS.test(file.name)) {
    let decoded;
    try {
      decoded = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(bytes);
    } catch {
      const type = file.type ? ` of type ${file.type}` : "";
      const size = `${file.size.toLocaleString("en")} bytes${type}`;
      const found = `${size} that this browser cannot decode`;
      const wanted = "a sound file (WAV, FLAC, OGG, MP3, or another that this browser plays)";
      throw new Error(`${file.name}: expected ${wanted}, found ${found}.`);
    }
    bytes = makeWav(meanOfChannels(decoded), decoded.sampleRate);
  }
  if (bytes.byteLength > LARGEST) {
    const size = (bytes.byteLength / 1e6).toFixed(1);
    const found = `expected at most ${LARGEST / 1e6} MB of sound, found ${size} MB`;
    const advice = "Cut it first, or read it in Python with audio.read.";
    throw new Error(`${file.name}: ${found}. ${advice}`);
  }
  return bytes;
}

function meanOfChannels(decoded) {
  const mean = new Float32Array(decoded.length);
  for (let channel = 0; channel < decoded.numberOfChannels; channel++) {
    decoded.getChannelData(channel).forEach((sample, index) => {
      mean[index] += sample / decoded.numberOfChannels;
    });
  }
  return mean;
}

function render({ model, el }) {
  el.innerHTML = PAGE;
  const find = (selector) => el.querySelector(selector);
  const [button, upload, input] = [".record", ".upload", "input"].map(find);
  const [live, level, player] = [".live", ".level", "audio"].map(find);
  const seconds = model.get("seconds");
  let stop = null; // ends the recording that is going on
  let sent = null; // what Python has not answered yet

  const say = (sentence, kind = "") => {
    find(".status").textContent = sentence;
    find(".status").className = `status ${kind}`;
  };
  const sign = (recording) => {
    button.classList.toggle("recording", recording);
    find(".label").textContent = recording ? "Stop" : "Record";
    live.classList.toggle("on", recording);
    upload.disabled = recording;
  };
  const progress = (piece, time) => {
    const peak = piece.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-6);
    const decibels = Math.max(FLOOR, Math.min(0, 20 * Math.log10(peak)));
    level.firstChild.style.transform = `scaleX(${1 - decibels / FLOOR})`;
    level.setAttribute("aria-valuenow", Math.round(decibels));
    level.classList.toggle("loud", peak >= 0.99);
    find(".time").textContent = `${time.toFixed(1)} / ${seconds.toFixed(1)} s`;
  };
  const send = async (name, bytes, asText) => {
    const take = sent?.bytes === bytes ? sent.take : `${Date.now()}`;
    clearTimeout(sent?.timer);
    sent = { take, name, bytes, asText };
    say("Sending it to Python …");
    sent.timer = setTimeout(() => say(NO_ANSWER, "bad"), PATIENCE);
    const content = { take, name, bytes: bytes.byteLength };
    if (asText) model.send({ ...content, base64: await inBase64(bytes) });
    else model.send(content, undefined, [bytes.slice(0)]); // a copy: pages give buffers away
  };
  const hearAnswer = () => {
    const { take, kind, sentence } = model.get("answer");
    if (kind === "again" && take !== sent?.take) return;
    if (kind === "again" && !sent.asText) return send(sent.name, sent.bytes, true);
    if (take === sent?.take) {
      clearTimeout(sent.timer);
      if (kind === "good" || kind === "fault") {
        URL.revokeObjectURL(player.src);
        player.src = URL.createObjectURL(new Blob([sent.bytes]));
        player.hidden = false;
      }
      sent = null;
    }
    if (kind === "good") say(`${sentence} Run the next cell to use it.`, "good");
    else if (sentence) say(sentence, "bad");
  };
  const toggle = async () => {
    if (stop) return stop.abort();
    stop = new AbortController();
    player.pause();
    sign(true);
    progress([0], 0);
    say("Waiting for the microphone: the browser may ask for permission.");
    try {
      let first = true;
      const { samples, rate } = await record(seconds, stop.signal, (piece, time) => {
        if (first) say("Recording: speak now.");
        first = false;
        progress(piece, time);
      });
      if (samples.length) await send("The recording", makeWav(samples, rate));
      else if (stop.signal.aborted) say("Stopped before a sound came.", "bad");
      else say(`The microphone gave no sound. Press Record again, ${OR_UPLOAD}.`, "bad");
    } catch (error) {
      say(error.message, "bad");
    }
    stop = null;
    sign(false);
  };
  const takeFile = async () => {
    const [file] = input.files;
    if (!file) return;
    say(`Reading ${file.name} …`);
    try {
      await send(file.name, await readFile(file));
    } catch (error) {
      const unreadable = `${file.name}: expected a file, found none that may be read.`;
      const why =
        error.name === "NotReadableError" ? `${unreadable} Choose it again.` : error.message;
      say(player.hidden ? why : `${why} The recording before it is kept.`, "bad");
    }
    input.value = ""; // so that the same file can be chosen again
  };

  button.addEventListener("click", toggle);
  upload.addEventListener("click", () => input.click());
  input.addEventListener("change", takeFile);
  model.on("change:answer", hearAnswer);
  say(`Press Record and speak: it stops by itself after ${seconds} s.`);
  if (model.get("answer").sentence) hearAnswer();
  return () => {
    stop?.abort();
    clearTimeout(sent?.timer);
    URL.revokeObjectURL(player.src);
    model.off("change:answer", hearAnswer);
  };
}

async function inBase64(bytes) {
  const reader = new FileReader();
  await new Promise((done) => {
    reader.onload = done;
    reader.readAsDataURL(new Blob([bytes]));
  });
  return reader.result.split(",")[1];
}

export default { render };
