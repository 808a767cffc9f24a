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

const QUESTIONS = [
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

const guessButton = (words, number) => `<button type="button" class="guess">
  <span><kbd>${number + 1}</kbd>${words}</span>
  <span class="track"><i></i></span><span class="count"></span></button>`;

/** The questions on the page, the guesses of a class, and the result. */
export class Classroom {
  constructor(section, bench) {
    this.bench = bench;
    this.find = (selector) => section.querySelector(selector);
    this.find("#question").innerHTML = QUESTIONS.map(
      ({ text }, number) => `<option value="${number}">${text}</option>`,
    ).join("");
    this.find("#question").addEventListener("change", () => this.begin());
    this.find("#run").addEventListener("click", () => this.run());
    this.find("#undo").addEventListener("click", () => this.undo());
    this.find("#clear").addEventListener("click", () => this.begin());
    this.begin();
  }

  get question() {
    return QUESTIONS[this.find("#question").value];
  }

  get buttons() {
    return [...this.find("#guesses").children];
  }

  /** Ask the chosen question; nobody has guessed. */
  begin() {
    this.counts = this.question.choices.map(() => 0);
    this.order = []; // of the guesses, so that the last one can be taken back
    this.result = null;
    this.find("#truth").textContent = "";
    this.find("#guesses").innerHTML = this.question.choices.map(guessButton).join("");
    this.buttons.forEach((button, number) =>
      button.addEventListener("click", () => this.count(number)),
    );
    this.show();
  }

  /** One more guess; after the result nobody guesses. */
  count(number) {
    if (this.result || number >= this.counts.length) return;
    this.counts[number] += 1;
    this.order.push(number);
    this.show();
  }

  /** Take the last guess back. */
  undo() {
    if (this.result || !this.order.length) return;
    this.counts[this.order.pop()] -= 1;
    this.show();
  }

  /** Compute the answer, and say how many had it. */
  run() {
    const { value, choice, says } = (this.result = this.question.run(this.bench));
    const all = this.order.length;
    this.find("#truth").innerHTML = `<b data-value="${value}">${says}</b>`;
    const hit = `${this.counts[choice]} of ${all} ${all === 1 ? "guess" : "guesses"} had it.`;
    if (all) this.find("#truth").append(` ${hit}`);
    this.show();
  }

  show() {
    const most = Math.max(1, ...this.counts);
    this.find("#question-text").textContent = this.question.text;
    this.find("#clear").textContent = this.result ? "Ask again" : "Clear";
    this.buttons.forEach((button, number) => {
      const count = this.counts[number];
      const isTrue = this.result?.choice === number;
      button.classList.toggle("true", isTrue);
      button.querySelector("i").style.width = `${(100 * count) / most}%`;
      button.querySelector(".count").textContent = count;
      const words = `${this.question.choices[number]}: ${count} guesses`;
      button.setAttribute("aria-label", isTrue ? `${words}. This is the result.` : words);
    });
  }
}
