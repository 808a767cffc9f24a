// The experiments: one control each, the result in numbers beside it, and the lesson that explains.

import { shuffled, reversed, withSilence } from "../engine/experiments.js";
import { gradientByFrame } from "../engine/gradient.js";
import { answerFrom, clipsFor, earsOf, framesOf, gatesOf, isListener } from "./state.js";
import { readAll, samplesFor, verdictOf, wordOf } from "./state.js";
import { drawCurves, drawFrames, powerOfTen } from "./views.js";

const SEED = 1; // of the shuffle
const LESSONS = {
  "03": "03_the_vanilla_rnn_by_hand",
  "04": "04_clips_of_many_lengths",
  "05": "05_training_a_vanilla_rnn",
  "06": "06_lstm",
  "07": "07_gru",
  "09": "09_order_and_the_whole_clip",
  15: "15_live",
};

/** Whether this page is part of the book, on a web host or in a folder of that name. */
export function isHosted() {
  const { protocol, hostname, pathname } = location;
  return (protocol === "https:" && hostname !== "localhost") || pathname.includes("/book/");
}

/** A link to a lesson: its page in the book, else its notebook. */
function lessonLink(number) {
  const ending = isHosted() ? "html" : "ipynb";
  return `<a href="../../notebooks/${LESSONS[number]}.${ending}">lesson ${number}</a>`;
}

/** A number for readers. */
export function say(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e4) return `${value}`;
  if (Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3) {
    const [digits, power] = value.toExponential(0).split("e");
    return digits === "1" ? powerOfTen(power) : `${digits} × ${powerOfTen(power)}`;
  }
  return value >= 10 ? value.toFixed(0) : value.toFixed(value < 0.1 ? 3 : 2);
}

/** A number in bold that keeps all its digits in the page, for tests and curious readers. */
const bold = (name, value, text = say(value)) => `<b data-${name}="${value}">${text}</b>`;

const said = ({ label, probability }) => `${wordOf(label)} ${probability.toFixed(2)}`;

/** “Right: 3 of 10 words.”, and why, when a network gives all words the same answer. */
export function rightInWords({ right, always, count }) {
  const why = always
    ? ` It always gives the same answer, “${wordOf(always)}”: right once in ten.`
    : "";
  return `${right} of ${count} words.${why}`;
}

/** What the experiments need of the page: models, the digits, the digit that is chosen. */
export class Bench {
  constructor(models) {
    this.models = models;
    this.clips = clipsFor(models.gru);
    this.number = 0;
    this.frames = this.clips.map((clip) => framesOf(clip, models.gru));
    this.counts = {}; // what was computed once
  }

  get clip() {
    return this.clips[this.number];
  }

  /** Choose one of the digits. */
  choose(clip) {
    this.number = this.clips.indexOf(clip);
  }

  /**
   * How many of all digits a model gets right when their frames or its steps are changed, and the
   * answer that it always gives, if it does; `key` names model and change, so that nothing is
   * counted twice.
   *
   * Returns {right, always, count}.
   */
  count(key, model, change = (frames) => frames, optionsFor = () => ({})) {
    return (this.counts[key] ??= this.#count(model, change, optionsFor));
  }

  /** For each clip the gradient of a small model at each frame. */
  gradients(model) {
    return (this.counts[`gradients of ${model.name}`] ??= this.clips.map(({ word }, number) =>
      Array.from(gradientByFrame(model, this.frames[number], model.classes.indexOf(word))),
    ));
  }

  /** The gradient at the first frame as a share of the last one's, median of all clips. */
  usualShare(model) {
    const shares = this.gradients(model).map((norms) => norms[0] / norms.at(-1));
    shares.sort((a, b) => a - b);
    const middle = shares.length >> 1;
    return shares.length % 2 ? shares[middle] : (shares[middle - 1] + shares[middle]) / 2;
  }

  #count(model, change, optionsFor) {
    const answers = this.clips.map((clip, number) => {
      const own = isListener(model)
        ? earsOf(model).push(samplesFor(clip, model))
        : this.frames[number];
      const made = readAll(model, change(own), optionsFor(own));
      return answerFrom(model, made.probabilities).label;
    });
    const right = answers.filter((label, number) => label === this.clips[number].word).length;
    const isSame = answers.every((label) => label === answers[0]);
    return { right, always: isSame ? answers[0] : null, count: answers.length };
  }
}

/** The size of the vector from one state to another. */
function distance(state, other) {
  return Math.hypot(...state.h.map((value, unit) => value - other.h[unit]));
}

/** How far the state moves from frame to frame, on average. */
function movement(states, begin) {
  let sum = 0;
  states.forEach((state, frame) => (sum += distance(state, states[frame - 1] ?? begin)));
  return states.length ? sum / states.length : 0;
}

