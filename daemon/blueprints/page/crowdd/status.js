// What the daemon decided about our agent: told on the socket, or asked for quietly where no word may come.

/** What the daemon decided about our agent. What the page already shows is not news. */
function statusIs({ status, reason, text: words }) {
  const isPause = status === "disconnect" && (!reason || reason === "shutdown");
  if (isFlushing && isPause) isPaused = true; // the answer that waits there comes back to it
  if (saving || state === State.COMPLETED || state === State.POST_TASK) return;
  if (status === "in task" && (state === State.WAITING || isPaused)) hurry();
  else if (status === "waiting" && state === State.ONBOARDING) submitOnboarding({}).catch(() => {}); // the task's code has ended it
  else if (SAVED_STATUSES.includes(status)) finished({ status });
  else if (isPause) { if (!isPaused) paused(words); }
  else if (status === "partner disconnect" && agent.shown) { if (crowdd.reason !== "partner_left") partnerLeft(words); }
  else if (["disconnect", "timeout", "expired", "returned", "partner disconnect"].includes(status)) {
    if (state !== State.DISCONNECTED || isPaused) ended(status, words, reason);
  }
}

const isTimeOver = () => state === State.IN_TASK && agent.dueAt !== null && agent.dueAt < Date.now();
const needsNews = () => state === State.WAITING || isPaused || isTimeOver();
const wantsNews = () => !saving && needsNews();
let polling = false;
let stopPause = () => {}; // ends the pause before the next question
let isHurried = false; // there is something to ask about

/** While waiting, paused or out of time: asks quietly how things stand, in case no push arrives. */
async function poll() {
  if (polling) return;
  polling = true;
  for (let asked = 0; needsNews(); asked++) {
    if (!isHurried) await pauseBetween(asked);
    if (isHurried) asked = 0;
    isHurried = false;
    if (wantsNews()) await askQuietly();
  }
  polling = false;
}

function pauseBetween(asked) {
  const most_s = state === State.WAITING && isConnected() ? POLL_CONNECTED_S : POLL_S;
  const pause = new Promise((resolve) => { stopPause = resolve; });
  return Promise.race([pause, sleep(Math.min(most_s, 2 ** (asked + 1)) * 1000 * (0.75 + Math.random() / 2))]);
}

/** It goes on: the answer to a registration says with what, and for how long. */
function hurry() {
  isHurried = true;
  stopPause();
}

async function askQuietly() {
  const got = await ask("request_agent", registration());
  if (got.verdict === "later" || !wantsNews()) return;
  if (got.verdict === "refused") refuse(got);
  else if (state !== State.IN_TASK || got.told.finished || got.told.status !== "in task") take(got.told);
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

// Tells that nobody is looking any more. The unit stays the worker's.
window.addEventListener("pagehide", () => {
  const isHeld = [State.IN_TASK, State.WAITING, State.ONBOARDING].includes(state);
  if (agent && isHeld) navigator.sendBeacon?.(address("return_unit"), JSON.stringify(signed({ leaving: true })));
});
