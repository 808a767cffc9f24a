// Predict, then run: guesses counted by keys, and the result laid over them.

import { shuffled, reversed, withSilence } from "../engine/experiments.js";
import { rightInWords } from "./controls.js";

const COUNTS = ["0 or 1", "2 or 3", "4 or 5", "6 or 7", "8 or 9", "all 10"];
const choiceOf = ({ right, count }) => Math.min(5, Math.floor((10 * right) / count / 2));
const TIMES = [
  "less than 10 times",
  "10 to 1,000 times",
  "1,000 to a million times",
  "more than a million times",
];

const GRADIENT =
  "the gradient says how much a frame can teach. How many times smaller is it at the first frame " +
  "than at the last (median of ten words)?";

/** A question about how many digits of this page are still right after a change. */
function howMany(text, measure) {
  const run = (bench) => {
    const counted = measure(bench);
    const says = `Right: ${rightInWords(counted)}`;
    return { value: counted.right, choice: choiceOf(counted), says };
  };
  return { text, choices: COUNTS, run };
}

/** How much smaller a gradient is: `times` is the last frame's over the first one's. */
function smallerInWords(times) {
  if (times >= 1) return `${times.toPrecision(2)} times smaller.`;
  const how = times < 0.8 ? "larger" : "about the same";
  return `Not smaller: ${how} (${(1 / times).toPrecision(3)} times the last frame).`;
}

function firstAgainstLast(kind) {
  return (bench) => {
    const times = 1 / bench.usualShare(bench.models[kind]);
    const powers = Math.max(0, Math.log10(times));
    const choice = powers < 1 ? 0 : powers < 3 ? 1 : powers < 6 ? 2 : 3;
    return { value: times, choice, says: smallerInWords(times) };
  };
}

const force = (gate, value) => () => ({ force: { gate, value } });

export const QUESTIONS = [
  howMany(
    "All update gates of the small GRU are forced shut. How many of ten words are right?",
    (bench) => bench.count("gru, z = 1", bench.models.gru, undefined, force("update", 1)),
  ),
  howMany(
    "All update gates of the small GRU are forced open. How many of ten words are right?",
    (bench) => bench.count("gru, z = 0", bench.models.gru, undefined, force("update", 0)),
  ),
  howMany(
    "The frames of each word are shuffled. How many of ten words does the GRU get right?",
    (bench) => bench.count("gru, shuffled", bench.models.gru, (frames) => shuffled(frames, 1)),
  ),
  howMany(
    "The frames of each word are reversed. How many of ten words does the GRU get right?",
    (bench) => bench.count("gru, reversed", bench.models.gru, reversed),
  ),
  howMany(
    "0.6 s of silence follow each word, and the small GRU reads on. How many of ten are right?",
    (bench) =>
      bench.count("gru, 60 frames of silence", bench.models.gru, (frames) =>
        withSilence(frames, 60),
      ),
  ),
  howMany(
    "0.6 s of silence follow each word, and a vanilla RNN reads on. How many of ten are right?",
    (bench) =>
      bench.count("rnn, 60 frames of silence", bench.models.rnn, (frames) =>
        withSilence(frames, 60),
      ),
  ),
  howMany(
    "The weights of “GRU, digits” are rounded to one byte. How many of ten words are right?",
    (bench) => bench.count("digits, int8", bench.models.digits.with({ int8: true })),
  ),
  howMany(
    "The vanilla RNN's recurrent weights are halved. How many of ten words are right?",
    (bench) => bench.count("rnn times 0.5", bench.models.rnn.with({ gain: 0.5 })),
  ),
  {
    text: `Vanilla RNN: ${GRADIENT}`,
    choices: TIMES,
    run: firstAgainstLast("rnn"),
  },
  {
    text: `GRU: ${GRADIENT}`,
    choices: TIMES,
    run: firstAgainstLast("gru"),
  },
];

/** Put the questions on the page. Returns what a key of a number does. */
export function makeClassroom(section, bench) {
  const find = (selector) => section.querySelector(selector);
  const [select, guesses, truth] = ["#question", "#guesses", "#truth"].map(find);
  let counts = [];
  let order = []; // of the guesses, so that the last one can be taken back
  let result = null;

  const question = () => QUESTIONS[select.value];
  const show = () => {
    const most = Math.max(1, ...counts);
    find("#question-text").textContent = question().text;
    find("#clear").textContent = result ? "Ask again" : "Clear";
    guesses.querySelectorAll(".guess").forEach((button, number) => {
      const isTrue = result?.choice === number;
      button.classList.toggle("true", isTrue);
      button.querySelector("i").style.width = `${(100 * counts[number]) / most}%`;
      button.querySelector(".count").textContent = counts[number];
      const words = `${question().choices[number]}: ${counts[number]} guesses`;
      button.setAttribute("aria-label", isTrue ? `${words}. This is the result.` : words);
    });
  };
  const begin = () => {
    counts = question().choices.map(() => 0);
    order = [];
    result = null;
    truth.textContent = "";
    guesses.innerHTML = question()
      .choices.map(
        (
          words,
          number,
        ) => `<button type="button" class="guess"><span><kbd>${number + 1}</kbd>${words}</span>
          <span class="track"><i></i></span><span class="count"></span></button>`,
      )
      .join("");
    guesses
      .querySelectorAll(".guess")
      .forEach((button, number) => button.addEventListener("click", () => count(number)));
    show();
  };
  const count = (number) => {
    if (result || number >= counts.length) return; // after the result nobody guesses
    counts[number] += 1;
    order.push(number);
    show();
  };
  const undo = () => {
    if (result) return;
    const last = order.pop();
    if (last !== undefined) counts[last] -= 1;
    show();
  };
  const run = () => {
    result = question().run(bench);
    const all = counts.reduce((sum, each) => sum + each, 0);
    const hit = counts[result.choice];
    truth.innerHTML = `<b data-value="${result.value}">${result.says}</b>`;
    if (all) truth.append(` ${hit} of ${all} ${all === 1 ? "guess" : "guesses"} had it.`);
    show();
  };

  select.innerHTML = QUESTIONS.map(
    ({ text }, number) => `<option value="${number}">${text}</option>`,
  ).join("");
  select.addEventListener("change", begin);
  find("#run").addEventListener("click", run);
  find("#undo").addEventListener("click", undo);
  find("#clear").addEventListener("click", begin);
  begin();
  return { count, undo };
}
