// How the live link stands, in a word beside the status line. Never better than it is.

const BLINK_MS = 1000; // what is over sooner is not worth a word
const OFFLINE_AFTER_MS = 10_000;

let linkWord = ""; // the name of what is shown

const LINK_TONES = {
  link_saved: "good", link_connected: "good", link_sending: "busy", link_reconnecting: "busy", link_kept: "warn",
  link_at_risk: "warn", link_offline: "warn", link_offline_kept: "warn", link_offline_at_risk: "bad",
};

function showLink() {
  if (!bar.link) return;
  linkWord = nextLinkWord();
  const words = linkWord && text(linkWord);
  if (bar.link.textContent !== words) bar.link.textContent = words;
  bar.link.dataset.tone = LINK_TONES[linkWord] ?? "calm";
}

function nextLinkWord() {
  if (!isLive || !wanted || !agent) return "";
  if (isPaused) return waitingUpdates() ? "link_kept" : "";
  return isConnected() ? wordWhileConnected() : wordWithoutSocket();
}

function wordWhileConnected() {
  const oldest = Math.min(...streams.map(({ updates }) => updates[0]?.since ?? Infinity));
  if (oldest === Infinity) return hasSent ? "link_saved" : "link_connected";
  if (ticks() - Math.max(oldest, socket.openedAt) < BLINK_MS) return linkWord;
  return isOutboxAtRisk() ? "link_at_risk" : "link_sending";
}

function wordWithoutSocket() {
  const lost_ms = ticks() - lostAt;
  if (lost_ms < BLINK_MS) return linkWord;
  if (navigator.onLine && lost_ms < OFFLINE_AFTER_MS) return "link_reconnecting";
  if (isOutboxAtRisk()) return "link_offline_at_risk";
  return waitingUpdates() ? "link_offline_kept" : "link_offline";
}
