// The time that is left.

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
