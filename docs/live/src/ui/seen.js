// What is seen: pictures, sentences and buttons, as the page stands.

import { openness, verdictOf, wordOf } from "./state.js";
import { HEAT, drawHeat, drawProbabilities, drawTime, drawUnit } from "./views.js";
import { rangeOf, stateColours } from "./views.js";
import { byId, isRunning, page, unitNow } from "./page.js";

const WINDOW = 3; // seconds of the microphone that are in sight
const SHORTEST = 0.6; // seconds that the axis spans at least
const STILL = 400; // milliseconds for which a caption stands, so that it can be read
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

/** Say what is heard, for eyes and for screen readers. */
export function sayHeard(html) {
  if (byId("heard").innerHTML !== html) byId("heard").innerHTML = html;
}

/** Say what the run that is shown has heard. */
export function sayVerdict() {
  const verdict = verdictOf(page.listening);
  if (verdict) sayHeard(page.force ? `with the gates held: ${verdict}` : verdict);
}

/** The frames in sight. */
export function axisNow() {
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

/** The gate that is shown, or null. */
export const shown = () => byId("gate").value || null;

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

/** Draw everything. */
export function draw() {
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
  byId("gates").hidden = !gate;
  if (gate) {
    drawHeat(byId("gates"), {
      ...common,
      rows,
      colours: HEAT,
      chosen: known ? page.row : -1,
      valueAt: (at, row) => openness(gate, listening.gates[at][gate][page.order[row].unit]),
      words: [left, ...right],
    });
  }
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
  if (!isRunning() || performance.now() - page.captionAt > STILL) {
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
  const { unit } = page.order[page.row];
  const name = `Unit ${unit + 1}: its strongest link is to “${wordOf(model.classes[linkOf(unit)])}”`;
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

/** The number of the answer to which a unit has its largest weight. */
function linkOf(unit) {
  const ones = new Float32Array(page.model.units).fill(1);
  const weights = Array.from(page.model.contribution(unit, { h: ones }), Math.abs);
  return weights.indexOf(Math.max(...weights));
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
  const link = linkOf(unit);
  const sign = state.h[unit] < 0 ? "negative" : "positive";
  const side = added[link] < 0 ? "against" : "for";
  const linked = `Now its state is ${sign}, so it speaks ${side} “${wordOf(model.classes[link])}”. `;
  return `${about}${linked}Most for ${up} (${two(most)}), most against ${down} (${two(least)}).`;
}

/** Buttons and sliders as the page stands. */
export function showState() {
  const freezeButton = byId("freeze");
  const anew = page.source === "microphone" ? "Listen again" : "Play again";
  const words = isRunning()
    ? "Freeze"
    : page.mode === "frozen" && page.source === "clip"
      ? "Go on"
      : anew;
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
