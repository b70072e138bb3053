/* The conversation: each line is a call of the function `reply` in ../task.py, which may fail and be tried again. */
"use strict";

const part = (id) => document.getElementById(id);
const RATINGS = [["fits", "Fits"], ["so-so", "So-so"], ["does not fit", "Does not fit"]];
let turns = []; // {you, model, rating, seconds}; without `model`: not answered yet

crowdd.on("unit", ({ kept, calls = [] }) => {
  const answered = calls.filter((call) => call.result);
  turns = kept?.turns ?? answered.map(({ args, result }) => ({ you: args.text, model: result.text })); // on another device
  part("log").replaceChildren();
  turns.forEach(show);
  showProgress();
  if (isWaiting()) takeUp(turns.at(-1), answered);
});

/** The page was closed before the answer came: it may be here by now, else it is asked for again. */
function takeUp(turn, answered) {
  const call = answered.find(({ args }) => args.text === turn.you && args.before.length === turns.length - 1);
  if (!call) return ask(turn);
  turn.model = call.result.text;
  showAnswer(turn);
  changed();
}

part("line").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = part("text").value.trim();
  if (!text || isWaiting()) return;
  part("text").value = "";
  const turn = { you: text };
  turns.push(turn);
  show(turn);
  ask(turn);
});

const isWaiting = () => turns.length > 0 && !turns.at(-1).model;

/** One call. What it says when it fails stays in its place, with a button to try again. */
async function ask(turn) {
  const entry = entryOf(turn);
  const dots = made("p", "theirs dots", "…");
  dots.setAttribute("aria-label", "The model is writing");
  entry.querySelector(".answer").replaceChildren(dots);
  const before = turns.filter((other) => other.model).map((other) => other.model);
  const began = Date.now();
  changed();
  try {
    const answered = await crowdd.call("reply", { text: turn.you, before });
    Object.assign(turn, { model: answered.text, seconds: (Date.now() - began) / 1000 });
    showAnswer(turn);
  } catch (error) {
    showError(turn, error);
  }
  changed();
  part("log").scrollTop = part("log").scrollHeight;
}

// ------------------------------------------------------------------ what is shown

const entryOf = (turn) => part("log").children[turns.indexOf(turn)];

function show(turn) {
  const entry = made("li");
  const mine = made("p", "mine", turn.you);
  mine.prepend(made("span", "hidden", "You: "));
  entry.append(mine, made("div", "answer"));
  part("log").append(entry);
  if (turn.model) showAnswer(turn);
  part("log").scrollTop = part("log").scrollHeight;
}

function showAnswer(turn) {
  const words = made("p", "theirs", turn.model);
  words.prepend(made("span", "hidden", "Model: "));
  entryOf(turn).querySelector(".answer").replaceChildren(words, ratingOf(turn));
}

/** Three buttons of which one is chosen. */
function ratingOf(turn) {
  const number = turns.indexOf(turn);
  const group = Object.assign(made("fieldset", "rating"), { onchange: (event) => { turn.rating = event.target.value; changed(); } });
  group.append(made("legend", "hidden", "How well does this reply fit?"));
  for (const [value, words] of RATINGS) {
    const label = made("label");
    const box = Object.assign(made("input"), { type: "radio", name: `rating-${number}`, value, checked: turn.rating === value });
    label.append(box, made("span", "", words));
    group.append(label);
  }
  return group;
}

function showError(turn, error) {
  const words = made("p", "failed", error.message);
  const again = Object.assign(made("button", "", "Try again"), { type: "button", onclick: () => ask(turn) });
  const other = Object.assign(made("button", "quiet", "Write something else"), { type: "button", onclick: () => takeBack(turn) });
  words.setAttribute("role", "alert");
  const buttons = made("div", "buttons");
  buttons.append(again, other);
  entryOf(turn).querySelector(".answer").replaceChildren(words, buttons);
}

function takeBack(turn) {
  entryOf(turn).remove();
  turns.splice(turns.indexOf(turn), 1);
  part("text").value = turn.you;
  part("text").focus();
  changed();
}

/** Kept with the draft, so that a reload loses neither lines nor ratings. */
function changed() {
  crowdd.keep({ turns });
  showProgress();
}

function showProgress() {
  const answered = turns.filter((turn) => turn.model).length;
  const rated = turns.filter((turn) => turn.rating).length;
  const needed = crowdd.config.turns;
  part("progress").textContent = answered < needed ? `${answered} of ${needed} lines`
    : rated < answered ? `Please rate every reply: ${rated} of ${answered}` : "Enough: finish, or go on talking";
  part("ending").hidden = answered < needed || rated < answered;
  part("line").querySelector("button").disabled = isWaiting();
}

part("ending").addEventListener("submit", (event) => {
  event.preventDefault();
  const { again, comment } = part("ending").elements;
  const answered = turns.filter((turn) => turn.model);
  crowdd.submit({ turns: answered, again: again.value, comment: comment.value }).catch(() => {}); // the page has said why
});

function made(tag, className = "", textContent = "") {
  return Object.assign(document.createElement(tag), { className, textContent });
}
