// The unit on the page: which part is shown, and what is said, where things stand.

let parts = {};
let bindings = [];

function showUnit() {
  fill(agent.data);
  const form = formOf("task");
  form?.reset();
  agent.shown = true;
  setState(State.IN_TASK);
  const restored = form && restoreDraft(form);
  emit("unit", unitEvent());
  agent.isReady = true;
  showTask(restored ? text("draft_restored") : "");
  focusOn(parts.task);
  release();
}

function showTask(more) {
  setState(State.IN_TASK);
  lockForms(Boolean(saving));
  sayInTask(more);
}

function sayInTask(more = "", title = text("in_task"), tone = "calm") {
  say({ title, more, tone, buttons: giveBackButtons() });
}

function giveBackButtons() {
  if (config.give_back === false) return [];
  return [[text("give_back"), () => say({
    title: text("give_back_sure"), more: text("give_back_sure_more"), tone: "warn",
    buttons: [[text("give_back_no"), () => sayInTask()], [text("give_back_yes"), giveBack]],
  }), "quiet"]];
}

function showOnboarding() {
  setState(State.ONBOARDING);
  fill(agent.data);
  lockForms(false);
  agent.isReady = true;
  sayInOnboarding();
  focusOn(parts.onboarding);
}

/** A page without a form for it can still be gone through. */
function sayInOnboarding() {
  const done = [text("onboarding_done"), () => submitOnboarding({}).catch(() => {})];
  say({ title: text("onboarding"), tone: "calm", buttons: formOf("onboarding") ? [] : [done] });
}

function showWaiting() {
  setState(State.WAITING);
  stopTime(); // of the onboarding; waiting has a limit, and the words say it
  if (!isRollCalled()) sayWaiting();
  poll();
}

/** Whom the worker waits for, and how long that may take: what the server last said of it. */
function sayWaiting() {
  const { here, size, expected_s } = agent.waiting ?? {};
  const waiting = waitingWords();
  const minutes = Math.round(expected_s / 60);
  const title = expected_s == null ? waiting : text(minutes ? "waiting_about" : "waiting_soon", { waiting, minutes });
  const limit_min = Math.ceil((agent.dueAt - Date.now()) / 60_000);
  const more = [
    size > 2 ? text("waiting_here", { here, size }) : text("waiting_more"),
    agent.dueAt !== null && limit_min > 0 ? text("waiting_limit", { minutes: limit_min }) : "",
  ];
  say({ title, more: more.filter(Boolean).join(" "), tone: "busy" });
}

const waitingWords = () => text(agent.waiting?.size === 2 ? "waiting_for_one" : "waiting");

/** The others are gone; what the worker has counts, and may be saved. */
function partnerLeft(words) {
  setState(State.IN_TASK, "partner_left");
  const finish = [text("finish"), () => submit({}).catch(() => {})];
  const buttons = formOf("task") ? giveBackButtons() : [finish];
  const title = text("partner_left");
  const isNews = words && words.replace(/\.$/, "") !== title; // the server's own sentence says no more than ours
  say({ title, more: isNews ? words : text("partner_left_more"), tone: "warn", buttons });
}

function showPostTask() {
  setState(State.POST_TASK);
  fill(agent.data);
  lockForms(false);
  formOf("post-task")?.reset();
  say({ title: text("saved"), more: text("post_task_more"), tone: "good", buttons: nextButtons() });
  focusOn(parts["post-task"]);
}

function showFinal() {
  setState(State.COMPLETED);
  fill(agent.data);
  say({ title: text("saved"), more: text("saved_more"), tone: "good", buttons: nextButtons() });
  bar.buttons.querySelector("button")?.focus();
}

/** Where the provider gives one unit at a time (`next: false`), the post-task part may still be skipped. */
function nextButtons() {
  if (config.next !== false) return [[text("next"), next]];
  return state === State.POST_TASK ? [[text("finish"), leave]] : [];
}

/** The agent is over without an answer: given back, out of time, no longer needed. */
function ended(status, words, reason) {
  leaveAgent();
  setState(State.DISCONNECTED, reason);
  const known = text(`ended_${status}`);
  say({ title: text(`closed_${reason}`) || text("ended"), more: words || known || text("ended_more"), tone: "warn", buttons: nextButtons() });
}

/** The service said goodbye: the work stays on the page, which comes back by itself. */
function paused(words) {
  isPaused = true;
  setState(State.DISCONNECTED, "shutdown");
  say({ title: text("paused"), more: words || text("paused_more"), tone: "warn" });
  poll();
}
