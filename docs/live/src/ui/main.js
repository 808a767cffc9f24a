// The page: what buttons and keys do.

import { Listening, NOTHING, gatesOf, letterOf, samplesFor, sortUnits, wordOf } from "./state.js";
import { inner } from "./views.js";
import { forcesOf, isHosted } from "./controls.js";
import { makeClassroom } from "./classroom.js";
import { bench, byId, models, newListening, page, player } from "./page.js";
import { axisNow, draw, sayHeard, showState } from "./seen.js";
import { choose, chooseForce, forceSelects, pick, refresh } from "./touched.js";
import { closeMicrophone, freeze, listenToMicrophone, look, playClip } from "./heard.js";
import { playFromHere, playNext, start } from "./heard.js";

const NAMES = {
  digits: "GRU, digits",
  commands: "GRU, commands",
  gru: "small GRU",
  lstm: "small LSTM",
  rnn: "small vanilla RNN",
};
const PRESS = "Press “Play a digit”.";

/** The order of the units of a model, found on the clips of the page. */
function orderOf(model) {
  const made = { states: [], gates: [] };
  for (const clip of DATA.clips) {
    const listening = new Listening(model, { samples: samplesFor(clip, model) });
    listening.hear();
    made.states.push(...listening.states);
    made.gates.push(...listening.gates);
  }
  model.most = mostAdded(model, made.states);
  return sortUnits(model, made);
}

/** The most that one unit adds to an answer, at any frame. */
function mostAdded(model, states) {
  const highest = new Float32Array(model.units);
  for (const { h } of states) {
    h.forEach((value, unit) => (highest[unit] = Math.max(highest[unit], Math.abs(value))));
  }
  const added = Array.from(highest, (_, unit) => model.contribution(unit, { h: highest }));
  return Math.max(...added.map((each) => Math.max(...each.map(Math.abs))));
}

const drawnAs = (gate) => (gate === "update" ? "1 − z" : letterOf(gate));

function chooseModel(name) {
  closeMicrophone();
  player.stop();
  page.model = models[name];
  page.order = page.model.order ??= orderOf(page.model);
  const gates = gatesOf(page.model);
  byId("gate").innerHTML = gates
    .map((gate) => `<option value="${gate}">${gate} gate ${drawnAs(gate)}</option>`)
    .join("");
  byId("gate").hidden = !gates.length;
  document.querySelector(".scale").hidden = !gates.length;
  page.fresh = true; // the same word, heard by another network
  page.force = null;
  for (const select of forceSelects()) {
    select.innerHTML = forcesOf(page.model)
      .map(([value, words]) => `<option value="${value}">${words}</option>`)
      .join("");
    select.disabled = !gates.length;
  }
  byId("unit").max = page.order.length - 1;
  byId("adds").innerHTML = page.model.classes
    .map((each) => `<li><span>${wordOf(each)}</span><span class="track"><i></i></span></li>`)
    .join("");
  page.mode = "idle";
  newListening();
  choose(Math.min(page.row, page.order.length - 1));
  showState();
}

function chooseClip(number) {
  closeMicrophone();
  player.stop();
  bench.number = number;
  page.fresh = true;
  page.mode = "idle";
  newListening();
  sayHeard(PRESS);
  showState();
  draw();
  setTimeout(refresh, 30);
}

