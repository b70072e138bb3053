// What a worker does: pass the onboarding, submit, give back, go on.

/** Sends the onboarding. The answer is the first unit, or why there is none. */
function submitOnboarding(data) {
  if (saving) return saving;
  const id = agent.id;
  const body = { provider_data: { USED_AGENT_ID: id, onboarding_data: data }, client_timestamp: now_s() };
  saving = passOnboarding(id, body);
  return saving.finally(() => { saving = null; });
}

async function passOnboarding(id, body) {
  lockForms(true);
  if (!(await flush())) throw new Error(text("refused"));
  const got = await deliver("submit_onboarding", () => body, text("checking_onboarding"), text("not_saved"));
  lockForms(false);
  if (got.verdict === "ok") {
    saving = null; // what comes now is worked on
    take(got.told);
    if (state === State.IN_TASK) sayInTask(text("onboarding_passed"));
    return;
  }
  // Time was over, or it was given back: the page may begin anew with "Next".
  if (["timeout", "returned", "expired", "disconnect"].includes(got.told.status)) ended(got.told.status, got.text, got.told.reason);
  else refuse(got);
  throw new Error(got.text || text("refused"));
}

/** Sends the answer until it is safe. `files`: [[field, File], ...]. Rejects where the server refuses it. */
function submit(answer, files = []) {
  if (saving) return saving;
  if (state === State.ONBOARDING) return submitOnboarding(JSON.parse(JSON.stringify(answer)));
  if (!isAtWork()) return Promise.reject(new Error(`crowdd.submit: nothing to submit while ${state}`));
  const body = files.length ? null : signed({ final_data: JSON.parse(JSON.stringify(answer)) });
  saving = save(answer, () => body || upload(answer, files), files.length ? UPLOAD_WITHIN_S : SAVE_WITHIN_S);
  return saving.finally(() => { saving = null; });
}

function upload(answer, files) {
  const form = new FormData();
  for (const [key, value] of Object.entries(signed({ final_string_data: JSON.stringify(answer) }))) {
    form.append(key, value);
  }
  for (const [field, file] of files) form.append(field, file, file.name);
  return form;
}

async function save(answer, makeBody, within_s) {
  agent.answer = answer;
  lockForms(true);
  if (!(await flush())) throw new Error(text("refused_answer"));
  const got = await deliver("submit_task", makeBody, text("saving"), text("not_saved"), within_s);
  if (got.verdict === "ok") return saved();
  notSaved(got);
  throw new Error(got.text || text("refused_answer"));
}

function saved() {
  leaveAgent();
  store.drop(draftKey());
  emit("saved", agent.answer);
  if (!parts["post-task"]) return leave();
  remember({ postTask: agent.id });
  return showPostTask();
}

function notSaved({ verdict, code, told, text: words }) {
  if (verdict === "later") return; // the agent is over, and the page has said so
  const isOver = code === 404 || code === 409;
  if (!isOver) {
    lockForms(false);
    return sayInTask(words, text("refused_answer"), "bad");
  }
  if (!SAVED_STATUSES.includes(told.status) && told.reason !== "already_submitted") {
    return ended(told.status, words, told.reason);
  }
  leaveAgent();
  store.drop(draftKey());
  showFinal();
  return say({ title: text("saved"), more: words, tone: "good", buttons: nextButtons() });
}

async function submitPostTask(answers) {
  lockForms(true);
  const body = signed({ metadata: { post_task: answers } });
  const got = await deliver("submit_metadata", () => body, text("saving"), text("not_saved"));
  lockForms(false);
  if (got.verdict === "ok") leave();
  else if (got.verdict === "refused") say({ title: text("refused_answer"), more: got.text, tone: "bad", buttons: nextButtons() });
}

/** Everything of this unit is safe: the provider's page may take over, else "Next". */
function leave() {
  remember({ postTask: null });
  showFinal();
  if (typeof window.handleSubmitToProvider === "function") window.handleSubmitToProvider(agent.answer ?? {});
}

/** Gives the unit back; somebody else gets it. */
async function giveBack() {
  if (![State.IN_TASK, State.WAITING].includes(state) || saving) return;
  lockForms(true);
  const body = signed({});
  const got = await deliver("return_unit", () => body, text("giving_back"), text("not_given_back"));
  store.drop(draftKey());
  if (got.verdict === "ok") ended("returned", "", "returned");
  else notSaved(got);
}

/** The next unit of this link. */
function next() {
  if (![State.COMPLETED, State.POST_TASK, State.DISCONNECTED].includes(state) || !agent) return;
  remember({ after: agent.id, postTask: null });
  register();
}
