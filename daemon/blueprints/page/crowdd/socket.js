// The live socket: opened, watched, opened again. What goes over it is said in outbox.js, inbox.js and status.js.

const HEARTBEAT_S = 6;
const SILENT_S = 13; // two heartbeats without an answer: the line is dead, whatever the browser thinks
const PROBE_S = 3; // the same after something changed: the network is back, the page is looked at again
const OPENING_S = 8; // for a connection that neither opens nor fails
const STEADY_S = 5; // one that lasted so long is opened again at once; else there are pauses, ever longer
const RECONNECT_S_MAX = 5; // for a live task; a static one can wait
const REFUSED_FOR_NOW = 1013; // the close code of a router that has too much for us already

let socket = null; // {ws, startedAt, openedAt, heardAt, beatAt, probedAt}
let socketTries = 0;
let socketTimer = null; // until the next try
let lostAt = ticks(); // since when there is no open socket
let wanted = false; // by the present agent
let isLive = false; // by the task, for every agent: it talks with code on the server

const isConnected = () => socket?.ws.readyState === WebSocket.OPEN;

/** Opens the socket of the live agent. A static task works without it; it only learns of things later. */
function connect() {
  if (!wanted) lostAt = ticks();
  wanted = true;
  if (isLive) keepAwake();
  if (!socket && !socketTimer && agent) openSocket();
}

function openSocket() {
  clearTimeout(socketTimer);
  socketTimer = null;
  const url = address("");
  url.protocol = url.protocol.replace("http", "ws");
  const mine = { startedAt: ticks() };
  try {
    mine.ws = new WebSocket(url);
  } catch (error) { // no sockets in this browser, or forbidden: a static task goes on without
    console.warn(`crowdd: no socket: ${error}`);
    if (isLive) tryAgain();
    return;
  }
  socket = mine;
  mine.ws.onopen = () => { if (socket === mine) opened(); };
  mine.ws.onmessage = ({ data }) => { if (socket === mine) receive(JSON.parse(data)); };
  mine.ws.onclose = ({ code }) => { if (socket === mine) lost(code); };
}

function opened() {
  socket.openedAt = socket.heardAt = socket.beatAt = ticks();
  sayAlive();
  sendFromStart();
  showLink();
}

function lost(code) {
  const { openedAt } = socket;
  socket = null;
  if (openedAt) lostAt = ticks();
  if (ticks() - (openedAt ?? Infinity) >= STEADY_S * 1000) socketTries = 0;
  if (code === REFUSED_FOR_NOW) socketTries = Math.max(socketTries, 1);
  if (wanted) tryAgain();
  showLink();
}

/** The first try comes at once, but not of all pages in the same instant: the router may have just started. */
function tryAgain() {
  const most_s = isLive ? RECONNECT_S_MAX : RETRY_S_MAX;
  const pause_s = socketTries ? Math.min(most_s, 2 ** (socketTries - 1)) * (0.75 + Math.random() / 2) : Math.random() / 2;
  socketTries++;
  clearTimeout(socketTimer);
  socketTimer = setTimeout(() => (wanted && agent ? openSocket() : (socketTimer = null)), pause_s * 1000);
}

/** Gives up on this connection without waiting for the network's own opinion, and tries another. */
function reopen() {
  const old = socket;
  lost();
  old.ws.close();
}

function disconnect() {
  wanted = false;
  const old = socket;
  socket = null;
  clearTimeout(socketTimer);
  socketTimer = null;
  socketTries = 0;
  old?.ws.close();
  showLink();
}

function sendPacket(packet_type, data, more = {}) {
  if (!isConnected()) return false;
  socket.ws.send(JSON.stringify({ packet_type, subject_id: agent.id, ...more, data, client_timestamp: now_s() }));
  return true;
}

/** Says whose page this is, and up to which update it has everything. `here`: a person said so. */
function sayAlive(isHere = false) {
  return sendPacket("alive", { update_id: uuid(), crowdd: 1, seen, ...(isHere && { here: true }) });
}

function receive({ packet_type, subject_id, number, data }) {
  socket.heardAt = ticks();
  if (subject_id && subject_id !== agent?.id) return;
  if (packet_type === "update_status" || (packet_type === "heartbeat" && data?.status)) statusIs(data);
  if (packet_type === "client_bound_live_update") arrive(number ?? 0, data);
  if (packet_type === "ack") stored(data);
  if (packet_type === "roll_call") callRoll(data);
}

// ------------------------------------------------------------------ once a second

/** Everything that depends on time passing. May be called at any time, and late. */
function beat() {
  if (socket) watchSocket();
  sendAgainIfDue();
  reopenIfMissing();
  watchRollCall();
  showLink();
}

function watchSocket() {
  const now = ticks();
  const { ws, startedAt, heardAt, probedAt, beatAt } = socket;
  if (ws.readyState === WebSocket.CONNECTING && now - startedAt > OPENING_S * 1000) return reopen();
  if (ws.readyState !== WebSocket.OPEN) return;
  const isSilent = now - heardAt > SILENT_S * 1000 && beatAt - heardAt > HEARTBEAT_S * 1000;
  const isDead = probedAt > heardAt && now - probedAt > PROBE_S * 1000;
  if (isSilent || isDead) return reopen();
  if (now - beatAt >= HEARTBEAT_S * 1000) sayHeartbeat();
}

function sayHeartbeat() {
  socket.beatAt = ticks();
  sendPacket("heartbeat", { update_id: uuid() });
}

/** Something changed for the better: is the line still there? */
function wake() {
  if (!wanted || !agent) return;
  if (!socket) openSocket();
  else if (isConnected()) {
    sayHeartbeat();
    socket.probedAt = socket.beatAt;
  }
}

window.addEventListener("online", wake);
window.addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") wake(); });
window.addEventListener("offline", () => showLink());

setInterval(beat, 1000);

let waker = null;

/** Browsers let the timers of hidden pages sleep, and partners would take us for gone; a worker's go on. */
function keepAwake() {
  if (waker) return;
  const source = new Blob(["setInterval(() => postMessage(0), 1000)"], { type: "text/javascript" });
  try {
    waker = new Worker(URL.createObjectURL(source));
    waker.onmessage = beat;
    waker.onerror = (event) => event.preventDefault(); // the site forbids workers: the page's own timer has to do
  } catch {
    waker = {}; // the same, or a browser without
  }
}
