// From the page's first moment to its first registration, and what scripts of the page find in `crowdd`.

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
  emit("unit", { data, agentId: null, workerId: null, kept: undefined, calls: [] });
}

const crowdd = {
  State, on, submit, log, metadata, keep, giveBack, next, send, call, reason: null,
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
