// Notes what a live page says and is given, for the history checker. Runs before the page's own scripts, changes nothing.
// `notes` outlives reloads in the tab's sessionStorage. `noteSeen(update)` is for the page's script.

const notes = JSON.parse(sessionStorage.getItem("notes") ?? "[]");
const load = crypto.randomUUID();

function note(kind, facts) {
  notes.push({ kind, at: Date.now() / 1000, ...facts });
  sessionStorage.setItem("notes", JSON.stringify(notes));
}

const agentOfPage = () => window.crowdd?.agentId ?? window.mephisto?.agentId;

/** What the server sent has its number in its id ("17.4"); what an unchanged page is given back of its own has none. */
function noteSeen(update) {
  const number = Number(/^o?\d+\.(\d+)$/.exec(update.update_id)?.[1] ?? 0);
  if (number) note("saw", { agent: agentOfPage(), load, number, update });
}

/** crowdd.js writes down what it will send, calls of functions too, with its place in the stream. */
const setItem = Storage.prototype.setItem;
Storage.prototype.setItem = function (key, value) {
  const [, agent, page, number] = /^crowdd:live:(.+):([^:]+):(\d+)$/.exec(key) ?? [];
  if (agent) note("spoke", { agent, page, number: Number(number), update: JSON.parse(value).data });
  return setItem.call(this, key, value);
};

window.sockets = []; // of this page load
let sent = 0;

class WatchedSocket extends WebSocket {
  constructor(...address) {
    super(...address);
    window.sockets.push(this);
    this.addEventListener("message", ({ data: text }) => {
      const { packet_type, subject_id, data } = JSON.parse(text);
      if (packet_type === "ack") note("assured", { agent: subject_id || agentOfPage(), ...data });
    });
  }

  /** A page of mephisto-task keeps nothing: what it says, it says here. */
  send(text) {
    const { packet_type, subject_id, page, data } = JSON.parse(text);
    const isUnchanged = packet_type === "mephisto_bound_live_update" && !page;
    if (isUnchanged) note("spoke", { agent: subject_id, page: "", number: ++sent, update: data });
    super.send(text);
  }
}
window.WebSocket = WatchedSocket;

/** An answer, noted as it is asked for and as it ends. */
async function noteAnswer(answer, submit) {
  const call = crypto.randomUUID();
  note("invoke", { call, agent: agentOfPage(), answer });
  await submit(answer);
  note("ok", { call });
}
