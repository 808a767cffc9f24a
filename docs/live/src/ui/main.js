// The page: what buttons, keys and time do.

import { Listening, NOTHING, gatesOf, isListener, letterOf, loadModels } from "./state.js";
import { openness, readAll, samplesFor, sortUnits, wordOf } from "./state.js";
import { HEAT, drawHeat, drawProbabilities, drawTime, drawUnit, inner } from "./views.js";
import { rangeOf, stateColours } from "./views.js";
import { Player, Microphone } from "./audio.js";
import { Bench, forcesOf, isHosted, makeCards, showForced } from "./controls.js";
import { makeClassroom } from "./classroom.js";

const WINDOW = 3; // seconds of the microphone that are in sight
const SHORTEST = 0.6; // seconds that the axis spans at least
const STILL = 400; // milliseconds for which a caption stands, so that it can be read
const NAMES = {
  digits: "GRU, digits",
  commands: "GRU, commands",
  gru: "small GRU",
  lstm: "small LSTM",
  rnn: "small vanilla RNN",
};
const GATE_WORDS = {
  update: [
    "open, the unit takes in the new sound",
    "shut, it keeps what it remembers (z = 1 in Keras)",
  ],
  reset: ["open, old memory helps to propose the new", "shut, the proposal comes from the sound"],
  input: ["open, the unit takes in the new sound", "shut, the sound does not get in"],
  forget: ["open, the unit keeps its memory (a forget gate of 1 keeps)", "shut, it forgets"],
  output: ["open, the unit shows its memory", "shut, it hides its memory"],
};

const PRESS = "Press “Play a digit”.";

const byId = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const models = loadModels();
const bench = new Bench(models);
const player = new Player();
const microphone = new Microphone();

