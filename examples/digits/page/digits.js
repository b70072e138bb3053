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

/** Enlarged smoothly, with the edge of the stroke made crisp again: eyes read a pen line, not 64 squares. */
function draw(pixels) {
  const soft = enlarged(pixels);
  const size = soft.canvas.width;
  const picture = soft.getImageData(0, 0, size, size);
  for (let at = 0; at < picture.data.length; at += 4) {
    picture.data.set([24, 32, 66, 255 * rise(picture.data[at + 3] / 255)], at);
  }
  const pen = document.getElementById("picture").getContext("2d");
  pen.clearRect(0, 0, size, size);
  pen.putImageData(picture, 0, 0);
}

/** The 64 pixels with a blank one all around, as large as the canvas. */
function enlarged(pixels) {
  const small = sheet(SIDE + 2);
  const picture = small.createImageData(SIDE, SIDE);
  pixels.forEach((ink, index) => { picture.data[index * 4 + 3] = Math.round((ink / INK_MAX) * 255); });
  small.putImageData(picture, 1, 1);
  const large = sheet(document.getElementById("picture").width);
  large.imageSmoothingQuality = "high";
  large.drawImage(small.canvas, 0, 0, large.canvas.width, large.canvas.height);
  return large;
}

function sheet(side) {
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  return canvas.getContext("2d", { willReadFrequently: true });
}

/** From no ink to full ink, steep in between; faint ink stays visible. */
function rise(ink) {
  const share = Math.min(1, Math.max(0, (ink - 0.2) / 0.6));
  return share * share * (3 - 2 * share);
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
