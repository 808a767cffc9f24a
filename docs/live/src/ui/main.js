// The page: what buttons and keys do.

import { Listening, NOTHING, clipsFor, gatesOf, knownWords } from "./state.js";
import { samplesFor, sortUnits, wordOf } from "./state.js";
import { inner } from "./views.js";
import { forceInWords, forcesOf, isHosted } from "./controls.js";
import { Classroom } from "./classroom.js";
import { bench, byId, clipsNow, models, newListening, page, player, setClip } from "./page.js";
import { axisNow, draw, sayHeard, showState } from "./seen.js";
import { choose, chooseForce, forceSelects, pick, refresh } from "./touched.js";
import { closeMicrophone, freeze, listenToMicrophone, look, playClip } from "./heard.js";
import { playFromHere, playNext, start } from "./heard.js";

const NAMES = {
  digits: "GRU, digits",
  commands: "GRU, commands",
  gru: "small GRU",
  lstm: "small LSTM",
  rnn: "vanilla RNN",
};

/** Let a model hear the clips of the page: what its units do, and how many it gets right. */
function getToKnow(model) {
  const made = { states: [], gates: [] };
  const clips = clipsFor(model);
  model.right = 0;
  for (const clip of clips) {
    const listening = new Listening(model, { samples: samplesFor(clip, model) });
    listening.hear();
    made.states.push(...listening.states);
    made.gates.push(...listening.gates);
    if (listening.answer().label === clip.word) model.right += 1;
  }
  model.most = mostAdded(model, made.states);
  model.order = sortUnits(model, made);
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

function chooseModel(name) {
  closeMicrophone();
  player.stop();
  page.model = models[name];
  if (!page.model.order) getToKnow(page.model);
  page.order = page.model.order;
  page.fresh = true; // the same word, heard by another network
  page.force = null;
  page.mode = "idle";
  offerGates();
  offerWords();
  nameStates();
  byId("unit").max = page.order.length - 1;
  byId("adds").innerHTML = page.model.classes
    .map((each) => `<li><span>${wordOf(each)}</span><span class="track"><i></i></span></li>`)
    .join("");
  newListening();
  choose(Math.min(page.row, page.order.length - 1));
  sayPress();
  showState();
}

const optionsOf = (choices) =>
  choices.map(([value, words]) => `<option value="${value}">${words}</option>`).join("");

/** The gates of the network, and what can be held. */
function offerGates() {
  const gates = gatesOf(page.model);
  byId("gate").innerHTML = optionsOf(gates.map((gate) => [gate, `${gate} gate`]));
  byId("force-text").textContent = forceInWords(page.model);
  const ofGates = ".if-gates, #card-force > :not(h3, p:first-of-type)";
  for (const element of document.querySelectorAll(ofGates)) element.hidden = !gates.length;
  for (const element of document.querySelectorAll(".if-no-gates"))
    element.hidden = gates.length > 0;
  for (const select of forceSelects()) {
    select.innerHTML = optionsOf(forcesOf(page.model));
    select.disabled = !gates.length;
  }
}

/** What the states are: an LSTM shows a part of its memory, the others have nothing else. */
function nameStates() {
  const isLstm = page.model.kind === "lstm";
  byId("state-text").textContent = isLstm
    ? "what each unit shows of its memory"
    : "the state of each unit";
  byId("state-legend").textContent = isLstm ? "what it shows" : "state";
}

/** The words that the network knows, in the list and in a sentence. */
function offerWords() {
  const clips = clipsNow();
  byId("clip").innerHTML = optionsOf(clips.map(({ word }, number) => [number, wordOf(word)]));
  setClip([page.clip, bench.clip].find((clip) => clips.includes(clip)) ?? clips[0]);
  const dashed = page.model.classes.includes(NOTHING) ? `; dashed: ${wordOf(NOTHING)}` : "";
  byId("knows").textContent = `${knownWords(page.model)}${dashed}`;
}

function sayPress() {
  const { right } = page.model;
  const count = clipsNow().length; // the digits were picked: three networks get all of them right
  const result = right === count ? `all ${count} of these chosen digits` : `${right} of ${count}`;
  sayHeard(`Press “Play a word”: this network gets ${result} right.`);
}

function chooseClip(number) {
  closeMicrophone();
  player.stop();
  setClip(clipsNow()[number]);
  page.fresh = true;
  page.mode = "idle";
  newListening();
  sayPress();
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

/** Whether a key is for the element that has the focus, not for the page. */
function isTaken({ key, target: { tagName, type, id } }, isGuess) {
  if (tagName === "SELECT") return !(id === "question" && isGuess);
  const isSlider = tagName === "INPUT" && type !== "checkbox"; // or one of several to choose from
  return isSlider && !/^([a-z1-9]|backspace)$/i.test(key);
}

function onKey(event) {
  const isGuess = /^[1-9]$/.test(event.key);
  if (event.altKey || event.ctrlKey || event.metaKey || isTaken(event, isGuess)) return;
  const isFree = !["BUTTON", "A", "SUMMARY", "INPUT"].includes(event.target.tagName);
  const actions = {
    d: playNext,
    r: playClip,
    m: listenToMicrophone,
    p: () => !byId("from-here").disabled && playFromHere(),
    f: toggleFullScreen,
    s: () => chooseSpeed({ 1: 0.25, 0.25: 0.1, 0.1: 1 }[page.speed]),
    backspace: () => classroom.undo(),
    arrowleft: () => look(page.frame - 1),
    arrowright: () => look(page.frame + 1),
    ...(isFree && { " ": () => page.mode !== "idle" && freeze() }),
    arrowup: () => pick(page.row - 1),
    arrowdown: () => pick(page.row + 1),
  };
  const action = isGuess
    ? () => classroom.count(Number(event.key) - 1)
    : actions[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
}

// --- begin

byId("model").innerHTML = optionsOf(Object.keys(models).map((name) => [name, NAMES[name] ?? name]));
byId("clip-count").textContent = bench.clips.length;
byId("digit").textContent = wordOf(bench.clip.word);
const commands = DATA.clips.filter((clip) => !bench.clips.includes(clip));
const voicesOf = (clips) => [...new Set(clips.map(({ voice }) => voice))].join(", ");
byId("licences").innerHTML = [
  ...Object.entries(models).map(([name, { licence, card }]) => [
    NAMES[name] ?? name,
    licence,
    card,
  ]),
  [
    `${bench.clips.length} digits of synthetic voices`,
    bench.clips[0].licence,
    `${voicesOf(bench.clips)}. Picked among those that both GRUs and the LSTM get right`,
  ],
  [
    `${commands.length} commands of synthetic voices`,
    commands[0].licence,
    `${voicesOf(commands)}. The first take of each, the voices in turn, whatever a network hears`,
  ],
  ["Fourier transform, fft.js", "MIT", ""],
]
  .map(([name, licence, card]) => `<li>${name}: ${licence}${card ? `. ${card}` : ""}</li>`)
  .join("");

if (isHosted()) byId("course").href = "../index.html";

for (const select of forceSelects()) {
  select.addEventListener("change", () => chooseForce(select.value));
}
const classroom = new Classroom(document.querySelector(".class"), bench);

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
const sizes = new ResizeObserver(() => {
  draw();
  refresh();
});
for (const id of ["sound", "gates", "states", "answers", "unit-lines"]) sizes.observe(byId(id));

chooseModel("digits");
setTimeout(refresh, 200);