/** Where the page stands. */
const page = {
  model: models.digits,
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

// --- what is heard

/** The options of a step, from the choice of the first experiment. */
function optionsNow() {
  if (!page.force) return {};
  const { gate, value, one } = page.force;
  return { force: one ? { gate, value, units: new Set([unitNow()]) } : { gate, value } };
}

const unitNow = () => page.order[page.row].unit;

function newListening() {
  const { clip } = bench;
  page.source = "clip";
  page.listening = new Listening(page.model, {
    word: clip.word,
    samples: samplesFor(clip, page.model),
    options: optionsNow(),
  });
  page.frame = -1;
}

function sayHeard(html) {
  if (byId("heard").innerHTML !== html) byId("heard").innerHTML = html;
}

const heardHtml = ({ label, probability }) =>
  `heard: <b>${wordOf(label)}</b>, ${probability.toFixed(2)}`;

function announce(detections) {
  if (!detections.length) return;
  sayHeard(heardHtml(detections.at(-1)));
  if (!page.touched) choose(loudestFor(detections.at(-1)));
}

/** Play the chosen word from its beginning. */
function playClip() {
  closeMicrophone();
  newListening();
  page.fresh = false;
  sayHeard("listening …");
  start(0);
}

function start(seconds) {
  page.mode = "clip";
  player.play(page.listening.samples, { from: seconds, speed: page.speed });
  tick();
}

function playNext() {
  if (!page.fresh) bench.number = (bench.number + 1) % DATA.clips.length;
  byId("clip").value = bench.number;
  playClip();
}

function playFromHere() {
  if (page.mode === "clip") player.stop();
  if (page.source === "microphone") closeMicrophone();
  const { listening } = page;
  const isEnd = page.frame >= listening.length - 2;
  start(isEnd ? 0 : Math.max(0, page.frame) * listening.step);
}

function stopHere() {
  player.stop();
  microphone.close();
  page.mode = "frozen";
}

function freeze() {
  if (page.mode === "clip" || page.mode === "microphone") {
    stopHere();
  } else if (page.source === "microphone") {
    listenToMicrophone();
  } else {
    playFromHere();
  }
  showState();
  draw();
}

/** Everything after the last frame of a clip. */
function finish() {
  player.stop();
  page.mode = "ended";
  const { listening } = page;
  announce(listening.hear());
  page.frame = listening.states.length - 1;
  const answer = listening.answer();
  if (!page.touched && answer.label !== null) choose(loudestFor(answer));
  if (!listening.detections.length && answer.label !== null) {
    const html = heardHtml(answer); // a model that listens without end may have been unsure
    sayHeard(isListener(page.model) ? html.replace("heard:", "not sure, perhaps") : html);
  }
  showState();
  draw();
  setTimeout(refresh, 30);
}

/** The row of the unit that adds most to an answer, when that is likeliest. */
function loudestFor({ label, frame }) {
  const number = page.model.classes.indexOf(label);
  const state = page.listening.states[frame];
  const added = page.order.map(({ unit }) => page.model.contribution(unit, state)[number]);
  return added.indexOf(Math.max(...added));
}

async function listenToMicrophone() {
  if (microphone.listens) closeMicrophone();
  player.stop();
  page.source = "microphone";
  page.listening = new Listening(page.model, { options: optionsNow() });
  page.frame = -1;
  page.mode = "microphone";
  sayHeard("The browser may ask for the microphone …");
  showState();
  try {
    await microphone.open((samples) => {
      if (page.mode !== "microphone") return;
      page.listening.append(samples);
      announce(page.listening.hear());
      page.frame = page.listening.states.length - 1;
    });
    if (page.mode !== "microphone") return closeMicrophone();
    const hint = isListener(page.model)
      ? ""
      : " This network expects one word, then a pause: freeze and start anew.";
    sayHeard(`listening: say a word.${hint}`);
    tick();
  } catch (error) {
    closeMicrophone();
    newListening();
    sayHeard(error.message);
  }
  showState();
}

function closeMicrophone() {
  microphone.close();
  if (page.mode === "microphone") page.mode = "idle";
}

/** While something runs: hear what came, draw, and again. */
function tick() {
  cancelAnimationFrame(page.next);
  if (page.mode !== "clip" && page.mode !== "microphone") return;
  if (page.mode === "clip") {
    const { listening } = page;
    const { seconds } = player;
    announce(listening.hear(seconds));
    const now = Math.floor(seconds / listening.step) - 2; // a frame is known at its end
    page.frame = Math.max(-1, Math.min(now, listening.states.length - 1));
    if (seconds >= listening.seconds) return finish();
  }
  const wait = calm.matches ? 250 : 0;
  if (performance.now() - page.drawnAt >= wait) draw();
  page.next = requestAnimationFrame(tick);
  showState();
}

// --- what is seen

/** The frames in sight. */
function axisNow() {
  const { listening } = page;
  if (page.source === "clip") {
    return { first: 0, count: Math.max(listening.length, SHORTEST / listening.step) };
  }
  const count = Math.round(WINDOW / listening.step);
  const known = listening.states.length;
  const live = page.mode === "microphone";
  const first = live ? known - count : Math.min(known - count, page.frame - Math.round(count / 2));
  return { first: Math.max(0, first), count };
}

const shown = () => byId("gate").value || null;

/** Words beside groups of rows that speak for the same class. */
function groupWords() {
  const words = [];
  page.order.forEach(({ speaksFor }, row) => {
    if (row && page.order[row - 1].speaksFor === speaksFor) return;
    let end = row;
    while (end < page.order.length && page.order[end].speaksFor === speaksFor) end += 1;
    words.push({ begin: row, row: (row + end) / 2, text: wordOf(page.model.classes[speaksFor]) });
  });
  const narrow = byId("gates").clientHeight / page.order.length;
  let last = -99;
  return words
    .map((word) => ({ ...word, side: "right" }))
    .filter(({ row }) => {
      const fits = (row - last) * narrow >= 12;
      if (fits) last = row;
      return fits;
    });
}

function draw() {
  page.drawnAt = performance.now();
  const { listening, frame } = page;
  const axis = axisNow();
  const known =
    page.source === "clip" && page.mode === "clip" ? frame + 1 : listening.states.length;
  const cursor = frame < 0 ? undefined : frame + 0.5;
  const common = { axis, known, cursor };
  const [from, to] = [axis.first, Math.min(known, axis.first + axis.count)];
  const { low, high } = rangeOf(listening.frames, from, to);
  const bands = page.model.frame.nMels;
  drawHeat(byId("sound"), {
    ...common,
    rows: bands,
    colours: HEAT,
    valueAt: (at, row) => (listening.frames[at][bands - 1 - row] - low) / (high - low),
    words: [
      { text: "high", row: 4 },
      { text: "low", row: bands - 4 },
    ],
  });
  const rows = page.order.length;
  const gate = shown();
  const right = groupWords();
  const left = {
    text: byId("gates").clientWidth < 520 ? `${rows}` : `${rows} units`,
    row: rows / 2,
  };
  drawHeat(byId("gates"), {
    ...common,
    rows: gate ? rows : 1,
    colours: HEAT,
    chosen: gate && known ? page.row : -1,
    valueAt: (at, row) =>
      gate ? openness(gate, listening.gates[at][gate][page.order[row].unit]) : 1,
    words: gate ? [left, ...right] : [],
  });
  drawHeat(byId("states"), {
    ...common,
    rows,
    colours: stateColours(),
    chosen: known ? page.row : -1,
    valueAt: (at, row) => (listening.states[at].h[page.order[row].unit] + 1) / 2,
    words: [left],
  });
  const trace = { ...listening, step: listening.step };
  trace.probabilities = listening.probabilities.slice(0, known);
  trace.detections = listening.detections.filter((each) => each.frame < known);
  drawProbabilities(byId("answers"), { axis, listening: trace, cursor });
  drawTime(byId("time"), { axis, step: listening.step, dropped: listening.dropped });
  drawUnit(byId("unit-lines"), { axis, listening, unit: unitNow(), gate, cursor, known });
  showUnit();
  const busy = page.mode === "clip" || page.mode === "microphone";
  if (!busy || performance.now() - page.captionAt > STILL) {
    showCaption();
    sayAdds();
  }
}

/** A sentence below the gates: what they mean, and what they do at this moment. */
function showCaption() {
  page.captionAt = performance.now();
  const gate = shown();
  const { listening, frame } = page;
  if (!gate) {
    byId("caption").textContent =
      "A vanilla RNN has no gates. Every unit takes in every frame, and what was before fades.";
    return;
  }
  const [open, shut] = GATE_WORDS[gate];
  const meaning = `Bright: ${open}. Dark: ${shut}.`;
  byId("caption").innerHTML = `${meaning} <b>${momentWords(listening, frame, gate)}</b>`;
}

function momentWords(listening, frame, gate) {
  if (page.force && !page.force.one && page.force.gate === gate) {
    const isOpen = openness(gate, page.force.value) === 1;
    const effect = {
      update: isOpen
        ? "the state is made anew at every frame"
        : "nothing gets in, and the memory stands still",
    }[gate];
    return `You hold all of them ${isOpen ? "open" : "shut"}${effect ? `: ${effect}` : ""}.`;
  }
  if (frame < 0 || !listening.gates[frame]) return "";
  const countAt = (at) => {
    let open = 0;
    for (const value of listening.gates[at][gate]) open += openness(gate, value) > 0.5;
    return open;
  };
  const now = countAt(frame);
  const before = countAt(Math.max(0, frame - 10));
  const { units } = listening.model;
  const isMore = now > before + units / 12;
  const isLess = now < before - units / 12;
  const trend = isMore ? " and opening" : isLess ? " and closing" : "";
  if (gate !== "update") return `Now ${now} of ${units} are more than half open${trend}.`;
  const held = `${units - now} hold on to what they heard`;
  return `Now ${now} of ${units} units take in this moment${trend}; ${held}.`;
}

function showUnit() {
  const { listening, frame, model } = page;
  const { unit, speaksFor } = page.order[page.row];
  const name = `Unit ${unit + 1}: speaks for “${wordOf(model.classes[speaksFor])}”`;
  if (byId("unit-name").textContent !== name) byId("unit-name").textContent = name;
  byId("unit").setAttribute("aria-valuetext", name);
  const state = listening.states[frame] ?? model.initial();
  const added = model.contribution(unit, state);
  const items = byId("adds").children;
  added.forEach((value, number) => {
    const bar = items[number].querySelector("i");
    bar.className = value >= 0 ? "plus" : "minus";
    bar.style.width = `${Math.min(50, (50 * Math.abs(value)) / model.most)}%`;
    items[number].dataset.value = value;
  });
}

/** The bars of a unit in words. */
function sayAdds() {
  byId("adds-text").textContent = page.listening.states[page.frame] ? addsInWords() : "";
}

function addsInWords() {
  const { listening, frame, model } = page;
  const { unit } = page.order[page.row];
  const state = listening.states[frame];
  const two = (value) => value.toFixed(2).replace("-", "−");
  const gate = shown();
  const open = gate && openness(gate, listening.gates[frame][gate][unit]);
  const about = gate
    ? `Its ${gate} gate is ${two(open)} open, its state ${two(state.h[unit])}. `
    : "";
  const added = model.contribution(unit, state);
  const [most, least] = [Math.max(...added), Math.min(...added)];
  if (most === least) return `${about}It adds nothing to any answer.`;
  const [up, down] = [most, least].map((value) => wordOf(model.classes[added.indexOf(value)]));
  return `${about}Most for ${up} (${two(most)}), most against ${down} (${two(least)}).`;
}

/** Buttons and sliders as the page stands. */
function showState() {
  const runs = page.mode === "clip" || page.mode === "microphone";
  const freezeButton = byId("freeze");
  const anew = page.source === "microphone" ? "Listen again" : "Play again";
  const words = runs ? "Freeze" : page.mode === "frozen" && page.source === "clip" ? "Go on" : anew;
  if (freezeButton.textContent !== words) freezeButton.textContent = words;
  freezeButton.disabled = page.mode === "idle";
  byId("from-here").disabled = page.listening.states.length === 0 || page.mode === "microphone";
  byId("microphone").setAttribute("aria-pressed", page.mode === "microphone");
  const moment = byId("moment");
  moment.max = Math.max(0, page.listening.states.length - 1);
  moment.value = Math.max(0, page.frame);
  const seconds = ((page.frame + 1 + page.listening.dropped) * page.listening.step).toFixed(2);
  moment.setAttribute("aria-valuetext", `${seconds} seconds`);
  document.body.dataset.mode = page.mode;
  document.body.dataset.frame = page.frame;
}

/** Look at another moment; what runs is frozen. */
function look(frame) {
  const known = page.listening.states.length;
  if (!known) return;
  if (page.mode === "clip" || page.mode === "microphone") {
    stopHere();
  }
  page.frame = Math.max(0, Math.min(known - 1, frame));
  showState();
  draw();
}

/** The reader chooses a unit. */
function pick(row) {
  page.touched = true;
  choose(row);
}

function choose(row) {
  page.row = Math.max(0, Math.min(page.order.length - 1, row));
  byId("unit").value = page.row;
  if (page.force?.one) applyForce();
  draw();
}

// --- the experiments

/** Run what depends on the chosen word, when nothing else runs; a card out of sight waits. */
function refresh() {
  if (page.mode === "clip" || page.mode === "microphone") return; // it ends with a refresh
  runForced();
  for (const card of cards) {
    card.isOld = true;
    sight.unobserve(card.element); // and again: it tells at once whether the card is in sight
    sight.observe(card.element);
  }
}

function runInSight(entries) {
  if (page.mode === "clip" || page.mode === "microphone") return;
  for (const { target, isIntersecting } of entries) {
    const card = cards.find(({ element }) => element === target);
    if (!isIntersecting || !card.isOld) continue;
    card.isOld = false;
    card.run();
  }
}

function runForced() {
  const { listening } = page;
  const isClip = page.source === "clip";
  if (isClip) listening.hear();
  if (!listening.frames.length) return;
  const { classes } = page.model;
  const word = classes.includes(listening.word) ? listening.word : listening.answer().label;
  const learned = {
    model: page.model,
    begin: listening.begin,
    ...readAll(page.model, listening.frames),
  };
  showForced(byId("card-force"), { learned, forced: listening, truth: classes.indexOf(word) });
}

/** The two places with the same choice: beside the gates, and among the experiments. */
const forceSelects = () => [byId("force"), byId("force-here")];

function chooseForce(value) {
  for (const select of forceSelects()) select.value = value;
  applyForce();
}

function applyForce() {
  const found = forcesOf(page.model).find(([value]) => value === byId("force").value);
  page.force = found?.[2] ?? null;
  if (page.mode === "idle" && page.source === "clip") {
    page.listening.hear();
    page.mode = "ended";
  }
  page.listening.again(optionsNow());
  if (page.mode === "ended") page.frame = page.listening.states.length - 1;
  if (page.force && page.force.gate !== shown() && !page.force.one)
    byId("gate").value = page.force.gate;
  runForced();
  showState();
  draw();
}

// --- choices

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
  if (tagName === "SELECT" || (tagName === "INPUT" && type !== "checkbox")) return;
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
    ...((document.activeElement === byId("gates") || document.activeElement === byId("states")) && {
      arrowup: () => pick(page.row - 1),
      arrowdown: () => pick(page.row + 1),
    }),
  };
  const action = /^[1-9]$/.test(event.key)
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

const sight = new IntersectionObserver(runInSight);
const cards = makeCards(byId("cards"), bench);
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