function chooseSpeed(value) {
  page.speed = value;
  document.querySelector(`[name="speed"][value="${value}"]`).checked = true;
  if (page.mode === "clip") start(player.seconds);
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

// --- hands and keys

/** A pointer over units: choose the one below it; pressed, look at its moment, too. */
function followPointer(canvas) {
  const at = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const edge = inner(width);
    const share = (event.clientX - left - edge.left) / edge.wide;
    const axis = axisNow();
    return {
      row: Math.floor(((event.clientY - top) / height) * page.order.length),
      frame: Math.floor(axis.first + share * axis.count),
      inside: share >= 0 && share <= 1,
    };
  };
  let pinned = false; // by a click, until the next one
  canvas.addEventListener("pointermove", (event) => {
    const { row, frame, inside } = at(event);
    if (!inside) return;
    if (event.buttons) {
      pick(row);
      look(frame);
    } else if (!pinned && event.pointerType === "mouse") {
      pick(row);
    }
  });
  canvas.addEventListener("pointerdown", (event) => {
    const { row, frame, inside } = at(event);
    if (!inside) return;
    pinned = !pinned || row !== page.row;
    pick(row);
    look(frame);
  });
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const { tagName, type } = event.target;
  const isButton = tagName === "BUTTON" || tagName === "A" || tagName === "SUMMARY";
  const counts = /^[1-9]$/.test(event.key);
  const asks = event.target.id === "question" && counts; // a guess, though the list has focus
  if ((tagName === "SELECT" && !asks) || (tagName === "INPUT" && type !== "checkbox")) return;
  const isFree = !isButton && tagName !== "INPUT";
  const actions = {
    d: playNext,
    r: playClip,
    m: listenToMicrophone,
    p: () => !byId("from-here").disabled && playFromHere(),
    f: toggleFullScreen,
    s: () => chooseSpeed({ 1: 0.25, 0.25: 0.1, 0.1: 1 }[page.speed]),
    backspace: classroom.undo,
    arrowleft: () => look(page.frame - 1),
    arrowright: () => look(page.frame + 1),
    ...(isFree && { " ": () => page.mode !== "idle" && freeze() }),
    arrowup: () => pick(page.row - 1),
    arrowdown: () => pick(page.row + 1),
  };
  const action = counts
    ? () => classroom.count(Number(event.key) - 1)
    : actions[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
}

// --- begin

byId("clip").innerHTML = DATA.clips
  .map(({ word }, number) => `<option value="${number}">${wordOf(word)}</option>`)
  .join("");
byId("model").innerHTML = Object.keys(models)
  .map((name) => `<option value="${name}">${NAMES[name] ?? name}</option>`)
  .join("");
const voices = [...new Set(DATA.clips.map(({ voice }) => voice))];
byId("clip-count").textContent = DATA.clips.length;
byId("licences").innerHTML = [
  ...Object.entries(models).map(([name, { licence, card }]) => [
    NAMES[name] ?? name,
    licence,
    card,
  ]),
  [`${DATA.clips.length} clips of synthetic voices`, DATA.clips[0].licence, voices.join(", ")],
  ["Fourier transform, fft.js", "MIT", ""],
]
  .map(([name, licence, card]) => `<li>${name}: ${licence}${card ? `. ${card}` : ""}</li>`)
  .join("");

if (isHosted()) byId("course").href = "../index.html";

for (const select of forceSelects()) {
  select.addEventListener("change", () => chooseForce(select.value));
}
const classroom = makeClassroom(document.querySelector(".class"), bench);

byId("play").addEventListener("click", playNext);
byId("microphone").addEventListener("click", () =>
  page.mode === "microphone" ? freeze() : listenToMicrophone(),
);
byId("freeze").addEventListener("click", freeze);
byId("from-here").addEventListener("click", playFromHere);
byId("speed").addEventListener("change", ({ target }) => chooseSpeed(Number(target.value)));
byId("clip").addEventListener("change", ({ target }) => chooseClip(Number(target.value)));
byId("model").addEventListener("change", ({ target }) => {
  chooseModel(target.value);
  const { classes } = page.model;
  const knows = classes.filter((name) => name !== NOTHING).map(wordOf);
  sayHeard(classes.includes(bench.clip.word) ? PRESS : `It knows ${knows.join(", ")}: say one.`);
  setTimeout(refresh, 30);
});
byId("gate").addEventListener("change", draw);
byId("full").addEventListener("click", toggleFullScreen);
byId("moment").addEventListener("input", ({ target }) => look(Number(target.value)));
byId("unit").addEventListener("input", ({ target }) => pick(Number(target.value)));
followPointer(byId("gates"));
followPointer(byId("states"));
document.addEventListener("keydown", onKey);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  draw();
  refresh();
});
new ResizeObserver(() => {
  draw();
  refresh();
}).observe(byId("stage"));

chooseModel("digits");
sayHeard(PRESS);
setTimeout(refresh, 200);
