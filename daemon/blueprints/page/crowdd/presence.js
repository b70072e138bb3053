// "Still there?": asked before a group starts, so that nobody is left waiting for a page that nobody looks at.

const USED_S = 30; // who did something so recently, on a page in sight, is not asked

let usedAt = ticks(); // a page is opened by somebody
let rollCallEnds = null;
let titleBefore = null;

for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
  window.addEventListener(name, () => { usedAt = ticks(); }, { capture: true, passive: true });
}

const isRollCalled = () => rollCallEnds !== null;
const isLookedAt = () => document.visibilityState === "visible" && ticks() - usedAt < USED_S * 1000;

function callRoll({ within_s }) {
  if (isLookedAt() || state !== State.WAITING) return void sayAlive(document.visibilityState === "visible");
  rollCallEnds = ticks() + within_s * 1000;
  titleBefore ??= document.title;
  say({ title: text("roll_call"), more: text("roll_call_more", { seconds: Math.ceil(within_s) }), tone: "warn", buttons: [[text("roll_call_here"), answerRollCall]] });
  bar.buttons.querySelector("button")?.focus();
  watchRollCall();
}

function answerRollCall() {
  sayAlive(true);
  endRollCall();
  say({ title: waitingWords(), more: text("roll_call_thanks"), tone: "busy" });
}

/** Once a second: the title flashes, so that it is seen among other tabs. */
function watchRollCall() {
  if (!isRollCalled()) return;
  const left_s = Math.ceil((rollCallEnds - ticks()) / 1000);
  if (left_s <= 0) {
    endRollCall();
    return state === State.WAITING ? sayWaiting() : undefined;
  }
  bar.count.textContent = clock(left_s * 1000);
  document.title = left_s % 2 ? titleBefore : `● ${text("roll_call")}`;
}

function endRollCall() {
  if (!isRollCalled()) return;
  rollCallEnds = null;
  bar.count.textContent = "";
  document.title = titleBefore;
  titleBefore = null;
}
