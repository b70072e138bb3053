// Events for the page's scripts.

const listeners = { unit: [], state: [], saved: [], update: [], sent: [] };

function emit(name, value) {
  for (const listener of [...listeners[name]]) tell(listener, name, value);
}

function tell(listener, name, value) {
  try {
    listener(value);
  } catch (error) {
    reportError({ message: `in a listener of "${name}": ${error}`, stack: error?.stack });
    console.error(error);
  }
}

/** Calls back on each event; who comes late for the present unit, state or talk hears of it. */
function on(name, listener) {
  if (!listeners[name]) throw new Error(`crowdd.on: there is no event "${name}"`);
  if (["update", "sent"].includes(name) && history.length) return tellPast(name, listener);
  listeners[name].push(listener);
  if (name === "unit" && agent?.shown) listener(unitEvent());
  if (name === "state") listener(state);
  return () => listeners[name].splice(listeners[name].indexOf(listener), 1);
}

/** The unit is on the page and may be worked on; also during a pause of the service. */
const isAtWork = () => !saving && (state === State.IN_TASK || (isPaused && Boolean(agent?.shown)));

const unitEvent = () => ({
  data: agent.data, agentId: agent.id, workerId: agent.workerId, kept: readDraft()?.kept, calls: agent.calls,
});

let latecomers = []; // [name, listener]

/** Who comes late for "update" and "sent" is told both in the order in which they happened, a moment later. */
function tellPast(name, listener) {
  latecomers.push([name, listener]);
  if (latecomers.length === 1) queueMicrotask(catchUpListeners);
  return () => {
    latecomers = latecomers.filter(([, other]) => other !== listener);
    listeners[name] = listeners[name].filter((other) => other !== listener);
  };
}

function catchUpListeners() {
  const present = latecomers;
  latecomers = [];
  for (const [event, update] of history) {
    for (const [name, listener] of present) if (name === event) tell(listener, name, update);
  }
  for (const [name, listener] of present) listeners[name].push(listener);
}
