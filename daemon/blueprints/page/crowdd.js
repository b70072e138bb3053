/* crowdd.js: everything a worker's page needs, in one file without dependencies.
 *
 *   <script src="crowdd.js"></script>            in the head of index.html; nothing to build
 *
 * A task is ordinary HTML. Parts are marked by an attribute, each is optional:
 *   data-crowdd="preview"    seen by visitors without a worker's link; nothing is registered
 *   data-crowdd="consent"    asked once, before anything is registered
 *   data-crowdd="onboarding" a form for the onboarding, where the task has one
 *   data-crowdd="waiting"    while partners are awaited
 *   data-crowdd="task"       the work: a form whose fields are the answer (default: the whole body)
 *   data-crowdd="post-task"  a form asked after the answer is safe; its fields are kept as metadata
 *   data-crowdd="final"      when all is saved
 * ${name} in texts and attributes is replaced by the unit's data; ${a.b} looks inside. An attribute
 * data-fill-src="${url}" fills src, without the browser asking for "${url}" first.
 * Buttons: data-crowdd-action="agree" | "next" | "give-back".
 *
 * For scripts of the page:
 *   crowdd.on("unit", ({data, agentId, workerId, kept}) => ...)   each unit, also the ones after "Next"
 *   crowdd.on("state", (state) => ...)    crowdd.on("saved", (answer) => ...)    crowdd.on("update", (data) => ...)
 *   crowdd.submit(answer, files?)   resolves when the answer is safe (during the onboarding: passed)      crowdd.giveBack()   crowdd.next()
 *   crowdd.log(data)   crowdd.metadata(data)   at any time, sent again until the server has it
 *   crowdd.keep(data)  remembered with the draft, handed back as `kept` after a reload
 *   crowdd.connect()   the live socket;  crowdd.send(data) speaks to the task's code on the server
 *   crowdd.state, crowdd.agentId, crowdd.data, crowdd.config, crowdd.preview
 */