/** The largest difference of two tables of the same shape. */
function largestDifference(rows, others) {
  const ofRow = (row, other) =>
    Math.max(...row.map((value, place) => Math.abs(value - other[place])));
  return Math.max(...rows.map((row, number) => ofRow(row, others[number])));
}

const legend = (entries) =>
  entries.map(([tone, text]) => `<span class="${tone}">${text}</span>`).join(" ");

/** Every experiment: its words, its control, and what happens when the control is moved. */
const EXPERIMENTS = [
  {
    id: "silence",
    title: "Tear the mask off",
    text:
      "Words that are learned together are made equally long: silence fills up the short ones. " +
      "A mask says where a word ends, and the state stays as it is from there. Without the mask " +
      'the network reads on. Gates can hold much longer (this GRU <span id="gru-holds"></span>); ' +
      'the RNN gets only <span id="rnn-masked"></span> right even with the mask.',
    lessons: ["04"],
    control: `<label for="silence">Silence</label>
      <input type="range" id="silence" min="0" max="200" step="5" value="60">
      <output for="silence" id="silence-now"></output>`,
    legend: [
      ["accent", "GRU with the mask"],
      ["soft", "GRU without (dashed)"],
      ["other", "vanilla RNN without"],
    ],
    run({ bench, find }) {
      const count = Number(find("#silence").value);
      find("#silence-now").textContent = `${count} frames (${(count / 100).toFixed(1)} s)`;
      const { gru, rnn } = bench.models;
      const own = bench.frames[bench.number];
      const frames = withSilence(own, count);
      const masked = readAll(gru, frames, (frame) => ({ masked: frame >= own.length }));
      const [torn, tornRnn] = [gru, rnn].map((model) => readAll(model, frames));
      const truth = gru.classes.indexOf(bench.clip.word);
      const curve = ({ probabilities }, tone, dashed) => {
        return { values: probabilities.map((row) => row[truth]), tone, dashed };
      };
      const curves = [curve(tornRnn, "other"), curve(masked, "accent"), curve(torn, "soft", true)];
      drawCurves(find("canvas"), curves, { mark: own.length });
      const answers = [masked, torn, tornRnn].map((each) => answerFrom(gru, each.probabilities));
      const [kept, read, readByRnn] = answers;
      const longer = (each) => withSilence(each, count);
      const right = [gru, rnn].map((model) => [
        bench.count(model.name, model).right, // masked: the state after the word stays
        bench.count(`${model.name}, ${count} frames of silence`, model, longer).right,
      ]);
      find("#gru-holds").textContent = right[0].join(" → ");
      find("#rnn-masked").textContent = right[1][0];
      return `With the mask: ${bold("masked", kept.probability, said(kept))}. Without: the GRU hears
        ${bold("unmasked", read.probability, said(read))}, the RNN ${said(readByRnn)}. Correct
        words out of ${bench.clips.length}: GRU ${bold("right-masked", right[0][0])} with the mask,
        ${bold("right-unmasked", right[0][1])} without; RNN ${bold("rnn-masked", right[1][0])} and
        ${bold("rnn-unmasked", right[1][1])}.`;
    },
  },
  {
    id: "order",
    title: "Change the order",
    text: "No frame is added or lost. Does the GRU care in which order they come?",
    lessons: ["09"],
    control: `<label for="order">The frames are</label> <select id="order">
      <option value="recorded">as recorded</option><option value="shuffled">shuffled</option>
      <option value="reversed">reversed</option></select>`,
    strip: true,
    run({ bench, find }) {
      const order = find("#order").value;
      const change = {
        recorded: (frames) => frames,
        shuffled: (frames) => shuffled(frames, SEED),
        reversed,
      }[order];
      const model = bench.models.gru;
      const frames = change(bench.frames[bench.number]);
      drawFrames(find("canvas.strip"), frames);
      const { probabilities } = readAll(model, frames);
      const truth = model.classes.indexOf(bench.clip.word);
      const values = probabilities.map((row) => row[truth]);
      drawCurves(find("canvas:not(.strip)"), [{ values, tone: "accent" }]);
      const answer = answerFrom(model, probabilities);
      const { right, count } = bench.count(`gru, ${order}`, model, change);
      const untouched = bench.count("gru", model).right;
      return `It hears ${bold("answer", answer.probability, said(answer))}. Right:
        ${bold("right", right)} of ${count} words; untouched:
        ${bold("right-untouched", untouched)} of ${count}.`;
    },
    legend: [["accent", "probability of the word that was said, after each frame"]],
  },
  {
    id: "gradient",
    title: "Who can learn from the beginning?",
    text:
      "The gradient says how much each frame can still teach. In a vanilla RNN it usually " +
      "vanishes on the way back to the first frame. For some words it grows instead. Each line is " +
      "relative to the last frame.",
    lessons: ["05"],
    control: `<label for="at">Look at frame</label>
      <input type="range" id="at" min="0" max="10" step="1" value="0">`,
    strip: true,
    legend: [
      ["other", "vanilla RNN"],
      ["accent", "GRU"],
      ["soft", "LSTM (dashed)"],
    ],
    run({ bench, find }) {
      const frames = bench.frames[bench.number];
      const slider = find("#at");
      slider.max = frames.length - 1;
      const frame = Math.min(Number(slider.value), frames.length - 1);
      const { rnn, gru, lstm } = bench.models;
      const norms = [rnn, gru, lstm]
        .map((model) => bench.gradients(model)[bench.number])
        .map((each) => each.map((value) => value / each.at(-1)));
      const [ofRnn, ofGru, ofLstm] = norms;
      const all = norms.flat().filter((value) => value > 0);
      const [low, top] = [Math.min(...all), Math.max(...all)].map(Math.log10);
      drawFrames(find("canvas.strip"), frames);
      drawCurves(
        find("canvas:not(.strip)"),
        [
          { values: ofLstm, tone: "soft", dashed: true },
          { values: ofGru, tone: "accent" },
          { values: ofRnn, tone: "other" },
        ],
        {
          low: 10 ** Math.floor(low),
          top: 10 ** Math.ceil(top),
          logarithmic: true,
          cursor: frame + 0.5,
        },
      );
      const [share, other] = [ofRnn, ofGru].map((each) => each[frame] / each.at(-1));
      const [usual, usualOther] = [rnn, gru].map((model) => bench.usualShare(model));
      const growing = bench.gradients(rnn).filter((each) => each[0] > each.at(-1)).length;
      return `Frame ${frame + 1} of ${frames.length}: the gradient is ${bold("rnn", share)} times
        the last frame's in the RNN, ${bold("gru", other)} times in the GRU. At the first frame of
        a usual word (the median of ${bench.clips.length}) it is ${bold("rnn-usual", usual)} times
        and ${bold("gru-usual", usualOther)} times. In the RNN it grows for
        ${bold("grows", growing)} of the ${bench.clips.length}.`;
    },
  },
  {
    id: "gain",
    title: "Larger weights",
    text:
      "The recurrent weights of a vanilla RNN, from state to state, are multiplied by one number. " +
      "Small ones forget. With large ones only tanh, which keeps each number of the state between " +
      "−1 and 1, holds it back.",
    lessons: ["03"],
    control: `<label for="gain">Times</label>
      <input type="range" id="gain" min="0" max="3" step="0.1" value="1.5">
      <output for="gain" id="gain-now">1.5</output>`,
    legend: [
      ["accent", "with tanh"],
      ["other", "without"],
    ],
    run({ bench, find }) {
      const gain = Number(find("#gain").value);
      find("#gain-now").textContent = gain.toFixed(1);
      const frames = bench.frames[bench.number];
      const model = bench.models.rnn.with({ gain });
      const sizeOf = (vector) => vector.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
      const { states, probabilities } = readAll(model, frames);
      const held = states.map(({ h }) => sizeOf(h));
      const linear = bench.models.rnn.with({ gain, linear: true });
      const free = readAll(linear, frames).states.map(({ h }) => sizeOf(h));
      const top = 10 ** Math.max(1, Math.ceil(Math.log10(Math.min(1e38, Math.max(...free)))));
      drawCurves(
        find("canvas"),
        [
          { values: free, tone: "other" },
          { values: held, tone: "accent" },
        ],
        { low: 0.01, top, logarithmic: true },
      );
      const answer = answerFrom(model, probabilities);
      const counted = bench.count(`rnn times ${gain}`, model);
      return `Largest number in the state at the end: ${bold("held", held.at(-1))} with tanh,
        ${bold("free", free.at(-1))} without. It hears ${said(answer)}. Right:
        <span data-right="${counted.right}">${rightInWords(counted)}</span>`;
    },
  },
  {
    id: "int8",
    title: "One byte for a weight",
    text:
      "Each weight takes four bytes. For a small computer it is rounded to one of 256 steps, " +
      "which takes one byte (int8).",
    lessons: ["15"],
    control: `<label><input type="checkbox" id="int8" checked>
      round the weights of “GRU, digits”</label>`,
    legend: [
      ["soft", "as learned"],
      ["accent", "as chosen (dashed)"],
    ],
    run({ bench, find }) {
      const model = bench.models.digits;
      const rounded = find("#int8").checked ? model.with({ int8: true }) : model;
      const frames = earsOf(model).push(samplesFor(bench.clip, model));
      const made = [model, rounded].map((each) => readAll(each, frames).probabilities);
      const truth = model.classes.indexOf(bench.clip.word);
      const [before, after] = made.map((rows) => rows.map((row) => row[truth]));
      drawCurves(find("canvas"), [
        { values: before, tone: "soft" },
        { values: after, tone: "accent", dashed: true },
      ]);
      const change = largestDifference(...made);
      const key = rounded === model ? "digits" : "digits, int8";
      const { right, count } = bench.count(key, rounded);
      const learned = bench.count("digits", model).right;
      return `A probability changes by ${bold("change", change)} at most. Right:
        ${bold("right", right)} of ${count} words; as learned:
        ${bold("right-float", learned)} of ${count}.`;
    },
  },
];

