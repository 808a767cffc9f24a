// What is heard: a clip or the microphone, frozen or going on.

import { Listening, isListener, knownWords } from "./state.js";
import { clipsNow, isRunning, microphone, newListening, optionsNow } from "./page.js";
import { notePlayed, page, player, setClip } from "./page.js";
import { draw, sayHeard, sayVerdict, showState } from "./seen.js";
import { choose, refresh } from "./touched.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function announce(detections) {
  if (!detections.length) return;
  sayVerdict();
  if (!page.touched) choose(loudestFor(detections.at(-1)));
}

/** Play the chosen word from its beginning. */
export function playClip() {
  closeMicrophone();
  newListening();
  sayHeard("listening …");
  start(0);
}

/** Play what is there from a moment on. */
export function start(seconds) {
  page.mode = "clip";
  if (page.source === "clip") notePlayed();
  player.play(page.listening.samples, { from: seconds, speed: page.speed });
  tick();
}

/** Play the chosen word, then the next one. */
export function playNext() {
  const clips = clipsNow();
  if (!page.fresh) setClip(clips[(clips.indexOf(page.clip) + 1) % clips.length]);
  playClip();
}

/** Play from the moment that is looked at. */
export function playFromHere() {
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
  setTimeout(refresh, 30);
}

/** Freeze, or go on. */
export function freeze() {
  if (isRunning()) {
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
  sayVerdict();
  showState();
  draw();
  setTimeout(refresh, 30);
}

/** Of the units that are linked most to an answer, the row of the one that adds most to it. */
function loudestFor({ label, frame }) {
  const number = page.model.classes.indexOf(label);
  const state = page.listening.states[frame];
  const added = page.order.map(({ unit, link }) =>
    link === number ? page.model.contribution(unit, state)[number] : -Infinity,
  );
  return added.indexOf(Math.max(...added));
}

/** Hear the microphone, from now on. */
export async function listenToMicrophone() {
  if (microphone.listens) closeMicrophone();
  player.stop();
  const { listening, source, frame } = page;
  const before = { listening, source, frame, mode: isRunning() ? "frozen" : page.mode };
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
    sayHeard(`listening: say ${knownWords(page.model)}.${pauseHint(page.model)}`);
    tick();
  } catch (error) {
    microphone.close();
    if (page.mode === "microphone") Object.assign(page, before); // what was heard before plays on
    sayHeard(error.message);
    draw();
  }
  showState();
}

const pauseHint = (model) =>
  isListener(model) ? "" : " This network expects one word, then a pause: freeze and start anew.";

/** Let go of the microphone. */
export function closeMicrophone() {
  microphone.close();
  if (page.mode === "microphone") page.mode = "idle";
}

/** While something runs: hear what came, draw, and again. */
function tick() {
  cancelAnimationFrame(page.next);
  if (!isRunning()) return;
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

/** Look at another moment; what runs is frozen. */
export function look(frame) {
  const known = page.listening.states.length;
  if (!known) return;
  if (isRunning()) stopHere();
  page.frame = Math.max(0, Math.min(known - 1, frame));
  showState();
  draw();
}
