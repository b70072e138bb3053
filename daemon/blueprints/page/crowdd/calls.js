// Functions of the task that run on the server: crowdd.call(name, args).

const CALL_LIMIT_S = 60; // the server's own limit is shorter; this one covers a broken line, too

const calls = new Map(); // request id: {name, resolve, reject, timer}

const isRequest = (update) => typeof update.request_id === "string" && typeof update.target === "string";
const isAnswer = (update) => typeof update.handles === "string" && ("response" in update || "error" in update);

function call(name, args = null, { limit_s = CALL_LIMIT_S } = {}) {
  return new Promise((resolve, reject) => {
    if (!canTalk()) throw failure(text("call_ended"), "ended");
    const request_id = uuid();
    talk({ request_id, target: String(name), args: JSON.stringify(args) ?? "null" });
    const tooLate = () => end(request_id, () => reject(failure(text("call_too_late", { name, seconds: limit_s }), "timeout")));
    const timer = Number.isFinite(limit_s) ? setTimeout(tooLate, limit_s * 1000) : null;
    calls.set(request_id, { resolve, reject, timer });
  });
}

const failure = (message, reason) => Object.assign(new Error(message), { reason });

function end(request_id, how) {
  clearTimeout(calls.get(request_id)?.timer);
  if (calls.delete(request_id)) how();
}

/** An answer. One to a call of an earlier page load, or one that came too late, is nobody's. */
function settle({ handles, response, error }) {
  const { resolve, reject } = calls.get(handles) ?? {};
  end(handles, () => {
    if (error != null) return reject(failure(String(error), "error"));
    try {
      resolve(JSON.parse(response ?? "null"));
    } catch {
      reject(failure(`not JSON: ${response}`, "error"));
    }
  });
}

function settlePast(requests) {
  for (const { target, args_json, response_json, error } of requests) {
    if (args_json === null && calls.has(target)) settle({ handles: target, response: response_json, error });
  }
}

/** The calls of earlier page loads: [{name, args, result?, error?}]. */
function pastCalls(requests = []) {
  const past = new Map();
  for (const { uuid: id, target, args_json, response_json, error } of requests) {
    if (args_json !== null) past.set(id, { name: target, args: parsed(args_json) });
    else if (past.has(target)) Object.assign(past.get(target), error == null ? { result: parsed(response_json) } : { error });
  }
  return [...past.values()];
}

function parsed(json) {
  try {
    return JSON.parse(json ?? "null");
  } catch {
    return null;
  }
}

function endCalls() {
  for (const [request_id, { reject }] of calls) end(request_id, () => reject(failure(text("call_ended"), "ended")));
}