/** The choices of the first experiment for one model: [value, words, force]. */
export function forcesOf(model) {
  const choices = [["", "as learned", null]];
  for (const gate of gatesOf(model)) {
    for (const [value, word] of [
      [1, "open"],
      [0, "shut"],
    ]) {
      // An update gate of Keras is shut to new sound at 1.
      const force = { gate, value: gate === "update" ? 1 - value : value };
      choices.push([`${gate} ${word}`, `all ${gate} gates ${word}`, force]);
    }
  }
  const [first] = gatesOf(model);
  if (first) {
    const value = first === "update" ? 1 : 0;
    const words = `only the chosen unit's ${first} gate shut`;
    choices.push(["unit shut", words, { gate: first, value, one: true }]);
  }
  return choices;
}

/** What the gates of a model do that can be forced. */
export function forceInWords({ kind }) {
  if (kind === "rnn") return "This RNN has no gates to force.";
  const effect = {
    gru:
      "An update gate that is shut keeps the old state; one that is open takes in the new. A " +
      "reset gate says how much of the old state goes into the proposal for the new one.",
    lstm:
      "An input gate that is shut keeps new sound out. A forget gate that is shut forgets the " +
      "old memory. An output gate that is shut hides the memory.",
  }[kind];
  return `The pictures above change at once; the menu beside them does the same. ${effect}`;
}

