// What the daemon decided about our agent: told on the socket, or asked for quietly where no word may come.

/** What the daemon decided about our agent. What the page already shows is not news. */
function statusIs({ status, reason, text: words }) {
  if (saving || state === State.COMPLETED || state === State.POST_TASK) return;
  if (status === "in task" && state === State.WAITING) showUnit();
  else if (status === "in task" && isPaused) rejoin();
  else if (SAVED_STATUSES.includes(status)) finished({ status });
  else if (status === "disconnect" && (!reason || reason === "shutdown")) { if (!isPaused) paused(words); }
  else if (["disconnect", "timeout", "expired", "returned", "partner disconnect"].includes(status)) {
    if (state !== State.DISCONNECTED || isPaused) ended(status, words, reason);
  }
}

const isTimeOver = () => state === State.IN_TASK && agent.dueAt !== null && agent.dueAt < Date.now();
const wantsNews = () => !saving && (state === State.WAITING || isPaused || isTimeOver());
let polling = false;

/** While waiting, paused or out of time: asks quietly how things stand, in case no push arrives. */
async function poll() {
  if (polling) return;
  polling = true;
  for (let asked = 0; state === State.WAITING || isPaused || isTimeOver(); asked++) {
    await sleep(Math.min(POLL_S, 2 ** (asked + 1)) * 1000 * (0.75 + Math.random() / 2));
    if (wantsNews()) await askQuietly();
  }
  polling = false;
}

async function askQuietly() {
  const got = await ask("request_agent", registration());
  if (got.verdict === "later" || !wantsNews()) return;
  if (got.verdict === "refused") refuse(got);
  else if (isPaused || got.told.finished || (got.told.status === "in task") !== (state === State.IN_TASK)) take(got.told);
}

/** Back to work after a pause. True when the agent is live again, false when it is over. */
async function rejoin() {
  for (let tries = 0; ; tries++) {
    const got = await ask("request_agent", registration());
    if (got.verdict === "refused") refuse(got);
    if (got.verdict === "ok") take(got.told);
    if (got.verdict !== "later") return state === State.IN_TASK || state === State.ONBOARDING;
    await countDown(pauseBefore(tries, got.retry_s), { title: text("paused"), more: text("paused_more"), tone: "warn" });
  }
}

window.addEventListener("online", () => wanted && connect());

// Tells that nobody is looking any more. The unit stays the worker's.
window.addEventListener("pagehide", () => {
  const isHeld = [State.IN_TASK, State.WAITING, State.ONBOARDING].includes(state);
  if (agent && isHeld) navigator.sendBeacon?.(address("return_unit"), JSON.stringify(signed({ leaving: true })));
});