(() => {
  "use strict";

  /** Where the page stands: one of these, nothing else. */
  const State = Object.freeze({
    CONNECTING: "connecting",
    ONBOARDING: "onboarding",
    WAITING: "waiting",
    IN_TASK: "in task",
    COMPLETED: "completed",
    POST_TASK: "post-task",
    DISCONNECTED: "disconnected",
    FAILED_TO_CONNECT: "failed to connect",
  });

  /** What the page says; a task changes any of it in `texts` of its task_config. */
  const TEXTS = {
    connecting: "Connecting",
    connecting_more: "One moment, please.",
    busy: "Please wait a moment",
    busy_paused: "This task is pausing",
    unreachable: "No connection",
    unreachable_more: "The server cannot be reached at the moment.",
    retry: "Trying again in {seconds} s",
    try_now: "Try now",
    refused: "You cannot start right now",
    refused_no_available_units: "Nothing to do right now",
    refused_no_match: "Nothing to do right now",
    refused_max_for_task: "You have done your part",
    refused_run_ended: "This task has ended",
    refused_identity_unverified: "This link does not work",
    refused_more: "The server gave no reason.",
    no_mobile: "This task does not work on phones and tablets. Please open your link on a computer.",
    try_again: "Try again",
    preview: "Preview",
    preview_more: "Open your personal link to start working.",
    consent: "Before you start",
    agree: "I agree, let me start",
    onboarding: "First a short introduction",
    onboarding_done: "I have read it",
    checking_onboarding: "Checking …",
    onboarding_passed: "You passed the introduction",
    waiting: "Waiting for your partners",
    waiting_more: "The task starts as soon as everybody is here.",
    in_task: "In progress",
    draft_kept: "Draft kept",
    draft_not_kept: "This browser has no room for a draft: save before you leave this page.",
    draft_restored: "Your draft is back",
    choose_changed: "{file} was changed or moved after you chose it. Please choose it again.",
    choose_again: "A draft cannot hold files. Please choose again: {files}",
    file_note: "A chosen file is sent when you save; it is not part of the draft.",
    save: "Save",
    saving: "Saving …",
    not_saved: "Not saved yet",
    not_saved_more: "What you entered is kept on this page.",
    refused_answer: "This could not be saved",
    saved: "Saved",
    saved_more: "Thank you, your answer is safe.",
    post_task_more: "Your answer is safe. One more question, if you like:",
    next: "Next",
    finish: "Finish",
    time_left: "{time} left",
    time_warning: "Only {time} left",
    time_warning_more: "Please save your answer in time.",
    time_over: "The time is over",
    time_over_more: "Save at once if you can: this unit may go to somebody else.",
    give_back: "Give back",
    give_back_sure: "Give this unit back?",
    give_back_sure_more: "Somebody else gets it; what you entered here is dropped.",
    give_back_yes: "Yes, give back",
    give_back_no: "No, go on",
    giving_back: "Giving it back …",
    not_given_back: "Not given back yet",
    ended: "This unit is closed",
    ended_more: "You can go on with another one.",
    ended_returned: "You gave this unit back.",
    ended_timeout: "The time for this unit is over; it was given back.",
    ended_expired: "This unit is no longer needed.",
    paused: "Paused",
    paused_more: "Your work is kept. This page goes on by itself as soon as the service is back.",
    resumed: "You can go on",
  };

  const SAVED_STATUSES = ["completed", "approved", "soft_rejected", "rejected"];
  const RETRY_S_MAX = 30; // the longest pause between two tries
  const FAILED_AFTER_TRIES = 5; // from then on the state says so; trying goes on
  const ANSWER_WITHIN_S = 45; // the server answers, or says "later", within 30
  const SAVE_WITHIN_S = 90; // a submission may be held for 60
  const UPLOAD_WITHIN_S = 900; // big files over slow lines
  const POLL_S = 10; // how often a waiting or paused page asks when it has no socket
  const HEARTBEAT_S = 6;
  const HEARTBEATS_MISSED_MAX = 5;
  const DRAFT_DAYS_MAX = 30;
  const OUTBOX_MAX = 500; // log lines kept for sending; beyond, the oldest goes
  const ERRORS_MAX = 5; // error reports per page load

  // ------------------------------------------------------------------ what the page remembers

  let config = {};
  let state = State.CONNECTING;
  let agent = null; // {id, data, workerId, dueAt, shown, answer}
  let isPreview = false;
  let isPaused = false; // the service said goodbye and will be back
  let saving = null; // the promise of the submission under way

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const query = new URLSearchParams(location.search);
  const link = query.get("link") || "";
  const uuid = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`);
  const now_s = () => Date.now() / 1000;

  /** localStorage, or null where the browser forbids it. */
  const shelf = (() => {
    try {
      return window.localStorage;
    } catch {
      return null;
    }
  })();
  const memory = new Map(); // what the browser does not take: it is forbidden, or full

  const store = {
    get(key) {
      try {
        return JSON.parse(memory.get(key) ?? shelf.getItem(key));
      } catch { // written by something else
        return null;
      }
    },
    /** True if it survives a reload; else it is remembered until then. */
    set(key, value) {
      const written = JSON.stringify(value);
      try {
        shelf.setItem(key, written);
        memory.delete(key);
        return true;
      } catch {
        memory.set(key, written);
        return false;
      }
    },
    drop(key) {
      memory.delete(key);
      shelf?.removeItem(key);
    },
    keys: () => Object.keys(shelf ?? {}),
  };

  /** A short name for a text. Links are secrets: what is kept in the browser names them by this only. */
  function shortHash(text) {
    let a = 0xdeadbeef, b = 0x41c6ce57;
    for (const char of text) {
      a = Math.imul(a ^ char.codePointAt(0), 2654435761);
      b = Math.imul(b ^ char.codePointAt(0), 1597334677);
    }
    return (a >>> 0).toString(36) + (b >>> 0).toString(36);
  }

  /** What is remembered per link: `after` (the agent finished before this one), open post-task part, consent. */
  const linkKey = () => `crowdd:link:${address("").pathname}:${shortHash(link || location.search)}`;
  const remembered = () => store.get(linkKey()) || {};
  const remember = (facts) => store.set(linkKey(), { ...remembered(), ...facts });

  // ------------------------------------------------------------------ events for the page's scripts

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

  // ------------------------------------------------------------------ talking to the server

  /** An address beside the page: the same under a host of its own and under /run/<label>/. */
  function address(path) {
    const url = new URL(path || ".", document.baseURI.split(/[?#]/)[0]);
    let more = window.getProviderURLParams;
    if (typeof more === "function") more = more();
    for (const [key, value] of Object.entries(more || {})) url.searchParams.set(key, value);
    return url;
  }

  /** What only our server answers, and no hotel's log-in page. */
  const PROOFS = {
    request_agent: (told) => "agent_id" in told,
    submit_onboarding: (told) => "agent_id" in told,
    submit_task: (told) => told.status === "Submitted!",
    submit_metadata: (told) => told.status === "Submitted metadata",
    return_unit: (told) => told.status === "Returned",
    log_error: () => true,
  };

  /** POSTs and judges the answer; never throws. `later`: the same again may succeed; `refused`: it will not. */
  async function ask(path, body, within_s = ANSWER_WITHIN_S) {
    const headers = { "X-Crowdd-Client": "1" };
    if (!(body instanceof FormData)) {
      body = JSON.stringify(body);
      headers["Content-Type"] = "application/json";
    }
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), within_s * 1000);
    try {
      const response = await fetch(address(path), {
        method: "POST", headers, body, cache: "no-store", redirect: "error", signal: abort.signal,
        keepalive: typeof body === "string" && body.length < 30000, // small ones survive leaving the page
      });
      return judge(path, response, await response.json().catch(() => null));
    } catch {
      const gone = body instanceof FormData && await unreadable(body);
      if (gone) return { verdict: "refused", told: {}, text: text("choose_changed", { file: gone.name }) };
      return { verdict: "later", told: {} };
    } finally {
      clearTimeout(timer);
    }
  }

  /** A file that was changed or removed after it was chosen: no browser ever sends it. */
  async function unreadable(form) {
    for (const file of form.values()) {
      if (!(file instanceof File)) continue;
      try {
        await file.stream().getReader().read();
      } catch {
        return file;
      }
    }
    return null;
  }

  function judge(path, response, answer) {
    const told = { ...answer, ...(answer?.data && typeof answer.data === "object" ? answer.data : {}) };
    const text = [told.failure_reason, told.text, told.error, told.message].find((t) => t && typeof t === "string");
    const retry_s = Number(response.headers.get("Retry-After") ?? told.retry_after_s ?? NaN);
    const result = { code: response.status, told, text, retry_s };
    if (response.ok && !PROOFS[path](told)) return { verdict: "later", told: {} };
    if (response.ok && told.agent_id === null && !told.finished) {
      return { ...result, verdict: told.retry_after_s != null ? "later" : "refused" };
    }
    if (response.ok) return { ...result, verdict: "ok" };
    const passing = response.status >= 500 || [408, 425, 429].includes(response.status);
    return { ...result, verdict: passing ? "later" : "refused" };
  }

  function pauseBefore(tries, retry_s) {
    if (retry_s >= 0) return Math.max(1, Math.ceil(retry_s));
    return Math.max(1, Math.round(Math.min(RETRY_S_MAX, 2 ** tries) * (0.75 + Math.random() / 2)));
  }

  /** Waits with a countdown that everybody sees; "Try now" and a returning network cut it short. */
  async function countDown(seconds, words) {
    let stop;
    let isCut = false;
    const cut = new Promise((resolve) => { stop = resolve; }).then(() => { isCut = true; });
    window.addEventListener("online", stop);
    say({ ...words, buttons: [[text("try_now"), stop]] });
    const mine = said;
    const end = Date.now() + seconds * 1000;
    while (!isCut && Date.now() < end) {
      // Something newer may have been said meanwhile; the countdown is then no longer ours to show.
      if (said === mine) bar.count.textContent = text("retry", { seconds: Math.ceil((end - Date.now()) / 1000) });
      await Promise.race([cut, sleep(100)]);
    }
    window.removeEventListener("online", stop);
  }

  /** Says the same thing until the server has it or refuses it; people see what is going on. */
  async function deliver(path, makeBody, doing, undone, within_s) {
    for (let tries = 0; ; tries++) {
      say({ title: doing, tone: "busy" });
      const got = await ask(path, makeBody(), within_s);
      if (got.verdict !== "later") return got;
      const more = `${got.text || text("unreachable_more")} ${text("not_saved_more")}`;
      await countDown(pauseBefore(tries, got.retry_s), { title: undone, more, tone: "warn" });
      // The service was stopped under us: the agent has to come back before it may go on.
      if (got.told.reason === "shutdown" && !(await rejoin())) return got;
    }
  }

  const signed = (body) => ({ USED_AGENT_ID: agent?.id ?? null, ...body, client_timestamp: now_s() });

  // ------------------------------------------------------------------ getting a unit

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

  // ------------------------------------------------------------------ the unit on the page

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
    showTask(restored ? text("draft_restored") : "");
    focusOn(parts.task);
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
    say({ title: text("waiting"), more: text("waiting_more"), tone: "busy" });
    poll();
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
    disconnect();
    isPaused = false;
    setState(State.DISCONNECTED, reason);
    const known = text(`ended_${status}`);
    say({ title: text("ended"), more: words || known || text("ended_more"), tone: "warn", buttons: nextButtons() });
  }

  /** The service said goodbye: the work stays on the page, which comes back by itself. */
  function paused(words) {
    isPaused = true;
    setState(State.DISCONNECTED, "shutdown");
    say({ title: text("paused"), more: words || text("paused_more"), tone: "warn" });
    poll();
  }

  // ------------------------------------------------------------------ what a worker does

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
    const got = await deliver("submit_task", makeBody, text("saving"), text("not_saved"), within_s);
    if (got.verdict === "ok") return saved();
    notSaved(got);
    throw new Error(got.text || text("refused_answer"));
  }

  function saved() {
    disconnect();
    isPaused = false;
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
    disconnect();
    isPaused = false;
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

  // ------------------------------------------------------------------ log, metadata, errors

  const outboxKey = () => `${linkKey()}:outbox`;
  let draining = false;

  /** Told beside the answer; sent again, also after a reload, until the server has it. */
  function metadata(data) {
    if (isPreview) return;
    const waiting = store.get(outboxKey()) || [];
    waiting.push({ id: uuid(), ...signed({ metadata: data }) });
    store.set(outboxKey(), waiting.slice(-OUTBOX_MAX));
    drainOutbox();
  }

  let lines = 0;
  const log = (data) => metadata({ log: { n: ++lines, at: Date.now(), data } });

  async function drainOutbox() {
    if (draining || !agent) return;
    draining = true;
    for (let tries = 0, entry; agent && (entry = store.get(outboxKey())?.[0]); ) {
      const { id, ...body } = { ...entry, USED_AGENT_ID: entry.USED_AGENT_ID ?? agent.id };
      const got = await ask("submit_metadata", body);
      if (got.verdict === "later") {
        await sleep(pauseBefore(tries++, got.retry_s) * 1000);
      } else { // safe, or refused for good
        tries = 0;
        store.set(outboxKey(), (store.get(outboxKey()) || []).filter((other) => other.id !== id));
      }
    }
    draining = false;
  }

  const reported = new Set();

  function reportError({ message, source, line, column, stack }) {
    if (reported.has(message) || reported.size >= ERRORS_MAX || isPreview) return;
    reported.add(message);
    const clean = (words, most) => String(words ?? "").replaceAll(link || "\0", "...").slice(0, most); // links are secrets
    const error_data = {
      error_type: "page-error", message: clean(message, 500), source: clean(source, 500), line, column,
      stack: clean(stack, 4000), page: location.pathname, state, browser: navigator.userAgent,
    };
    ask("log_error", signed({ error_data }));
  }

  window.addEventListener("error", (event) => {
    if (!event.message) return; // an image that did not load is no error of the page
    const { message, filename, lineno, colno, error } = event;
    reportError({ message, source: filename, line: lineno, column: colno, stack: error?.stack });
  });
  window.addEventListener("unhandledrejection", ({ reason }) => {
    reportError({ message: `unhandled: ${reason?.message ?? reason}`, stack: reason?.stack });
  });

  // ------------------------------------------------------------------ status pushes and live updates

  let socket = null;
  let socketTries = 0;
  let missed = 0;
  let wanted = false; // by the present agent
  let isLive = false; // by the task, for every agent
  const seen = new Set();
  const unsent = [];

  /** Opens the socket of the live agent. A static task works without it; it only learns of things later. */
  function connect() {
    wanted = true;
    if (socket || !agent) return;
    const mine = openSocket();
    if (!mine) return;
    socket = mine;
    mine.onopen = () => {
      missed = 0;
      sendPacket("alive", {});
      unsent.splice(0).forEach((packet) => mine.send(JSON.stringify(packet)));
    };
    mine.onmessage = ({ data }) => { if (socket === mine) receive(JSON.parse(data)); };
    mine.onclose = () => {
      if (socket !== mine) return;
      socket = null;
      setTimeout(() => wanted && connect(), pauseBefore(socketTries++) * 1000);
    };
  }

  function openSocket() {
    const url = address("");
    url.protocol = url.protocol.replace("http", "ws");
    try {
      return new WebSocket(url);
    } catch (error) { // no sockets in this browser, or forbidden: a static task goes on without
      console.warn(`crowdd: no socket: ${error}`);
      return null;
    }
  }

  function disconnect() {
    wanted = false;
    const old = socket;
    socket = null;
    old?.close();
  }

  function packetOf(packet_type, data) {
    const update_id = uuid();
    return { packet_type, subject_id: agent.id, data: { ...data, update_id }, client_timestamp: now_s() };
  }

  function sendPacket(type, data) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(packetOf(type, data)));
  }

  /** A live update for the task's code on the server. In order; kept while the socket is away. */
  function send(data) {
    const packet = packetOf("mephisto_bound_live_update", data);
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(packet));
    else unsent.push(packet);
  }

  setInterval(() => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (++missed > HEARTBEATS_MISSED_MAX) socket.close();
    else sendPacket("heartbeat", {});
  }, HEARTBEAT_S * 1000);

  function receive({ packet_type, subject_id, data }) {
    socketTries = 0;
    missed = 0;
    if (subject_id && subject_id !== agent?.id) return;
    if (packet_type === "update_status" || (packet_type === "heartbeat" && data?.status)) statusIs(data);
    if (packet_type === "client_bound_live_update" && !seen.has(data.update_id)) {
      seen.add(data.update_id);
      emit("update", data);
    }
  }

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

  // ------------------------------------------------------------------ time

  let timeTimer = null;
  let warned = false;

  function watchTime() {
    clearInterval(timeTimer);
    warned = false;
    const warnAt_ms = Math.min(120_000, Math.max(30_000, (agent.dueAt - Date.now()) / 4));
    bar.time.textContent = "";
    bar.time.removeAttribute("data-late");
    if (agent.dueAt === null) return;
    bar.time.textContent = text("time_left", { time: clock(agent.dueAt - Date.now()) });
    timeTimer = setInterval(() => tick(warnAt_ms), 500);
  }

  function stopTime() {
    clearInterval(timeTimer);
    bar.time.textContent = "";
  }

  function tick(warnAt_ms) {
    const left_ms = agent.dueAt - Date.now();
    bar.time.textContent = text("time_left", { time: clock(left_ms) });
    if (left_ms <= warnAt_ms && !warned && !saving) {
      warned = true;
      bar.time.setAttribute("data-late", "");
      sayInTask(text("time_warning_more"), text("time_warning", { time: clock(left_ms) }), "warn");
    }
    if (left_ms <= 0) timeIsOver();
  }

  function timeIsOver() {
    clearInterval(timeTimer);
    if (saving) return;
    sayInTask(text("time_over_more"), text("time_over"), "bad");
    poll();
  }

  function clock(ms) {
    const s = Math.max(0, Math.ceil(ms / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(s / 3600);
    return (hours ? `${hours}:${two(Math.floor(s / 60) % 60)}` : `${Math.floor(s / 60)}`) + `:${two(s % 60)}`;
  }

  // ------------------------------------------------------------------ filling in ${name}

  const PLACEHOLDER = /\$\{\s*([\w.-]+)\s*\}/g;
  const NEVER_FILLED = /^on|^srcdoc$/i; // data must not become code
  const ADDRESSES = ["href", "xlink:href", "src", "action", "formaction", "data", "poster"];
  const MEDIA = ["IMG", "AUDIO", "VIDEO", "SOURCE", "TRACK", "image"];

  /** Finds every placeholder once, so that each unit fills the same nodes and listeners stay. */
  function findBindings(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
      (["SCRIPT", "STYLE", "TEMPLATE"].includes(node.nodeName) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE && node.data.includes("${")) bindings.push({ node, template: node.data });
      for (const { name, value } of node.attributes || []) {
        if (value.includes("${") && !NEVER_FILLED.test(name.replace(/^data-fill-/, ""))) {
          bindings.push({ node, name: name.replace(/^data-fill-/, ""), template: value });
        }
      }
    }
  }

  function fill(data) {
    const values = { ...data, mephisto_agent_id: agent?.id, provider_worker_id: agent?.workerId };
    for (const { node, name, template } of bindings) {
      const filled = template.replace(PLACEHOLDER, (_, path) => show(lookUp(values, path)));
      if (name === undefined) node.data = filled;
      else if (ADDRESSES.includes(name) && !isSafeAddress(node, filled)) node.removeAttribute(name);
      else node.setAttribute(name, filled);
    }
  }

  const lookUp = (values, path) => (Object.hasOwn(values, path) ? values[path]
    : path.split(".").reduce((value, key) => (value != null && Object.hasOwn(Object(value), key) ? value[key] : undefined), values));
  const show = (value) => (value == null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

  /** Data may name a picture or a page, but not a script. */
  function isSafeAddress(node, value) {
    let scheme = "";
    try {
      scheme = new URL(value, document.baseURI).protocol;
    } catch { /* no address at all */ }
    return ["http:", "https:", "mailto:", "tel:", "blob:"].includes(scheme)
      || (scheme === "data:" && MEDIA.includes(node.nodeName));
  }

  // ------------------------------------------------------------------ forms and drafts

  const formOf = (name) => (parts[name]?.matches("form") ? parts[name] : parts[name]?.querySelector("form"));
  const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.type !== "submit" && field.type !== "button");

  /** The answer of a form: text as text, numbers as numbers, one box as yes or no, several as a list. */
  function collect(form, submitter) {
    const answer = {}, files = [];
    for (const field of fieldsOf(form)) {
      if (field.disabled || field.tagName === "FIELDSET" || field.tagName === "OUTPUT") continue;
      const { name, type } = field;
      if (type === "file") {
        const names = [...field.files].map((file) => file.name);
        for (const file of field.files) files.push([name, file]);
        answer[name] = field.multiple ? names : names[0] ?? null;
      } else if (type === "checkbox" && isGroup(form, field)) {
        answer[name] = [...(answer[name] || []), ...(field.checked ? [field.value] : [])];
      } else if (type === "checkbox") {
        answer[name] = field.checked;
      } else if (type === "radio") {
        answer[name] = field.checked ? field.value : answer[name] ?? null;
      } else if (type === "select-multiple") {
        answer[name] = [...field.selectedOptions].map((option) => option.value);
      } else if (type === "number" || type === "range") {
        answer[name] = field.value === "" ? null : field.valueAsNumber;
      } else {
        answer[name] = field.value;
      }
    }
    if (submitter?.name) answer[submitter.name] = submitter.value;
    return { answer, files };
  }

  const isGroup = (form, box) => fieldsOf(form).filter((field) => field.name === box.name).length > 1;

  const draftKey = () => `crowdd:draft:${agent?.id}`;
  const readDraft = () => store.get(draftKey());
  const isToggle = (field) => field.type === "checkbox" || field.type === "radio";

  let isDraftSafe = true; // against a reload

  function writeDraft(facts) {
    isDraftSafe = store.set(draftKey(), { ...readDraft(), ...facts, at: Date.now() });
  }

  function keep(data) {
    if (agent?.shown) writeDraft({ kept: data });
  }

  /** Everything typed and chosen so far, but for files and passwords. */
  function keepForm(form) {
    const fields = {}, files = [];
    for (const field of fieldsOf(form)) {
      if (field.type === "file") files.push(...[...field.files].map((file) => file.name));
      else if (field.type !== "password") (fields[field.name] ??= []).push(valueOf(field));
    }
    writeDraft({ fields, files });
  }

  function valueOf(field) {
    if (isToggle(field)) return field.checked;
    return field.type === "select-multiple" ? [...field.selectedOptions].map((option) => option.value) : field.value;
  }

  function restoreDraft(form) {
    const draft = readDraft();
    noteFiles(form);
    if (!draft?.fields) return false;
    const left = structuredClone(draft.fields);
    for (const field of fieldsOf(form)) {
      if (field.type === "file" || field.type === "password" || !left[field.name]?.length) continue;
      const value = left[field.name].shift();
      if (isToggle(field)) field.checked = value;
      else if (field.type === "select-multiple") for (const o of field.options) o.selected = value.includes(o.value);
      else field.value = value;
    }
    if (draft.files?.length) noteFiles(form, text("choose_again", { files: draft.files.join(", ") }));
    return true;
  }

  /** Under each file field: that drafts hold no files, or which one to choose again. */
  function noteFiles(form, words) {
    for (const field of form.querySelectorAll("input[type=file]")) {
      let note = document.getElementById(field.getAttribute("aria-describedby") || "");
      if (!note?.matches(".crowdd-note")) {
        note = Object.assign(document.createElement("small"), { className: "crowdd-note", id: `crowdd-note-${uuid()}` });
        field.after(note);
        field.setAttribute("aria-describedby", note.id);
      }
      note.textContent = words || text("file_note");
    }
  }

  function dropOldDrafts() {
    for (const key of store.keys().filter((name) => name.startsWith("crowdd:draft:"))) {
      if (!(store.get(key)?.at > Date.now() - DRAFT_DAYS_MAX * 86400_000)) store.drop(key);
    }
  }

  function lockForms(isLocked) {
    for (const name of ["task", "post-task", "onboarding"]) {
      parts[name]?.toggleAttribute("inert", isLocked);
      parts[name]?.setAttribute("aria-busy", String(isLocked));
    }
  }

  function listenToForms() {
    const task = formOf("task");
    let timer = 0; // runs while something was entered that the draft does not hold yet
    const keepNow = () => {
      if (timer && isAtWork()) keepForm(task);
      clearTimeout(timer);
      timer = 0;
    };
    const changed = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        keepNow();
        if (isAtWork() && bar.root.dataset.tone === "calm") sayInTask(isDraftSafe ? "" : text("draft_not_kept"), isDraftSafe ? text("draft_kept") : undefined);
      }, 250);
    };
    task?.addEventListener("input", changed);
    task?.addEventListener("change", changed);
    window.addEventListener("pagehide", keepNow);
    onSubmit("task", ({ answer, files }) => {
      keepNow();
      submit(answer, files).catch(() => {}); // the page has said why
    });
    onSubmit("post-task", ({ answer }) => submitPostTask(answer));
    onSubmit("onboarding", ({ answer }) => submitOnboarding(answer).catch(() => {})); // the page has said why
    if (task) noteFiles(task);
  }

  function onSubmit(name, handle) {
    formOf(name)?.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return; // the page's own script took it
      event.preventDefault();
      handle(collect(event.target, event.submitter));
    });
  }

  window.addEventListener("beforeunload", (event) => { if (saving) event.preventDefault(); });

  // ------------------------------------------------------------------ what people see

  const bar = {};
  let said = 0; // counts what was said
  let isFocusOurs = false; // people at the keyboard stay on the line's buttons, also while there are none

  function text(key, values = {}) {
    const words = config.texts?.[key] ?? TEXTS[key] ?? "";
    return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** One line (or, where nothing else is on the page, one card) that says how things stand and what can be done. */
  function say({ title, more = "", tone = "calm", buttons = [] }) {
    said++;
    bar.root.dataset.tone = tone;
    bar.title.textContent = title || "";
    bar.more.textContent = more || "";
    bar.root.toggleAttribute("data-long", bar.more.textContent.length > 30);
    bar.count.textContent = "";
    if (bar.buttons.contains(document.activeElement)) isFocusOurs = true;
    else if (document.activeElement !== document.body) isFocusOurs = false;
    bar.buttons.replaceChildren(...buttons.map(([label, act, look]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
      if (look) button.dataset.look = look;
      button.addEventListener("click", act);
      return button;
    }));
    if (isFocusOurs) bar.buttons.querySelector("button")?.focus();
  }

  const PARTS_OF = {
    [State.ONBOARDING]: ["onboarding"],
    [State.WAITING]: ["waiting"],
    [State.IN_TASK]: ["task"],
    [State.POST_TASK]: ["post-task"],
    [State.COMPLETED]: ["final"],
  };

  function setState(value, reason = null) {
    const isNews = value !== state || reason !== crowdd.reason;
    if (![State.IN_TASK, State.WAITING, State.ONBOARDING, State.CONNECTING].includes(value)) stopTime();
    state = value;
    crowdd.reason = reason;
    document.documentElement.dataset.crowddState = value;
    showParts(isPaused && agent?.shown ? ["task"] : PARTS_OF[value] || []);
    if (isNews) emit("state", value);
  }

  function showParts(names) {
    for (const [name, part] of Object.entries(parts)) part.toggleAttribute("data-crowdd-shown", names.includes(name));
    const isWork = names.some((name) => parts[name] && name !== "final");
    bar.root.dataset.look = isWork ? "bar" : "card";
  }

  function focusOn(part) {
    const target = part?.querySelector("[autofocus]") || part;
    if (!target || target.contains(document.activeElement)) return;
    if (target === part && !part.hasAttribute("tabindex")) part.tabIndex = -1;
    target.focus({ preventScroll: target === part });
  }

  const element = (tag, className, attributes = {}) => {
    const made = document.createElement(tag);
    made.className = className;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  function buildBar() {
    bar.root = element("section", "", { id: "crowdd", "aria-label": "Status", "data-look": "card", "data-tone": "busy" });
    bar.title = element("strong", "crowdd-title");
    bar.more = element("span", "crowdd-more");
    bar.count = element("span", "crowdd-count", { "aria-hidden": "true" }); // not read out every second
    bar.time = element("span", "crowdd-time", { role: "timer" });
    bar.buttons = element("span", "crowdd-buttons");
    const words = element("p", "crowdd-words", { role: "status", "aria-live": "polite" });
    words.append(bar.title, " ", bar.more);
    bar.root.append(element("span", "crowdd-dot", { "aria-hidden": "true" }), words, bar.count, bar.time, bar.buttons);
    document.body.prepend(bar.root);
  }

  /** Marked parts, and where the author marked no task: whatever else is on the page. */
  function findParts() {
    for (const part of document.querySelectorAll("[data-crowdd]")) parts[part.dataset.crowdd] = part;
    if (!parts.task) {
      parts.task = element("div", "", { "data-crowdd": "task" });
      const rest = [...document.body.children].filter((child) =>
        child !== bar.root && !child.matches("script, style, template, header, footer, [data-crowdd]") && !child.querySelector("[data-crowdd]"));
      (rest[0] || document.body.lastElementChild)?.before(parts.task);
      parts.task.append(...rest);
    }
    for (const name of ["task", "post-task", "onboarding"]) makeForm(name);
  }

  /** Fields without a form get one, and a form without a button gets one. */
  function makeForm(name) {
    const part = parts[name];
    if (!part) return;
    if (!formOf(name) && part.querySelector("input, select, textarea")) {
      const form = document.createElement("form");
      form.append(...part.childNodes);
      part.append(form);
    }
    const form = formOf(name);
    if (form && !form.querySelector("button:not([type=button]):not([type=reset]), input[type=submit], input[type=image]")) {
      form.append(Object.assign(document.createElement("button"), { textContent: text("save") }));
    }
  }

  function listenToActions() {
    const actions = { next, "give-back": giveBack };
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-crowdd-action]");
      actions[button?.dataset.crowddAction]?.();
    });
  }

  // The styles have no weight (:where): whatever the author's own styles say, wins.
  const STYLE = `
:where(:root) { color-scheme: light dark; --crowdd-back: #f6f7f9; --crowdd-card: #fff; --crowdd-ink: #1c2430; --crowdd-soft: #5b6675;
  --crowdd-line: #d9dee5; --crowdd-accent: #1f5fd0; --crowdd-on-accent: #fff; --crowdd-good: #14804a; --crowdd-warn: #9a5b00; --crowdd-bad: #b3261e; }
@media (prefers-color-scheme: dark) { :where(:root) { --crowdd-back: #12161c; --crowdd-card: #1b212a; --crowdd-ink: #e9edf3; --crowdd-soft: #a3afbf;
  --crowdd-line: #333d4a; --crowdd-accent: #8ab4ff; --crowdd-on-accent: #0b1a33; --crowdd-good: #62d394; --crowdd-warn: #f2b75c; --crowdd-bad: #ff9a91; } }
html:not([data-crowdd-ready]) body { visibility: hidden; }
[data-crowdd]:not([data-crowdd-shown]) { display: none !important; }
:where(body) { margin: 0 auto; padding: 0 1rem 3rem; max-width: 44rem; font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  background: var(--crowdd-back); color: var(--crowdd-ink); -webkit-text-size-adjust: 100%; }
:where([data-crowdd]) { background: var(--crowdd-card); border: 1px solid var(--crowdd-line); border-radius: 14px; padding: 1.25rem; margin: 1rem 0; outline: none; overflow-wrap: break-word; }
:where([data-crowdd] > :first-child, [data-crowdd] > form > :first-child) { margin-top: 0; }
:where([data-crowdd] > :last-child, [data-crowdd] > form > :last-child) { margin-bottom: 0; }
:where([data-crowdd][inert]) { opacity: .55; }
:where([data-crowdd]) :where(h1, h2) { line-height: 1.25; font-size: 1.4rem; }
:where([data-crowdd]) :where(img, video, canvas) { max-width: 100%; }
:where([data-crowdd]) :where(label) { display: block; margin: .6rem 0; }
:where([data-crowdd]) :where(fieldset) { border: 1px solid var(--crowdd-line); border-radius: 10px; margin: 1rem 0; padding: .5rem 1rem; }
:where([data-crowdd]) :where(input:not([type=radio], [type=checkbox], [type=range], [type=file]), select, textarea) { font: inherit; color: inherit;
  background: var(--crowdd-back); border: 1px solid var(--crowdd-soft); border-radius: 8px; padding: .55rem .7rem; width: 100%; box-sizing: border-box; }
:where([data-crowdd]) :where(textarea) { min-height: 6rem; }
:where([data-crowdd]) :where(input[type=radio], input[type=checkbox]) { width: 1.15rem; height: 1.15rem; vertical-align: -.15rem; accent-color: var(--crowdd-accent); }
:where([data-crowdd], #crowdd) :where(button, input[type=submit]) { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.3rem; border-radius: 10px;
  border: 1px solid transparent; background: var(--crowdd-accent); color: var(--crowdd-on-accent); cursor: pointer; width: auto; }
:where([data-crowdd], #crowdd) :where(button:hover, input[type=submit]:hover) { filter: brightness(1.08); }
:where([data-crowdd], #crowdd) :where(:focus-visible) { outline: 3px solid var(--crowdd-accent); outline-offset: 2px; }
.crowdd-note { display: block; color: var(--crowdd-soft); }
#crowdd { position: sticky; top: 0; z-index: 1000; display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .8rem; margin: 0 -1rem; padding: .55rem 1rem;
  color: var(--crowdd-ink); font-size: .95rem; --tone: var(--crowdd-accent); }
#crowdd[data-look=bar] { border-image: linear-gradient(to top, var(--crowdd-line) 1px, var(--crowdd-card) 1px) fill 0 // 0 100vmax; } /* as wide as the window */
#crowdd[data-tone=good] { --tone: var(--crowdd-good); } #crowdd[data-tone=warn] { --tone: var(--crowdd-warn); } #crowdd[data-tone=bad] { --tone: var(--crowdd-bad); }
#crowdd .crowdd-dot { width: .7rem; height: .7rem; border-radius: 50%; background: var(--tone); flex: none; }
#crowdd[data-tone=busy] .crowdd-dot { animation: crowdd-pulse 1.2s ease-in-out infinite; }
#crowdd .crowdd-words { margin: 0; flex: 1 1 6rem; } #crowdd[data-long] .crowdd-words { flex-basis: min(20rem, 100% - 1.5rem); }
#crowdd .crowdd-title { color: var(--tone); margin-right: .3rem; } #crowdd .crowdd-more { color: var(--crowdd-soft); }
#crowdd .crowdd-count, #crowdd .crowdd-time { color: var(--crowdd-soft); font-variant-numeric: tabular-nums; } #crowdd .crowdd-time[data-late] { color: var(--crowdd-bad); font-weight: 700; }
#crowdd .crowdd-count:empty, #crowdd .crowdd-time:empty, #crowdd .crowdd-buttons:empty { display: none; }
#crowdd .crowdd-buttons { display: flex; gap: .5rem; flex-wrap: wrap; }
#crowdd button { min-height: 2.4rem; padding: .3rem 1rem; }
#crowdd button[data-look=quiet], #crowdd button + button { background: none; color: var(--crowdd-soft); border-color: var(--crowdd-line); font-weight: 500; }
#crowdd[data-look=card] { position: static; flex-direction: column; text-align: center; margin: 12vh auto 1rem; max-width: 26rem; padding: 2rem 1.5rem; gap: .9rem; background: var(--crowdd-card);
  border: 1px solid var(--crowdd-line); border-radius: 16px; font-size: 1.0625rem; box-shadow: 0 8px 30px rgb(0 0 0 / .07); }
#crowdd[data-look=card] .crowdd-words { flex: none; } #crowdd[data-look=card] .crowdd-title { display: block; font-size: 1.35rem; margin: 0 0 .4rem; color: inherit; }
#crowdd[data-look=card] .crowdd-dot { width: 1rem; height: 1rem; } #crowdd[data-look=card] button { min-height: 2.9rem; padding: .5rem 1.8rem; }
@keyframes crowdd-pulse { 50% { opacity: .25; transform: scale(.8); } }
@media (prefers-reduced-motion: reduce) { #crowdd .crowdd-dot { animation: none !important; } }
`;

  // ------------------------------------------------------------------ start

  /** The provider's script says who the worker is; a page that does not load it gets it here. */
  function loadProviderScript() {
    if (typeof window.getAgentRegistration === "function") return Promise.resolve();
    return new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = address("wrap_crowd_source.js");
      script.onload = script.onerror = resolve;
      document.head.append(script);
    });
  }

  /** The author's settings; without them the page would say and do other things than wanted. */
  async function loadConfig() {
    for (let tries = 0; ; tries++) {
      try {
        const response = await fetch(address("task_config.json"), { cache: "no-cache" });
        if (response.ok) return await response.json();
        if (response.status === 404) return {};
      } catch { /* not reachable: the countdown says so */ }
      await countDown(pauseBefore(tries), { title: text("unreachable"), more: text("unreachable_more"), tone: "warn" });
    }
  }

  function isWithoutWorker() {
    if (query.has("preview")) return true;
    if (link || typeof window.getWorkerName !== "function") return false;
    return window.getWorkerName() === null || window.getAssignmentId?.() === null;
  }

  /** Resolves when the worker agreed, now or earlier, to exactly this text. */
  function consent() {
    const part = parts.consent;
    const words = part && shortHash(part.textContent.trim());
    if (!part || remembered().consent === words) return Promise.resolve();
    showParts(["consent"]);
    say({ title: text("consent"), tone: "calm" });
    const form = part.matches("form") ? part : part.querySelector("form");
    if (!form && !part.querySelector("[data-crowdd-action=agree]")) {
      part.append(Object.assign(element("button", "", { "data-crowdd-action": "agree", type: "button" }), { textContent: text("agree") }));
    }
    return new Promise((resolve) => {
      const agreed = (answers) => {
        remember({ consent: words });
        log({ consent: answers });
        resolve();
      };
      form?.addEventListener("submit", (event) => { event.preventDefault(); agreed(collect(form, event.submitter).answer); });
      part.querySelector("[data-crowdd-action=agree]")?.addEventListener("click", (event) => {
        if (!event.target.closest("form")) agreed({});
      });
    });
  }

  const isMobile = () => /Android|webOS|iPhone|iPad|iPod|BlackBerry|IEMobile|Opera Mini/i.test(navigator.userAgent);

  async function start() {
    document.documentElement.dataset.crowddReady = "";
    buildBar();
    findParts();
    findBindings(document.body);
    if (document.querySelector("title")) findBindings(document.querySelector("title"));
    showParts([]);
    say({ title: text("connecting"), more: text("connecting_more"), tone: "busy" });
    dropOldDrafts();
    [config] = await Promise.all([loadConfig(), loadProviderScript()]);
    listenToForms();
    listenToActions();
    isPreview = isWithoutWorker();
    if (isPreview) return showPreview();
    if (config.block_mobile && isMobile()) return refuse({ told: { reason: "no_mobile" }, text: text("no_mobile") });
    await consent();
    return register();
  }

  /** Without a worker: the author's preview, and under it the task with `preview_data`, where there is some. */
  function showPreview() {
    const data = config.preview_data;
    showParts(data ? ["preview", "task"] : ["preview"]);
    say({ title: text("preview"), more: text("preview_more"), tone: "calm" });
    if (!data) return;
    fill(data);
    lockForms(true);
    emit("unit", { data, agentId: null, workerId: null, kept: undefined });
  }

  const crowdd = {
    State, on, submit, log, metadata, keep, giveBack, next, send, reason: null,
    connect() { isLive = true; connect(); },
    get state() { return state; },
    get agentId() { return agent?.id ?? null; },
    get data() { return agent?.data ?? null; },
    get config() { return config; },
    get preview() { return isPreview; },
  };
  window.crowdd = crowdd;

  document.head.prepend(Object.assign(document.createElement("style"), { textContent: STYLE }));
  // Without it a phone lays the page out for a desktop and shows it tiny.
  if (!document.querySelector("meta[name=viewport]"))
    document.head.append(Object.assign(document.createElement("meta"),
      { name: "viewport", content: "width=device-width, initial-scale=1" }));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
