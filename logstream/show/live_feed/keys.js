// The keyboard: works anywhere on the page, except while somebody types.

const SHORTCUTS = [
  ["j  k", "older, newer line"],
  ["Enter", "open the line"],
  ["Esc", "close"],
  ["p", "pause, resume"],
  ["t", "pick a moment of the past"],
  [",  .", "in the past: 10 s back, next line"],
  ["<  >", "in the past: slower, faster"],
  ["w", "wrap messages"],
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
  if (event.key === "Escape") {
    if (!feed.shortcutsBox.hidden) feed.toggleShortcuts();
    else if (feed.drawer.isOpen) feed.closeLine();
    else return;
    event.preventDefault();
    return;
  }
  if (isTyping(event) || document.querySelector('[role="dialog"][aria-modal="true"]')) return;
  const path = event.composedPath();
  const isInside = path.includes(feed.scroller) || path.includes(feed.drawer.el);
  const isInDrawer = path.includes(feed.drawer.el);
  const isOnButton = path[0] instanceof Element && path[0].matches("button, a, summary");
  const actions = {
    j: () => feed.move(1),
    k: () => feed.move(-1),
    ArrowDown: isInside && !isInDrawer && (() => feed.move(1)),
    ArrowUp: isInside && !isInDrawer && (() => feed.move(-1)),
    Enter: isInside && !isOnButton && (() => feed.openSelected()),
    p: () => feed.togglePause(),
    w: () => feed.toggleWrap(),
    t: () => document.querySelector('[class*="st-key-history"] button')?.click(),
    ",": feed.player.isOn && (() => feed.player.stepBack()),
    ".": feed.player.isOn && (() => feed.player.stepToLine()),
    "<": feed.player.isOn && (() => feed.player.changeSpeed(-1)),
    ">": feed.player.isOn && (() => feed.player.changeSpeed(1)),
    "/": () => focusSearch(),
    f: () => document.querySelector(".st-key-services input")?.focus(),
    "?": () => feed.toggleShortcuts(),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function focusSearch() {
  const box =
    document.querySelector('.st-key-filter-bar input[type="search"]') ??
    document.querySelector('.st-key-filter-bar [data-testid="stTextInput"] input') ??
    document.querySelector('input[type="search"]');
  box?.focus();
  box?.select?.();
}

function drawShortcuts(box) {
  const list = element("dl");
  for (const [keys, words] of SHORTCUTS) {
    list.append(element("dt", "", keys), element("dd", "", words));
  }
  box.replaceChildren(list);
}
