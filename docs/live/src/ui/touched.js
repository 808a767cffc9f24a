// What is touched: the chosen unit, gates that are held, and the experiments.

import { Listening, gatesOf, readAll } from "./state.js";
import { forcesOf, makeCards, showForced } from "./controls.js";
import { bench, byId, isRunning, optionsNow, page } from "./page.js";
import { draw, sayVerdict, showState } from "./seen.js";

const cards = makeCards(byId("cards"), bench);
const sight = new IntersectionObserver(runInSight);

/** The reader chooses a unit. */
export function pick(row) {
  page.touched = true;
  choose(row);
}

/** Choose the unit of a row. */
export function choose(row) {
  page.row = Math.max(0, Math.min(page.order.length - 1, row));
  byId("unit").value = page.row;
  if (page.force?.one) applyForce();
  draw();
}

/** Run what depends on the chosen word, when nothing else runs; a card out of sight waits. */
export function refresh() {
  if (isRunning()) return; // it ends with a refresh
  runForced();
  for (const card of cards) {
    card.isOld = true;
    sight.unobserve(card.element); // and again: it tells at once whether the card is in sight
    sight.observe(card.element);
  }
}

function runInSight(entries) {
  if (isRunning()) return;
  for (const { target, isIntersecting } of entries) {
    const card = cards.find(({ element }) => element === target);
    if (!isIntersecting || !card.isOld) continue;
    card.isOld = false;
    card.run();
  }
}

/** The chosen word to its end, before it is played. */
function heardInFull() {
  const { word, samples } = page.listening;
  const listening = new Listening(page.model, { word, samples, options: optionsNow() });
  listening.hear();
  return listening;
}

function runForced() {
  if (!gatesOf(page.model).length) return;
  const listening = page.mode === "idle" ? heardInFull() : page.listening;
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
export const forceSelects = () => [byId("force"), byId("force-here")];

/** Hold gates, or let them do as they learned. */
export function chooseForce(value) {
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
  if (page.force) byId("gate").value = page.force.gate; // to see what is held
  sayVerdict();
  runForced();
  showState();
  draw();
}
