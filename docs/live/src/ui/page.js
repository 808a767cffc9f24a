// Where the page stands: what all its parts share.

import { Listening, clipsFor, loadModels, samplesFor, wordOf } from "./state.js";
import { Player, Microphone } from "./audio.js";
import { Bench } from "./controls.js";

export const byId = (id) => document.getElementById(id);

export const models = loadModels();
export const bench = new Bench(models);
export const player = new Player();
export const microphone = new Microphone();

/** Where the page stands. */
export const page = {
  model: models.digits,
  clip: bench.clip, // the word that is chosen
  mode: "idle", // or "clip", "microphone", "frozen", "ended"
  source: "clip", // or "microphone": what is in the views
  speed: 1,
  frame: -1, // the moment that is looked at
  row: 0, // of the chosen unit
  fresh: true, // the chosen word was not played yet
  touched: false, // the reader chose a unit
  force: null,
  order: [],
  captionAt: 0,
  drawnAt: 0,
};

/** Whether sound comes in now. */
export const isRunning = () => page.mode === "clip" || page.mode === "microphone";

/** The options of a step, from the choice of the first experiment. */
export function optionsNow() {
  if (!page.force) return {};
  const { gate, value, one } = page.force;
  return { force: one ? { gate, value, units: new Set([unitNow()]) } : { gate, value } };
}

export const unitNow = () => page.order[page.row].unit;

/** The words that can be chosen: those that the network knows. */
export const clipsNow = () => clipsFor(page.model);

/** Choose a word. */
export function setClip(clip) {
  page.clip = clip;
  byId("clip").value = clipsNow().indexOf(clip);
}

/** The chosen word is played; if it is a digit, the experiments take it from now on. */
export function notePlayed() {
  page.fresh = false;
  if (!bench.clips.includes(page.clip)) return;
  bench.choose(page.clip);
  byId("digit").textContent = wordOf(page.clip.word);
  byId("which").textContent = "the last digit played";
}

/** Begin to hear the chosen word anew. */
export function newListening() {
  const { clip } = page;
  page.source = "clip";
  page.listening = new Listening(page.model, {
    word: clip.word,
    samples: samplesFor(clip, page.model),
    options: optionsNow(),
  });
  page.frame = -1;
}
