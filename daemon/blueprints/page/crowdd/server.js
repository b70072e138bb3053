// Requests to the server: asked, judged, and repeated until they are answered.

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
    const send = body instanceof FormData ? postForm : fetch;
    const response = await send(address(path), {
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
