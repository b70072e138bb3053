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
  disconnect();
  isPaused = false;
  endRollCall();
  endCalls();
  agent = null; // what it has not sent stays in the browser, should it be let in again
  streams = [];
  mine = null;
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
  const isKnown = agent?.id === told.agent_id;
  const isSame = isKnown && agent.shown;
  if (!isSame) meet(told, isKnown);
  agent.dueAt = told.time_left_s == null ? null : Date.now() + told.time_left_s * 1000;
  agent.waiting = told.waiting;
  if (told.finished) return finished(told);
  isPaused = false;
  catchUp(told);
  announceLeft();
  drainReports();
  if (config.socket !== false || isLive) connect();
  pump();
  if (told.status !== "waiting") endRollCall();
  showTaken(told, isSame);
  release();
}

/** A new agent, or one that we were told of before it had its unit. */
function meet(told, isKnown) {
  if (!isKnown) leaveAgent();
  const init = told.init_task_data;
  const data = (isLiveData(init) ? init.task_data : init) ?? {};
  agent = { id: told.agent_id, data, workerId: told.worker_id, calls: pastCalls(init?.previous_requests), shown: false, isReady: false };
  if (isKnown) return;
  openInbox();
  openOutbox();
}

function showTaken({ agent_id, status, failure_reason }, isSame) {
  if (status === "waiting") return showWaiting();
  watchTime();
  if (isOnboarding(agent_id)) return showOnboarding();
  if (isSame) showTask(text("resumed"));
  else showUnit();
  if (status === "partner disconnect") partnerLeft(failure_reason);
}

/** The agent is over for this page: nothing more is sent, nobody more is asked. */
function leaveAgent() {
  disconnect();
  isPaused = false;
  endRollCall();
  endCalls();
  if (agent) dropOutbox(agent.id);
}

const isOnboarding = (id) => String(id).startsWith("onboarding_");

function finished(told) {
  leaveAgent();
  store.drop(draftKey());
  if (!SAVED_STATUSES.includes(told.status ?? "completed")) return ended(told.status, told.failure_reason, told.reason);
  return remembered().postTask === agent.id && parts["post-task"] ? showPostTask() : showFinal();
}
