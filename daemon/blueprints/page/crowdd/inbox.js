// What the task's code on the server sends: every update once and in order, over reloads and lost connections.
//
// The server numbers what it sends to an agent: 1, 2, 3... A page that has just been loaded gets the past with the unit;
// what comes by the socket goes on from there. A number too high waits for the ones before it.

const EARLY_MAX = 256; // updates held while an earlier one is missing
const MISSING_S = 3; // then a new connection brings it
const ACK_EVERY_MS = 200;
const KNOWN_MAX = 10_000; // ids by which repeats of what has no number are found
const HISTORY_MAX = 10_000; // what listeners that come late are told

let seen = 0; // up to here nothing is missing
let highest = 0; // that ever came
let missingSince = null;
let ackTimer = null;
const early = new Map(); // number: update
const known = new Set();
let held = []; // [event, data]: until the unit is on the page
let history = []; // the same, once told, for listeners that come late

function openInbox() {
  seen = highest = 0;
  missingSince = null;
  early.clear();
  known.clear();
  held = [];
  history = [];
}

const isLiveData = (init) => Array.isArray(init?.past_live_updates) || Array.isArray(init?.previous_requests);

/** The number in the update_id of what the server sent ("17.4", "o3.1"); 0 for what the page sent itself. */
const numberIn = (update_id) => Number(/^o?\d+\.(\d+)$/.exec(update_id)?.[1] ?? 0);

/** What was sent to the one whose place in a group this worker has taken ("p17.4"): part of the past, and no more. */
const isInherited = (update_id) => /^p\d+\.\d+$/.test(update_id);

/** What a registration's answer knows of the past and we do not: all of it, for a page just loaded. */
function catchUp({ init_task_data: init, seen: upTo }) {
  if (!isLiveData(init)) return;
  isLive = true;
  const end = upTo ?? Infinity;
  let last = seen;
  for (const update of init.past_live_updates ?? []) {
    const number = numberIn(update.update_id);
    if (!number && isNew(update.update_id)) hold(isInherited(update.update_id) ? "update" : "sent", update);
    if (number <= seen || number > end) continue;
    early.delete(number);
    last = Math.max(last, number);
    hold("update", update);
  }
  for (const number of [...early.keys()].sort((a, b) => a - b)) {
    if (number > end) break;
    hold("update", early.get(number));
    early.delete(number);
  }
  settlePast(init.previous_requests ?? []);
  seen = Math.max(seen, upTo ?? last);
  takeEarly();
}

/** What an earlier page load sent and the server did not have then: on its way now, and part of the talk. */
function announceLeft() {
  for (const { updates } of streams) {
    for (const { data } of updates) if (isNew(data.update_id)) hold("sent", data);
  }
}

/** An update came by the socket. */
function arrive(number, update) {
  if (!number) {
    if (isNew(update.update_id)) hold("update", update);
  } else if (number > seen) {
    highest = Math.max(highest, number);
    if (number <= seen + EARLY_MAX) early.set(number, update); // what is too far ahead comes again
    takeEarly();
  }
  if (number) acknowledge();
  release();
}

function takeEarly() {
  for (let update; (update = early.get(seen + 1)); ) {
    early.delete(++seen);
    missingSince = null;
    hold("update", update);
  }
  if (seen >= highest) missingSince = null;
  else missingSince ??= ticks();
}

function reopenIfMissing() {
  if (missingSince === null || !isConnected() || ticks() - missingSince < MISSING_S * 1000) return;
  missingSince = ticks();
  reopen();
}

/** Not for each one: the router counts our packets. */
function acknowledge() {
  ackTimer ??= setTimeout(() => {
    ackTimer = null;
    if (agent) sendPacket("ack", { seen });
  }, ACK_EVERY_MS);
}

function isNew(update_id) {
  if (known.has(update_id)) return false;
  known.add(update_id);
  if (known.size > KNOWN_MAX) known.delete(known.values().next().value);
  return true;
}

// ------------------------------------------------------------------ to the page's scripts

/** Calls of functions and their answers are not the scripts' business: they have promises. */
function hold(event, update) {
  if (event === "update" && isAnswer(update)) settle(update);
  else if (!isRequest(update)) held.push([event, update]);
}

/** Tells what is held, in order, once the unit was announced. */
function release() {
  while (agent?.isReady && held.length) {
    const [event, update] = held.shift();
    history.push([event, update]);
    if (history.length > HISTORY_MAX) history.shift();
    emit(event, update);
  }
}

function send(data) {
  if (!canTalk()) return false;
  talk(data);
  return true;
}

/** Somebody is there to hear what the page says, or will be. */
function canTalk() {
  const isHeld = [State.IN_TASK, State.WAITING, State.ONBOARDING].includes(state) || (isPaused && agent?.isReady);
  return Boolean(isHeld && mine && !saving);
}

function talk(data) {
  const update = enqueue(data);
  isNew(update.update_id);
  isLive = true;
  connect();
  hold("sent", update);
  release();
  showLink();
}
