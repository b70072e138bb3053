// Forms and drafts.

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
      (field.closest("label") ?? field).after(note); // in the label, it would be part of the field's name
      field.setAttribute("aria-describedby", note.id);
    }
    note.textContent = words || text("file_note");
  }
}

function dropOldDrafts() {
  for (const key of store.keys().filter((name) => name.startsWith("crowdd:draft:") || name.startsWith(STREAM_KEYS))) {
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

window.addEventListener("beforeunload", (event) => { if (saving || isOutboxAtRisk()) event.preventDefault(); });
