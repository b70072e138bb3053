// What is told beside the answer: log lines, metadata, errors of the page.

const reportsKey = () => `${linkKey()}:outbox`;
let draining = false;

/** Told beside the answer; sent again, also after a reload, until the server has it. */
function metadata(data) {
  if (isPreview) return;
  const waiting = store.get(reportsKey()) || [];
  waiting.push({ id: uuid(), ...signed({ metadata: data }) });
  store.set(reportsKey(), waiting.slice(-REPORTS_MAX));
  drainReports();
}

let lines = 0;
const log = (data) => metadata({ log: { n: ++lines, at: Date.now(), data } });

async function drainReports() {
  if (draining || !agent) return;
  draining = true;
  for (let tries = 0, entry; agent && (entry = store.get(reportsKey())?.[0]); ) {
    const { id, ...body } = { ...entry, USED_AGENT_ID: entry.USED_AGENT_ID ?? agent.id };
    const got = await ask("submit_metadata", body);
    if (got.verdict === "later") {
      await sleep(pauseBefore(tries++, got.retry_s) * 1000);
    } else { // safe, or refused for good
      tries = 0;
      store.set(reportsKey(), (store.get(reportsKey()) || []).filter((other) => other.id !== id));
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
