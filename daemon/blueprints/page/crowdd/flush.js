// Before an answer is saved: what was said before it goes first.

const FLUSH_S = 10; // then a worker may save without what does not get through

let emptied = []; // who waits for an empty outbox
let isFlushing = false; // an answer waits for it

function tellEmptied() {
  for (const resolve of emptied.splice(0)) resolve();
}

/**
 * Waits until the server has everything that was sent before, or the worker does not want to wait for it.
 * False when the agent is over meanwhile; the page has said so.
 */
async function flush() {
  if (mine) adopt(0);
  if (!waitingUpdates()) return true;
  const done = new Promise((resolve) => emptied.push(resolve));
  const lateAt = ticks() + FLUSH_S * 1000;
  isFlushing = true;
  pump();
  for (let isLate = null; waitingUpdates() && emptied.length; ) {
    if (isPaused) { // the service was stopped under us
      if (!(await rejoin())) break;
      isLate = null;
    }
    if (isLate !== ticks() > lateAt) sayFlushing(isLate = ticks() > lateAt);
    await Promise.race([done, sleep(250)]);
  }
  isFlushing = false;
  return !isPaused && canSave();
}

function sayFlushing(isLate) {
  if (!isLate) return say({ title: text("saving"), more: text("sending_rest"), tone: "busy" });
  const buttons = [[text("save_without"), tellEmptied]];
  return say({ title: text("not_saved"), more: text("sending_rest_late"), tone: "warn", buttons });
}

const canSave = () => [State.IN_TASK, State.ONBOARDING].includes(state);
