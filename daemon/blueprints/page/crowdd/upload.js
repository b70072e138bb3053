// A form with files on its way: how far it is, for who looks and for who listens.

const UPLOAD_SHOWN_AFTER_MS = 1000; // what is sent by then needs no display
const UPLOAD_TOLD_EVERY = 25; // percent; a screen reader says each once

/** Like `fetch` with `redirect: "error"`, for a form: `fetch` tells nothing of what is sent so far. */
async function postForm(url, { headers, body, signal }) {
  const request = new XMLHttpRequest();
  request.open("POST", url);
  request.responseType = "arraybuffer";
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  signal.addEventListener("abort", () => request.abort());
  const stopShowing = showUpload(request.upload);
  await new Promise((resolve) => {
    request.onloadend = resolve; // whatever became of it
    request.send(body);
  });
  stopShowing();
  // Redirects are followed unasked here; without an answer there is no address at all.
  if (request.responseURL !== url.href) throw new TypeError("no answer of our server");
  const retry_s = request.getResponseHeader("Retry-After");
  return new Response(request.response, { status: request.status, headers: retry_s === null ? {} : { "Retry-After": retry_s } });
}

/** Shows it in the status line, if it takes a while, until what is returned is called. */
function showUpload(upload) {
  const row = element("label", "crowdd-note crowdd-upload");
  const words = element("span", "");
  const meter = element("progress", "", { max: 100, value: 0 });
  row.append(words, meter);
  const draw = () => {
    words.textContent = text("uploading", { percent: Math.floor(meter.value) });
    if (row.isConnected) tellUpload(meter.value);
  };
  const timer = setTimeout(() => {
    if (meter.value < 100) bar.root.append(row);
    draw();
  }, UPLOAD_SHOWN_AFTER_MS);
  upload.onprogress = ({ loaded, total }) => {
    meter.value = (100 * loaded) / (total || 1);
    draw();
  };
  return () => {
    clearTimeout(timer);
    row.remove();
    bar.upload.textContent = "";
  };
}

function tellUpload(percent) {
  const told = Math.min(100 - UPLOAD_TOLD_EVERY, UPLOAD_TOLD_EVERY * Math.floor(percent / UPLOAD_TOLD_EVERY)); // the answer tells the end
  const words = told ? text("uploaded", { percent: told }) : "";
  if (words !== bar.upload.textContent) bar.upload.textContent = words;
}
