// Events for the page's scripts.

const listeners = { unit: [], state: [], saved: [], update: [] };

function emit(name, value) {
  for (const listener of [...listeners[name]]) {
    try {
      listener(value);
    } catch (error) {
      reportError({ message: `in a listener of "${name}": ${error}`, stack: error?.stack });
      console.error(error);
    }
  }
}

/** Calls back on each event; who comes late for the present unit or state hears of it at once. */
function on(name, listener) {
  if (!listeners[name]) throw new Error(`crowdd.on: there is no event "${name}"`);
  listeners[name].push(listener);
  if (name === "unit" && agent?.shown) listener(unitEvent());
  if (name === "state") listener(state);
  return () => listeners[name].splice(listeners[name].indexOf(listener), 1);
}

/** The unit is on the page and may be worked on; also during a pause of the service. */
const isAtWork = () => !saving && (state === State.IN_TASK || (isPaused && Boolean(agent?.shown)));

const unitEvent = () => ({
  data: agent.data, agentId: agent.id, workerId: agent.workerId, kept: readDraft()?.kept,
});
