/* Describe and guess. The page holds nothing that it was not told: it hears the updates of the game in order, also those
 * from before a reload, and each changes what is shown. What they mean is said in ../game.py. */
"use strict";

const SAMPLES = [
  ["004gg800006ggf10004ggc00003ggf00008gg60001dgg40003ggf200006cc200", "a 1, thick"],
  ["00agdcf504g8cg6006c2g7000159e100017gc20008ggc50001ba000000e60000", "a 7 that leans right"],
  ["009ef60002gc1d0003c7084006b4072004900c1003904b0001c5c300006e5000", "a 0, thin"],
];
const part = (id) => document.getElementById(id);
const TITLE = document.title;
let rounds = []; // the row: six pictures for each round
let round = null; // the one that is on, as told
let score = 0;
let played = []; // what is submitted of each round: role, target, picked, said

crowdd.on("unit", ({ data }) => {
  rounds = data.rounds;
  [round, score, played] = [null, 0, []];
  part("log").replaceChildren();
  part("ending").hidden = true;
  part("play").hidden = false;
  showRounds();
});

crowdd.on("update", (update) => {
  const hear = { round: begin, said: heard, picked: judged, over }[update.kind];
  hear?.(update);
});

// ------------------------------------------------------------------ a round

function begin(told) {
  round = told;
  score = told.score;
  played[told.round] = { round: told.round, role: told.role, target: told.target ?? null, picked: null, said: [] };
  const describes = told.role === "describe";
  part("role").textContent = describes ? "You describe" : "You guess";
  part("hint").textContent = describes
    ? "Describe the framed picture, so that your partner finds it among the six."
    : "Your partner describes one picture. Ask if you are not sure, then choose it.";
  part("board").dataset.role = told.role;
  part("board").querySelector("fieldset").disabled = describes;
  part("choose").hidden = describes;
  part("choose").disabled = true;
  part("pictures").replaceChildren(...told.order.map(choice));
  part("play").dataset.role = told.role;
  say("turn", `Round ${told.round + 1} of ${told.of}: ${part("role").textContent.toLowerCase()}.`);
  showRounds();
  callBack();
}

/** One of the six, in the order in which this player sees them. */
function choice(picture, place) {
  const label = made("label", picture === round.target ? "target" : "");
  const box = Object.assign(made("input"), { type: "radio", name: "pick", value: picture });
  const words = Object.assign(made("span", "hidden"), { id: `picture-${place}`, textContent: inWords(rounds[round.round][picture]) });
  box.setAttribute("aria-label", `Picture ${place + 1}${picture === round.target ? ", the one to describe" : ""}`);
  box.setAttribute("aria-describedby", words.id);
  label.append(box, drawn(rounds[round.round][picture]), words);
  return label;
}

part("board").addEventListener("change", () => { part("choose").disabled = false; });

part("board").addEventListener("submit", (event) => {
  event.preventDefault();
  const picked = part("board").elements.pick.value;
  if (picked === "" || round.role !== "guess") return;
  crowdd.send({ pick: Number(picked), round: round.round });
  part("board").querySelector("fieldset").disabled = true; // until we are told what it was
  part("choose").disabled = true;
});

function judged({ round: number, picked, target, score: now }) {
  Object.assign(played[number], { picked, target });
  score = now;
  const entry = say(picked === target ? "right" : "wrong", picked === target
    ? `Round ${number + 1}: found!`
    : `Round ${number + 1}: not found. The framed one was meant, the other was chosen.`);
  entry.append(...thumbs(number));
  showRounds();
}

/** The picture that was meant, and beside it the one that was chosen instead. */
function thumbs(number) {
  const { picked, target } = played[number];
  return [target, ...(picked === target ? [] : [picked])].map((picture) => {
    const thumb = drawn(rounds[number][picture], 120);
    thumb.classList.toggle("meant", picture === target);
    thumb.setAttribute("role", "img");
    thumb.setAttribute("aria-label", picture === target ? "The picture that was meant" : "The picture that was chosen");
    return thumb;
  });
}

/** A dot for each round: found, not found, on, to come. */
function showRounds() {
  part("rounds").replaceChildren(...rounds.map((_, number) => {
    const { picked, target } = played[number] ?? {};
    const how = picked == null ? (number === round?.round ? "now" : "to come") : picked === target ? "found" : "not found";
    const dot = Object.assign(made("li"), { title: `Round ${number + 1}: ${how}` });
    dot.append(Object.assign(made("span", "hidden"), { textContent: dot.title }));
    dot.dataset.how = how;
    return dot;
  }));
}

// ------------------------------------------------------------------ the chat

part("talk").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = part("words").value.trim();
  if (!text || !round) return;
  if (crowdd.send({ say: text, id: String(Math.random()).slice(2) })) part("words").value = "";
});

/** What this player writes is there at once, and pale until it comes back: then the partner is told, too. */
crowdd.on("sent", ({ say: text, id }) => {
  if (text) say("mine", text).dataset.pending = id;
});

function heard({ text, mine, id, round: number }) {
  played[number]?.said.push({ mine, text });
  const pending = mine && part("log").querySelector(`[data-pending="${CSS.escape(id)}"]`);
  if (pending) return delete pending.dataset.pending;
  say(mine ? "mine" : "theirs", text);
  if (!mine) callBack();
}

function say(kind, text) {
  const entry = made("li", kind);
  const who = { mine: "You: ", theirs: "Partner: " }[kind];
  if (who) entry.append(Object.assign(made("span", "hidden"), { textContent: who }));
  entry.append(Object.assign(made("span", "text"), { textContent: text }));
  part("log").append(entry);
  part("log").scrollTop = part("log").scrollHeight;
  return entry;
}

/** Somebody who looks at another tab sees by the title that they are awaited. */
function callBack() {
  if (document.hidden) document.title = `● ${TITLE}`;
}
document.addEventListener("visibilitychange", () => { document.title = TITLE; });

// ------------------------------------------------------------------ the end

function over({ score: found, of }) {
  round = null;
  part("play").hidden = true;
  part("ending").hidden = false;
  part("result").textContent = `You found ${found} of ${of} together`;
  part("recap").replaceChildren(...played.filter((one) => one.picked !== null).map(({ round: number, role, picked, target }) => {
    const entry = made("li", picked === target ? "right" : "wrong");
    entry.append(...thumbs(number), Object.assign(made("span"), { textContent: role === "describe" ? "you described" : "you guessed" }));
    return entry;
  }));
  part("result").focus({ preventScroll: true });
  callBack();
}

/** A partner who is gone and whom nobody replaced ends the game where it stands; it may still be saved. */
crowdd.on("state", () => {
  if (crowdd.reason === "partner_left" && part("ending").hidden) over({ score, of: played.filter((one) => one.picked !== null).length });
});

part("ending").addEventListener("submit", (event) => {
  event.preventDefault();
  const { words, comment } = part("ending").elements;
  crowdd.submit({ score, of: rounds.length, rounds: played, words: words.value, comment: comment.value })
    .catch(() => {}); // the page has said why
});

// ------------------------------------------------------------------ while somebody waits

part("samples").append(...SAMPLES.map(([picture, words]) => {
  const sample = made("li");
  sample.append(drawn(picture), Object.assign(made("span"), { textContent: `“${words}”` }));
  return sample;
}));

function made(tag, className = "") {
  return Object.assign(document.createElement(tag), { className });
}
