// What people see: the status line, and the parts of the page.

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
  bar.root.toggleAttribute("data-long", bar.more.textContent.length > 24);
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
  bar.link = element("span", "crowdd-link", { role: "status", "aria-live": "polite" });
  bar.upload = element("span", "crowdd-heard", { role: "status", "aria-live": "polite" });
  const words = element("p", "crowdd-words", { role: "status", "aria-live": "polite" });
  words.append(bar.title, " ", bar.more);
  bar.root.append(element("span", "crowdd-dot", { "aria-hidden": "true" }), words, bar.link, bar.count, bar.time, bar.buttons, bar.upload);
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
