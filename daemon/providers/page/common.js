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

(() => {
  const REPORTS_MAX = 5; // a page that fails in a loop tells us no more by the hundredth report
  let reports = 0;

  function report(error) {
    const settings = window._MEPHISTO_CONFIG_;
    if (window.crowdd || reports >= REPORTS_MAX) return; // crowdd.js reports by itself
    if (!settings.get("AUTO_SUBMIT_ERRORS") && !(settings.get("ADD_ERROR_HANDLING") && asked(error))) return;
    reports += 1;
    const body = { USED_AGENT_ID: null, error_data: error, client_timestamp: Date.now() / 1000 };
    fetch(new URL("log_error", document.baseURI), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      keepalive: true,
    }).catch(() => {});
  }

  function asked(error) {
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
})();
