/*
 * wrap_crowd_source.js, first part: what all providers share. Served with the run's pages; plain script, no build.
 * Pages made with mephisto-task, and crowdd.js, use these globals and those of the second part.
 */
"use strict";

/** What pages configure about themselves: `get(name)`, `set(name, value)`; every `set` is told as an event. */
window._MEPHISTO_CONFIG_ = window._MEPHISTO_CONFIG_ || (() => {
  const settings = {
    AUTO_SUBMIT_ERRORS: false, // report uncaught errors of the page without asking
    ADD_ERROR_HANDLING: false, // ask the worker whether to report them
    ERROR_REPORT_TO_EMAIL: null,
    EVENT_EMITTER: new EventTarget(),
  };
  return {
    get: (name) => settings[name],
    set: (name, value) => {
      settings[name] = value;
      settings.EVENT_EMITTER.dispatchEvent(new CustomEvent("change", { detail: { name, value } }));
    },
  };
})();

/** A part of the page's address, or null: no worker, so the page is a preview. */
function crowdParameter(name) {
  return new URLSearchParams(window.location.search).get(name) || null;
}

/** Says on pages without words of their own that the answer is safe; crowdd.js says it itself. */
function crowdThanks(text) {
  if (window.crowdd) return;
  const note = document.createElement("div");
  note.setAttribute("role", "status");
  note.textContent = text;
  note.style.cssText =
    "position:fixed;inset:auto 0 0 0;padding:1em;text-align:center;background:#14532d;color:#fff;" +
    "font:1rem/1.4 system-ui,sans-serif;z-index:2147483647";
  document.body.append(note);
}

/*
 * What the page says about itself besides its requests: errors, where it asked for that, and that it is going, so
 * that whoever watches the run sees it at once (the unit stays the worker's, unless the run says otherwise).
 * Which agent the page is, is read from the answers to its own requests.
 */
(() => {
  const REPORTS_MAX = 5; // a page that fails in a loop tells us no more by the hundredth report
  const ask = window.fetch.bind(window);
  let agent = null;
  let reports = 0;

  window.fetch = async (input, init) => {
    const response = await ask(input, init);
    const path = new URL(input instanceof Request ? input.url : input, document.baseURI).pathname;
    if (/\/(request_agent|register_worker|submit_onboarding)$/.test(path)) learn(response.clone());
    return response;
  };

  async function learn(response) {
    try {
      const answer = await response.json();
      agent = (answer.data ?? answer).agent_id || agent;
    } catch {
      // not an answer of ours: the page itself will say so
    }
  }

  function tell(path, said) {
    const body = JSON.stringify({ USED_AGENT_ID: agent, ...said, client_timestamp: Date.now() / 1000 });
    navigator.sendBeacon(new URL(path, document.baseURI), new Blob([body], { type: "application/json" }));
  }

  function report(error) {
    if (window.crowdd || reports >= REPORTS_MAX) return; // crowdd.js reports by itself
    const settings = window._MEPHISTO_CONFIG_;
    if (!settings.get("AUTO_SUBMIT_ERRORS") && !(settings.get("ADD_ERROR_HANDLING") && agreed(error))) return;
    reports += 1;
    tell("log_error", { error_data: error });
  }

  function agreed(error) {
    const address = window._MEPHISTO_CONFIG_.get("ERROR_REPORT_TO_EMAIL");
    const how = address ? ` You can also write to ${address}.` : "";
    return window.confirm(`Something went wrong on this page (${error.message}). Report it?${how}`);
  }

  window.addEventListener("error", (event) => {
    if (!event.message) return; // a picture or script that did not load
    report({ message: event.message, source: event.filename, line: event.lineno, stack: event.error?.stack });
  });
  window.addEventListener("unhandledrejection", (event) => {
    report({ message: String(event.reason?.message ?? event.reason), stack: event.reason?.stack });
  });
  window.addEventListener("pagehide", () => {
    if (agent !== null) tell("return_unit", { leaving: true });
  });
})();
