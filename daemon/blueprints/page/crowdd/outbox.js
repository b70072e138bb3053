// What the page sends to the task's code: kept until the server has stored it, over reloads and offline spells.
//
// Every page load numbers its updates 1, 2, 3... in a stream with a name of its own. The server takes each number of a
// stream once and in order, and says how far it has stored them. What an earlier page load left goes first, under its
// own name; so does what another tab has not got rid of. Nothing is ever repeated or reordered by that.

const UNDER_WAY_MAX = 128; // sent and not yet stored
const UNDER_WAY_BYTES_MAX = 1024 * 1024; // and what they add up to; one may always go
const UPDATES_PER_S = 40; // the router takes 50 packets a second, and there are others
const BYTES_PER_S = 1024 * 1024; // the router takes twice as much
const ACK_WITHIN_S = 5; // then what is under way is sent again ...
const ACK_WITHIN_S_MAX = 15; // ... and again, with ever longer pauses ...
const AGAIN_MAX = 8; // ... only so many at a time: the router may hold them for a daemon that is away
const ADOPT_AFTER_S = 5; // another tab of this agent had its time
const UPDATE_BYTES_MAX = 200 * 1024; // the router takes packets of 256 KiB
const UPDATE_DEPTH_MAX = 50; // and nests them 64 deep at most
const OUTBOX_UPDATES_MAX = 10_000;
const BUFFERED_BYTES_MAX = 512 * 1024; // what the browser may hold for a slow line

let streams = []; // {page, updates: [{number, at, data, since, bytes}], sent}: oldest first, ours is the last
let mine = null; // ours: also {last, isSpilled}
let allowance = UNDER_WAY_MAX; // what may be sent at once; grows by UPDATES_PER_S
let bytesAllowance = UNDER_WAY_BYTES_MAX; // the same in bytes; grows by BYTES_PER_S
let allowanceAt = ticks();
let underWayMax = UNDER_WAY_MAX;
let ackWithin_s = ACK_WITHIN_S;
let movedAt = ticks(); // when something was stored, or the first of it sent
let pumpTimer = null;
let adoptedAt = 0;
let hasSent = false; // anything at all, for this agent

const STREAM_KEYS = "crowdd:live:";
const agentKeys = (id) => `${STREAM_KEYS}${id}:`;
const updateKey = (page, number) => `${agentKeys(agent.id)}${page}:${number}`;
const waitingUpdates = () => streams.reduce((sum, { updates }) => sum + updates.length, 0);
const ackedOf = (stream) => (stream.updates.length ? stream.updates[0].number - 1 : stream.sent);
const underWayIn = (stream) => stream.updates.slice(0, stream.sent - ackedOf(stream));
const underWay = () => streams.reduce((sum, stream) => sum + stream.sent - ackedOf(stream), 0);
const bytesUnderWay = () => streams.flatMap(underWayIn).reduce((sum, { bytes }) => sum + bytes, 0);

/** What was sent would be lost if the page were closed now. */
const isOutboxAtRisk = () => Boolean(mine?.isSpilled && mine.updates.length);

/** A new agent: what earlier pages of it left, and an empty stream of ours. */
function openOutbox() {
  hasSent = false;
  mine = { page: uuid(), updates: [], sent: 0, last: 0, isSpilled: false };
  streams = [mine];
  adopt(0);
}

/** The agent is over, and with it whatever was not sent yet. */
function dropOutbox(id) {
  for (const key of store.keys()) if (key.startsWith(agentKeys(id))) store.drop(key);
  streams = [];
  mine = null;
  tellEmptied();
}

/** Takes over what other pages of this agent have left for so long. */
function adopt(afterS = ADOPT_AFTER_S) {
  adoptedAt = ticks();
  for (const [page, updates] of leftBehind()) {
    const known = streams.find((stream) => stream.page === page);
    if (afterS && Math.abs(Date.now() - updates[0].at) < afterS * 1000) continue;
    const last = known ? known.updates.at(-1)?.number ?? known.sent : updates[0].number - 1;
    const more = withoutGaps(updates.filter(({ number }) => number > last), last);
    hasSent ||= more.length > 0;
    if (known) known.updates.push(...more);
    else streams.splice(-1, 0, { page, updates: more, sent: last });
  }
}

/** What other pages keep: by page, oldest page first, each in order. */
function leftBehind() {
  const found = new Map();
  const prefix = agentKeys(agent.id);
  for (const key of store.keys().filter((name) => name.startsWith(prefix))) {
    const [page, number] = key.slice(prefix.length).split(":");
    const kept = page === mine.page ? null : store.get(key);
    if (!kept?.data) continue;
    if (!found.has(page)) found.set(page, []);
    found.get(page).push(entry(Number(number), kept.at, kept.data));
  }
  const ordered = [...found].map(([page, updates]) => [page, updates.sort((a, b) => a.number - b.number)]);
  return ordered.sort(([, a], [, b]) => a[0].at - b[0].at);
}

const entry = (number, at, data) => ({ number, at, data, since: ticks(), bytes: bytesOf(JSON.stringify(data)) });
const bytesOf = (written) => new Blob([written]).size;

