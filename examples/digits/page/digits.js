/* Draws the digit, says it in words, and listens to the number keys. The form itself is in index.html. */
"use strict";

const SIDE = 8; // pixels of the scanned picture
const INK_MAX = 16;
const form = document.querySelector("form.digits");

crowdd.on("unit", ({ data }) => {
  draw(data.pixels);
  document.getElementById("words").replaceChildren(...rowsInWords(data.pixels).map((words) => {
    const item = document.createElement("li");
    item.textContent = words;
    return item;
  }));
});

/** Enlarged smoothly: eyes read a soft shape better than 64 squares. */
function draw(pixels) {
  const small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const picture = small.getContext("2d").createImageData(SIDE, SIDE);
  pixels.forEach((ink, index) => picture.data.set([24, 32, 66, Math.round((ink / INK_MAX) * 255)], index * 4));
  small.getContext("2d").putImageData(picture, 0, 0);

  const canvas = document.getElementById("picture");
  const pen = canvas.getContext("2d");
  const margin = canvas.width / 10;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, margin, margin, canvas.width - 2 * margin, canvas.height - 2 * margin);
}

/** One sentence a row, for screen readers and for whoever wants to know: where there is ink. */
function rowsInWords(pixels) {
  return Array.from({ length: SIDE }, (_, row) => {
    const strokes = [];
    for (let column = 0; column < SIDE; column++) {
      if (pixels[row * SIDE + column] < INK_MAX / 4) continue;
      const from = column;
      while (column + 1 < SIDE && pixels[row * SIDE + column + 1] >= INK_MAX / 4) column++;
      strokes.push(from === column ? `column ${from + 1}` : `columns ${from + 1} to ${column + 1}`);
    }
    return strokes.length ? `Ink in ${strokes.join(" and in ")}.` : "Empty.";
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (crowdd.state === "in task" && /^[0-9]$/.test(event.key)) choose(event.key);
  const isOnControl = event.target.closest?.("button, a, summary");
  if (event.key !== "Enter" || isOnControl) return;
  if (crowdd.state === "in task" && !event.target.closest?.("form")) form.requestSubmit();
  if (crowdd.state === "post-task" || crowdd.state === "completed") crowdd.next();
});

function choose(digit) {
  const key = form.elements.label[Number(digit)];
  key.checked = true;
  key.focus();
  key.dispatchEvent(new Event("change", { bubbles: true }));
}

/** How many were read on this device: nothing to do with pay, only nice to see. */
crowdd.on("saved", () => localStorage.setItem("digits:count", String(read() + 1)));
crowdd.on("state", () => {
  const count = read();
  document.getElementById("count").textContent = count === 1 ? "one digit" : `${count || "no"} digits`;
});

function read() {
  try {
    return Number(localStorage.getItem("digits:count")) || 0;
  } catch { // storage is forbidden in this browser
    return 0;
  }
}
