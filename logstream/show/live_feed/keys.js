// The keyboard: works anywhere on the page, except while somebody types.

const SHORTCUTS = [
  ["j  k  ↓  ↑", "next, previous line"],
  ["Home  End", "first, last loaded line"],
  ["PgUp  PgDn", "a page up, down"],
  ["Enter", "open the line"],
  ["Esc", "close; let go of a selection"],
  ["w", "wrap messages"],
  ["o", "how the feed looks"],
  ["e", "errors only"],
  ["c", "copy the message"],
  ["l", "copy a link to the line"],
  ["y", "copy the line as JSON"],
  ["/", "search"],
  ["f", "filter by service"],
  ["?", "these keys"],
];

function isTyping(event) {
  const target = event.composedPath()[0];
  return (
    target instanceof Element &&
    (target.isContentEditable || (/^(input|textarea|select)$/i.test(target.tagName) && !/^(range|checkbox)$/.test(target.type)))
  );
}

function handleKey(feed, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  // What lies on top closes first.
  if (event.key === "Escape") {
    if (feed.look.isOpen) feed.look.close();
    else if (feed.shortcutsBox.open) feed.toggleShortcuts();
    else if (feed.drawer.isOpen) feed.closeLine();
    else if (feed.hasSelection()) feed.root.getSelection?.()?.removeAllRanges();
    else return;
    event.preventDefault();
    return;
  }
  if (isTyping(event) || document.querySelector('[role="dialog"][aria-modal="true"]')) return;
  if (feed.shortcutsBox.open) {
    if (event.key === "?") feed.toggleShortcuts();
    return;
  }
  const path = event.composedPath();
  const isInDrawer = path.includes(feed.drawer.el);
  const isInList = path.includes(feed.scroller);
  const isOnButton = path[0] instanceof Element && path[0].matches("button, a, summary");
  const isFree = isInList || path[0] === document.body;
  const actions = {
    j: () => feed.move(1),
    k: () => feed.move(-1),
    ArrowDown: isInList && (() => feed.move(1)),
    ArrowUp: isInList && (() => feed.move(-1)),
    PageDown: isFree && (() => feed.movePage(1)),
    PageUp: isFree && (() => feed.movePage(-1)),
    Home: isFree && (() => feed.moveToEnd(-1)),
    End: isFree && (() => feed.moveToEnd(1)),
    Enter: (isInList || isInDrawer) && !isOnButton && (() => feed.openSelected()),
    w: () => feed.toggleWrap(),
    o: () => feed.look.toggle(),
    e: () => document.querySelector(".st-key-errors-only button")?.click(),
    c: () => feed.copy("message"),
    l: () => feed.copy("link"),
    y: () => feed.copy("JSON"),
    J: () => feed.copy("JSON"),
    "/": () => focusSearch(),
    f: () => document.querySelector(".st-key-services input")?.focus(),
    "?": () => feed.toggleShortcuts(),
    ...feed.keysFor(),
  };
  const action = Object.hasOwn(actions, event.key) && actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// The search box of the page, see query_box.js.
function focusSearch() {
  shared.focusSearch?.();
}

function drawShortcuts(box, shortcuts) {
  const head = element("h3", "", "Keyboard");
  head.id = "shortcuts-title";
  const list = element("dl");
  for (const [keys, words] of shortcuts) {
    list.append(element("dt", "", keys), element("dd", "", words));
  }
  const legend = element("dl", "legend");
  for (const [kind, words] of [
    ["late", "came more than a minute after its time, or before it"],
    ["inserted", "arrived out of order: later lines were shown before it"],
  ]) {
    const sign = element("dt");
    sign.append(signIcon(kind));
    legend.append(sign, element("dd", "", words));
  }
  const close = button("icon close", "×", "Close (Esc)", () => box.close());
  box.setAttribute("aria-labelledby", head.id);
  box.replaceChildren(close, head, list, element("h3", "", "Signs"), legend);
}
