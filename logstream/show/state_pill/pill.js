// Shows what the live feed publishes on globalThis.__logstream (see live_feed/feed.js).

const shared = (globalThis.__logstream ??= { feeds: new Map(), status: null, events: new EventTarget() });
const OFF = { state: "off", words: "not live", sentence: "The live feed runs on the Live page." };

export default function (component) {
  const pill = component.parentElement.querySelector(".pill");
  const show = () => {
    const { state, rung = "", words, sentence } = shared.status ?? OFF;
    if (pill.dataset.state !== state) pill.dataset.state = state;
    if (pill.dataset.rung !== rung) pill.dataset.rung = rung;
    const text = pill.querySelector(".words");
    if (text.textContent !== words) text.textContent = words;
    pill.title = sentence;
    pill.setAttribute("aria-label", `Live feed: ${words}. ${sentence}`);
  };
  pill.onclick = () => {
    for (const feed of shared.feeds.values()) {
      if (feed.root && feed.player?.isOn) feed.player.backToLive();
      else if (feed.root && feed.store.isPaused) feed.resume();
    }
  };
  if (pill.stopListening) pill.stopListening();
  shared.events.addEventListener("status", show);
  pill.stopListening = () => shared.events.removeEventListener("status", show);
  show();
  return pill.stopListening;
}
