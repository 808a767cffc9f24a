// What is seen: pictures, sentences and buttons, as the page stands.

import { openness, verdictOf, wordOf } from "./state.js";
import { HEAT, drawHeat, drawProbabilities, drawTime, drawUnit } from "./views.js";
import { rangeOf, stateColours } from "./views.js";
import { byId, isRunning, page, unitNow } from "./page.js";

const WINDOW = 3; // seconds of the microphone that are in sight
const SHORTEST = 0.6; // seconds that the axis spans at least
const COMPARE = "Play again to compare.";
const STILL = 400; // milliseconds for which a caption stands, so that it can be read
const GATE_WORDS = {
  update: ["open, the unit takes in the new sound", "shut, it keeps what it remembers"],
  reset: ["open, all of it", "shut, none: the proposal comes from the sound"],
  input: ["open, the unit takes in the new sound", "shut, the sound does not get in"],
  forget: ["open, the unit keeps its memory (in spite of the gate's name)", "shut, it forgets"],
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

/** Groups of rows whose strongest link is to the same answer: {from, to, text}. */
function groupsNow() {
  const links = page.order.map(({ link }) => link);
  return [...new Set(links)].map((link) => ({
    from: links.indexOf(link),
    to: links.lastIndexOf(link) + 1,
    text: wordOf(page.model.classes[link]),
  }));
}

/** Draw everything. */
export function draw() {
  page.drawnAt = performance.now();
  const { listening, frame } = page;
  const axis = axisNow();
  const isPlaying = page.source === "clip" && page.mode === "clip";
  const known = isPlaying ? frame + 1 : listening.states.length;
  const cursor = frame < 0 ? undefined : frame + 0.5;
  const common = { axis, known, cursor };
  drawSound(common);
  drawUnits(common);
  drawAnswers(common);
  drawTime(byId("time"), { axis, step: listening.step, dropped: listening.dropped });
  drawUnit(byId("unit-lines"), { ...common, listening, unit: unitNow(), gate: shown() });
  showUnit();
  if (!isRunning() || performance.now() - page.captionAt > STILL) sayMoment();
}

function drawSound(common) {
  const { axis, known } = common;
  const { frames } = page.listening;
  const bands = page.model.frame.nMels;
  const { low, high } = rangeOf(frames, axis.first, Math.min(known, axis.first + axis.count));
  drawHeat(byId("sound"), {
    ...common,
    rows: bands,
    colours: HEAT,
    valueAt: (at, row) => (frames[at][bands - 1 - row] - low) / (high - low),
    words: [
      { text: "high", row: 4 },
      { text: "low", row: bands - 4 },
    ],
  });
}

/** The gates and the states of all units. */
function drawUnits(common) {
  const { gates, states } = page.listening;
  const rows = page.order.length;
  const unitAt = (row) => page.order[row].unit;
  const isNarrow = byId("states").clientWidth < 520;
  const left = { text: isNarrow ? `${rows}` : `${rows} units`, row: rows / 2 };
  const chosen = common.known ? page.row : -1;
  const gate = shown();
  const groups = groupsNow();
  if (gate) {
    drawHeat(byId("gates"), {
      ...common,
      rows,
      chosen,
      colours: HEAT,
      valueAt: (at, row) => openness(gate, gates[at][gate][unitAt(row)]),
      words: [left],
      groups,
    });
  }
  drawHeat(byId("states"), {
    ...common,
    rows,
    chosen,
    colours: stateColours(),
    valueAt: (at, row) => (states[at].h[unitAt(row)] + 1) / 2,
    words: [left],
    groups: gate ? [] : groups,
  });
}

function drawAnswers({ axis, known, cursor }) {
  const { listening } = page;
  const trace = { ...listening, step: listening.step };
  trace.probabilities = listening.probabilities.slice(0, known);
  trace.detections = listening.detections.filter((each) => each.frame < known);
  drawProbabilities(byId("answers"), { axis, listening: trace, cursor });
}

/** The moment that is looked at, in words. */
function sayMoment() {
  page.captionAt = performance.now();
  showCaption();
  byId("adds-text").textContent = page.listening.states[page.frame] ? addsInWords() : "";
  const answers = answersInWords();
  byId("answers").setAttribute("aria-label", `Probability of each answer over time. ${answers}`);
}

/** The likeliest answers at the moment that is looked at, for screen readers. */
function answersInWords() {
  const { listening, frame, model } = page;
  const now = listening.probabilities[frame];
  if (!now) return "No sound was heard yet.";
  const ranked = model.classes.map((name, number) => [wordOf(name), now[number]]);
  ranked.sort(([, one], [, other]) => other - one);
  const words = ranked.slice(0, 3).map(([word, value]) => `${word} ${value.toFixed(2)}`);
  return `At ${secondsNow()} seconds: ${words.join(", ")}.`;
}

const secondsNow = () => {
  const { step, dropped } = page.listening;
  return ((page.frame + 1 + dropped) * step).toFixed(2);
};

/** A sentence below the gates: what they mean, and what they do at this moment. */
function showCaption() {
  const gate = shown();
  const { listening, frame } = page;
  if (!gate) {
    byId("caption").textContent =
      "A vanilla RNN has no gates. Every unit takes in every frame, and what was before fades.";
    return;
  }
  const [open, shut] = GATE_WORDS[gate];
  const first =
    gate === "reset" ? "How much of the old memory goes into the proposal for the new. " : "";
  const meaning = `${first}Bright: ${open}. Dark: ${shut}.`;
  byId("caption").innerHTML = `${meaning} <b>${momentWords(listening, frame, gate)}</b>`;
}

/** What it does to hold all gates of a kind, where it is simple; null elsewhere. */
function effectOf(gate, isOpen, isFromStart) {
  const empty = "the memory stays at 0, so the answer never changes";
  const still = "no sound gets in any more";
  const shut = {
    update: isFromStart ? empty : still,
    input: isFromStart ? empty : still,
    output: "no memory is shown, so the answer never changes",
  };
  if (!isOpen) return shut[gate] ?? null;
  return gate === "update" ? "the state is made anew at every frame" : null;
}

function holdingInWords(listening, gate) {
  const isOpen = openness(gate, page.force.value) === 1;
  const isFromStart = listening.dropped === 0; // of a long recording the first frames are gone
  const effect = effectOf(gate, isOpen, isFromStart);
  const since = isFromStart ? " from the first frame" : "";
  const what = `You hold all of them ${isOpen ? "open" : "shut"}${since}`;
  return `${what}${effect ? `: ${effect}` : ""}. ${COMPARE}`;
}

function momentWords(listening, frame, gate) {
  if (page.force?.gate === gate && !page.force.one) return holdingInWords(listening, gate);
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
  const trend = isMore ? ", and more are opening" : isLess ? ", and some are closing" : "";
  const hint = page.force ? ` ${COMPARE}` : "";
  if (gate !== "update") return `Now ${now} of ${units} are more than half open${trend}.${hint}`;
  const held = `${units - now} hold on to what they heard`;
  return `Now ${now} of ${units} units take in this moment${trend}; ${held}.${hint}`;
}

function showUnit() {
  const { listening, frame, model } = page;
  const { unit, link } = page.order[page.row];
  const name = `Unit ${unit + 1}: it affects ${quoted(model.classes[link])} most`;
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

const quoted = (name) => `“${wordOf(name)}”`;

function addsInWords() {
  const { listening, frame, model } = page;
  const { unit, link } = page.order[page.row];
  const state = listening.states[frame];
  const two = (value) => value.toFixed(2).replace("-", "−");
  const gate = shown();
  const open = gate && openness(gate, listening.gates[frame][gate][unit]);
  const isLstm = model.kind === "lstm";
  const shows = isLstm ? "and it shows" : "its state";
  const about = gate
    ? `Its ${gate} gate is ${two(open)} open, ${shows} ${two(state.h[unit])}. `
    : "";
  const added = model.contribution(unit, state);
  const [most, least] = [Math.max(...added), Math.min(...added)];
  if (most === least) return `${about}It does not change any answer.`;
  const [up, down] = [most, least].map((value) => quoted(model.classes[added.indexOf(value)]));
  const sign = state.h[unit] < 0 ? "negative" : "positive";
  const side = added[link] < 0 ? "against" : "for";
  const now = isLstm ? "what it shows is" : "its state is";
  const linked = `Now ${now} ${sign}, so it speaks ${side} ${quoted(model.classes[link])}. `;
  return `${about}${linked}Most for ${up} (${two(most)}), most against ${down} (${two(least)}).`;
}

/** Buttons and sliders as the page stands. */
export function showState() {
  const { mode, frame, listening } = page;
  const known = listening.states.length;
  const freezeButton = byId("freeze");
  const words = freezeWords();
  if (freezeButton.textContent !== words) freezeButton.textContent = words;
  freezeButton.disabled = mode === "idle";
  const press = page.fresh ? "Play a word" : "Next word";
  if (byId("play").textContent !== press) byId("play").textContent = press;
  byId("from-here").disabled = known === 0 || mode === "microphone";
  byId("microphone").setAttribute("aria-pressed", mode === "microphone");
  const moment = byId("moment");
  moment.disabled = known === 0;
  moment.max = Math.max(0, (page.source === "clip" ? axisNow().count : known) - 1);
  moment.value = Math.max(0, frame);
  moment.setAttribute("aria-valuetext", `${secondsNow()} seconds`);
  document.body.dataset.mode = mode;
  document.body.dataset.frame = frame;
}

function freezeWords() {
  if (isRunning()) return "Freeze";
  if (page.source === "microphone") return "Listen again";
  return page.mode === "frozen" ? "Go on" : "Play again";
}
