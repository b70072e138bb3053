/* Pictures of 64 characters, row by row, "0" paper to "g" full ink: drawn, and said in words. */
"use strict";

const SIDE = 8;
const INK_MAX = 16;

const inkOf = (picture) => [...picture].map((character) => parseInt(character, INK_MAX + 1));

/** A canvas with the picture, enlarged smoothly and with its edge made crisp: eyes read a pen line, not 64 squares. */
function drawn(picture, size = 240) {
  const small = sheet(SIDE + 2); // a blank pixel all around
  const spots = small.createImageData(SIDE, SIDE);
  inkOf(picture).forEach((ink, at) => { spots.data[at * 4 + 3] = Math.round((ink / INK_MAX) * 255); });
  small.putImageData(spots, 1, 1);
  const pen = sheet(size);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small.canvas, 0, 0, size, size);
  const line = pen.getImageData(0, 0, size, size);
  for (let at = 0; at < line.data.length; at += 4) {
    line.data.set([24, 32, 66, 255 * rise(line.data[at + 3] / 255)], at);
  }
  pen.putImageData(line, 0, 0);
  pen.canvas.className = "picture";
  return pen.canvas;
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

/** For screen readers: where there is ink, row by row. */
function inWords(picture) {
  const ink = inkOf(picture);
  return Array.from({ length: SIDE }, (_, row) => {
    const strokes = [];
    for (let column = 0; column < SIDE; column++) {
      if (ink[row * SIDE + column] < INK_MAX / 4) continue;
      const from = column;
      while (column + 1 < SIDE && ink[row * SIDE + column + 1] >= INK_MAX / 4) column++;
      strokes.push(from === column ? `${from + 1}` : `${from + 1} to ${column + 1}`);
    }
    return `Row ${row + 1}: ${strokes.length ? `ink in ${strokes.join(" and ")}` : "empty"}.`;
  }).join(" ");
}
