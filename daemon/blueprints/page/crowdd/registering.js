// Getting a unit: registration, refusal, and what the answer leads to.

let registering = 0; // counts up; an older loop that wakes up later sees it and ends

function registration() {
  const provider = typeof window.getAgentRegistration === "function" ? window.getAgentRegistration() : {};
  return {
    provider_data: { ...provider, ...(link && { link }), after: remembered().after || "" },
    client_timestamp: now_s(),
  };
}

/** Asks for this link's unit until there is a definite answer. Asking again gets the same unit. */
async function register() {
  const turn = ++registering;
  setState(State.CONNECTING);
  for (let tries = 0; ; tries++) {
    say({ title: text("connecting"), more: text("connecting_more"), tone: "busy" });
    const got = await ask("request_agent", registration());
    if (turn !== registering) return;
    if (got.verdict === "ok") return take(got.told);
    if (got.verdict === "refused") return refuse(got);
    setState(tries + 1 < FAILED_AFTER_TRIES ? State.CONNECTING : State.FAILED_TO_CONNECT);
    await countDown(pauseBefore(tries, got.retry_s), got.text
      ? { title: text(`busy_${got.told.reason}`) || text("busy"), more: got.text, tone: "warn" }
      : { title: text("unreachable"), more: text("unreachable_more"), tone: "warn" });
    if (turn !== registering) return;
  }
}

function refuse({ told, text: words }) {
  agent = null;
  isPaused = false;
  disconnect();
  setState(State.FAILED_TO_CONNECT, told.reason);
  say({
    title: text(`refused_${told.reason}`) || text("refused"),
    more: words || text("refused_more"),
    tone: ["max_for_task", "run_ended"].includes(told.reason) ? "good" : "warn",
    buttons: [[text("try_again"), register]],
  });
}

/** The server's answer to a registration: a unit to work on, or the one this link has finished. */
function take(told) {
  const isSame = agent?.id === told.agent_id && agent.shown;
  if (!isSame) {
    agent = { id: told.agent_id, data: told.init_task_data ?? {}, workerId: told.worker_id, shown: false };
  }
  agent.dueAt = told.time_left_s == null ? null : Date.now() + told.time_left_s * 1000;
  if (told.finished) return finished(told);
  isPaused = false;
  drainOutbox();
  if (config.socket !== false || isLive) connect();
  watchTime();
  if (isOnboarding(told.agent_id)) return showOnboarding();
  if (told.status === "waiting") return showWaiting();
  return isSame ? showTask(text("resumed")) : showUnit();
}

const isOnboarding = (id) => String(id).startsWith("onboarding_");

function finished(told) {
  disconnect();
  isPaused = false;
  store.drop(draftKey());
  if (!SAVED_STATUSES.includes(told.status ?? "completed")) return ended(told.status, told.failure_reason, told.reason);
  return remembered().postTask === agent.id && parts["post-task"] ? showPostTask() : showFinal();
}