/** Put the experiments on the page. Returns {element, run} of each. */
export function makeCards(container, bench) {
  container.innerHTML = [
    cardOf({
      id: "force",
      title: "Force the gates",
      text: '<span id="force-text"></span>',
      lessons: ["06", "07"],
      control: `<label for="force">Gates</label> <select id="force"></select>`,
      legend: [
        ["soft", "as learned"],
        ["accent", "as chosen"],
      ],
    }),
    ...EXPERIMENTS.map(cardOf),
  ].join("");
  const runs = EXPERIMENTS.map((experiment) => {
    const card = container.querySelector(`#card-${experiment.id}`);
    const find = (selector) => card.querySelector(selector);
    const run = () => {
      const { word, voice } = bench.clip;
      find(".result").innerHTML = experiment.run({ bench, find });
      for (const canvas of card.querySelectorAll("canvas")) {
        canvas.setAttribute("aria-label", `${experiment.title}: ${wordOf(word)}, ${voice}`);
      }
    };
    card.querySelector(".control").addEventListener("input", () => {
      find(".result").ariaLive = "polite"; // a reader moved it, and wants to hear the result
      run();
    });
    return { element: card, run };
  });
  return runs;
}

function cardOf({ id, title, text, lessons, control, legend: entries, strip }) {
  const more = lessons.map(lessonLink).join(" and ");
  return `<article class="card" id="card-${id}"><h3>${title}</h3><p>${text} See ${more}.</p>
    <div class="control">${control}</div>
    ${strip ? '<canvas class="strip" role="img"></canvas>' : ""}<canvas role="img"></canvas>
    <p class="legend">${legend(entries)}</p>
    <p class="result" aria-live="off"></p></article>`;
}

/** The numbers of the first experiment: what forcing changed. */
export function showForced(card, { learned, forced, truth }) {
  const curves = [learned, forced].map((each) => each.probabilities.map((row) => row[truth]));
  if (curves[0].length) {
    drawCurves(card.querySelector("canvas"), [
      { values: curves[0], tone: "soft" },
      { values: curves[1], tone: "accent" },
    ]);
  }
  const [before, after] = [learned, forced].map((each) =>
    answerFrom(each.model, each.probabilities),
  );
  const [free, held] = [learned, forced].map((each) => movement(each.states, each.begin));
  const which = isListener(learned.model) ? "Highest value" : "At the end";
  const moving = learned.model.kind === "lstm" ? "What it shows moves" : "The state moves";
  card.querySelector(".result").innerHTML = `As chosen: ${verdictOf(forced)}. ${which} as learned:
    ${bold("learned", before.probability, said(before))}, as chosen:
    ${bold("forced", after.probability, said(after))}. ${moving} by
    ${bold("moves", held)} a frame, as learned by ${bold("moves-learned", free)}.`;
}