/** The server takes no number before the one that comes before it. */
function withoutGaps(updates, last) {
  const end = updates.findIndex(({ number }, index) => number !== last + 1 + index);
  return end < 0 ? updates : updates.slice(0, end);
}

/** Keeps an update until the server has it; returns it as it will arrive. Throws for what could never arrive. */
function enqueue(data) {
  const clean = sendable(data);
  if (waitingUpdates() >= OUTBOX_UPDATES_MAX) throw new RangeError(`crowdd.send: ${OUTBOX_UPDATES_MAX} updates are waiting already`);
  const update = entry(++mine.last, Date.now(), { ...clean, update_id: uuid() });
  keepUpdate(update);
  if (!underWay()) movedAt = ticks();
  mine.updates.push(update);
  hasSent = true;
  pump();
  return update.data;
}

/** Once one could not be written down, none after it is: a later page would send a stream with a gap. */
function keepUpdate({ number, at, data }) {
  if (mine.isSpilled && mine.updates.length) return;
  const key = updateKey(mine.page, number);
  mine.isSpilled = !store.set(key, { at, data });
  if (mine.isSpilled) store.drop(key);
}

function sendable(data) {
  if (data === null || typeof data !== "object" || Array.isArray(data)) throw new TypeError("crowdd.send: an update is an object");
  const written = JSON.stringify(data);
  const bytes = bytesOf(written);
  if (bytes > UPDATE_BYTES_MAX) throw new RangeError(`crowdd.send: an update has at most ${UPDATE_BYTES_MAX} bytes, this one ${bytes}`);
  const clean = JSON.parse(written);
  if (depthOf(clean) > UPDATE_DEPTH_MAX) throw new RangeError(`crowdd.send: an update is nested ${UPDATE_DEPTH_MAX} deep at most`);
  return clean;
}

const depthOf = (value) => (value === null || typeof value !== "object" ? 0
  : 1 + Object.values(value).reduce((most, inner) => Math.max(most, depthOf(inner)), 0));

// ------------------------------------------------------------------ on the way

/** A new connection: whatever is not known to be stored goes again. */
function sendFromStart() {
  ackWithin_s = ACK_WITHIN_S;
  underWayMax = UNDER_WAY_MAX;
  adopt();
  goBack();
}

function goBack() {
  for (const stream of streams) stream.sent = ackedOf(stream);
  movedAt = ticks();
  pump();
}

/** Sends what may be sent now, and comes back for the rest. A stream waits until the ones before it are stored. */
function pump() {
  clearTimeout(pumpTimer);
  if (!isConnected() || isPaused) return;
  growAllowance();
  let room = underWayMax - underWay();
  let bytes = bytesUnderWay();
  for (const stream of streams) {
    for (const update of stream.updates.slice(stream.sent - ackedOf(stream))) {
      if (room <= 0 || (bytes && bytes + update.bytes > UNDER_WAY_BYTES_MAX)) return; // an acknowledgement brings us back
      if (allowance < 1 || bytesAllowance < update.bytes || socket.ws.bufferedAmount > BUFFERED_BYTES_MAX) {
        pumpTimer = setTimeout(pump, 100);
        return;
      }
      sendPacket("mephisto_bound_live_update", update.data, { page: stream.page, number: update.number });
      stream.sent = update.number;
      allowance--;
      room--;
      bytes += update.bytes;
      bytesAllowance -= update.bytes;
    }
    if (stream.updates.length) return;
  }
}

function growAllowance() {
  const passed_s = (ticks() - allowanceAt) / 1000;
  allowance = Math.min(UNDER_WAY_MAX, allowance + passed_s * UPDATES_PER_S);
  bytesAllowance = Math.min(UNDER_WAY_BYTES_MAX, bytesAllowance + passed_s * BYTES_PER_S);
  allowanceAt = ticks();
}

/** The server has stored this stream up to this number: for good, so it is forgotten here. */
function stored({ page, number }) {
  const stream = streams.find((other) => other.page === page);
  if (!stream || !(number > ackedOf(stream))) return;
  while (stream.updates.length && stream.updates[0].number <= number) {
    store.drop(updateKey(page, stream.updates.shift().number));
  }
  stream.sent = Math.max(stream.sent, number);
  streams = streams.filter((other) => other === mine || other.updates.length);
  movedAt = ticks();
  ackWithin_s = ACK_WITHIN_S;
  underWayMax = UNDER_WAY_MAX;
  pump();
  if (!waitingUpdates()) tellEmptied();
  showLink();
}

/** Once a second: what had no acknowledgement for too long goes again, and what other pages left comes along. */
function sendAgainIfDue() {
  if (!isConnected() || isPaused || !mine) return;
  if (ticks() - adoptedAt > ADOPT_AFTER_S * 1000) {
    adopt();
    pump();
  }
  if (socket.ws.bufferedAmount) movedAt = ticks(); // a slow line is still busy with what it has
  if (!underWay() || ticks() - movedAt < ackWithin_s * 1000) return;
  ackWithin_s = isFlushing ? ACK_WITHIN_S : Math.min(ACK_WITHIN_S_MAX, 2 * ackWithin_s);
  underWayMax = AGAIN_MAX;
  goBack();
}
