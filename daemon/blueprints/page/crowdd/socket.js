// The live socket: opened, kept, opened again.

let socket = null;
let socketTries = 0;
let missed = 0;
let wanted = false; // by the present agent
let isLive = false; // by the task, for every agent
const seen = new Set();
const unsent = [];

/** Opens the socket of the live agent. A static task works without it; it only learns of things later. */
function connect() {
  wanted = true;
  if (socket || !agent) return;
  const mine = openSocket();
  if (!mine) return;
  socket = mine;
  mine.onopen = () => {
    missed = 0;
    sendPacket("alive", {});
    unsent.splice(0).forEach((packet) => mine.send(JSON.stringify(packet)));
  };
  mine.onmessage = ({ data }) => { if (socket === mine) receive(JSON.parse(data)); };
  mine.onclose = () => {
    if (socket !== mine) return;
    socket = null;
    setTimeout(() => wanted && connect(), pauseBefore(socketTries++) * 1000);
  };
}

function openSocket() {
  const url = address("");
  url.protocol = url.protocol.replace("http", "ws");
  try {
    return new WebSocket(url);
  } catch (error) { // no sockets in this browser, or forbidden: a static task goes on without
    console.warn(`crowdd: no socket: ${error}`);
    return null;
  }
}

function disconnect() {
  wanted = false;
  const old = socket;
  socket = null;
  old?.close();
}

function packetOf(packet_type, data) {
  const update_id = uuid();
  return { packet_type, subject_id: agent.id, data: { ...data, update_id }, client_timestamp: now_s() };
}

function sendPacket(type, data) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(packetOf(type, data)));
}

/** A live update for the task's code on the server. In order; kept while the socket is away. */
function send(data) {
  const packet = packetOf("mephisto_bound_live_update", data);
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(packet));
  else unsent.push(packet);
}

setInterval(() => {
  if (socket?.readyState !== WebSocket.OPEN) return;
  if (++missed > HEARTBEATS_MISSED_MAX) socket.close();
  else sendPacket("heartbeat", {});
}, HEARTBEAT_S * 1000);

function receive({ packet_type, subject_id, data }) {
  socketTries = 0;
  missed = 0;
  if (subject_id && subject_id !== agent?.id) return;
  if (packet_type === "update_status" || (packet_type === "heartbeat" && data?.status)) statusIs(data);
  if (packet_type === "client_bound_live_update" && !seen.has(data.update_id)) {
    seen.add(data.update_id);
    emit("update", data);
  }
}
