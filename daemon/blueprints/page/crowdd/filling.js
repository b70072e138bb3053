// Filling in ${name}, in texts and attributes.

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
