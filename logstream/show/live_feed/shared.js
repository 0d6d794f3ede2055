// What every component of the pages finds on globalThis, and small parts that lists share.

const shared = (globalThis.__logstream ??= { feeds: new Map(), status: null, events: new EventTarget() });

function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

function publishStatus(status) {
  const key = JSON.stringify(status);
  if (key === shared.statusKey) return;
  shared.statusKey = key;
  shared.status = status;
  shared.events.dispatchEvent(new Event("status"));
}

function skeletonRows() {
  return Array.from({ length: 14 }, (_, i) => {
    const row = element("div", "ghost");
    for (const width of [80, 50, 90, 220 + ((i * 97) % 260)]) {
      const bar = element("span");
      bar.style.width = `${width}px`;
      row.append(bar);
    }
    return row;
  });
}
