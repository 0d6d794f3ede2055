// The keyboard: works anywhere on the page, except while somebody types.

const TRACE_KEYS = [
  ["j  k  ↓  ↑", "next, previous row"],
  ["→  ←", "unfold, fold; else to the first child, to the parent"],
  ["[  ]", "one level fewer, one more"],
  ["Enter", "open the span or line"],
  ["Esc", "close; leave the search; show all the time again"],
  ["/", "search in this trace"],
  ["n  N", "next, previous found"],
  ["e", "next error"],
  ["z", "zoom to the selected span"],
  ["l  x", "log lines, exceptions on or off"],
  ["c", "critical path on or off"],
  ["Home  End", "first, last row"],
  ["PgUp  PgDn", "a page up, down"],
  ["1  2  3", "timeline, statistics, flame graph"],
  ["?", "these keys"],
];

function handleTraceKey(waterfall, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !waterfall.trace) return;
  const { key } = event;
  const isInSearch = event.composedPath()[0] === waterfall.searchBox;
  if (key === "Escape") {
    const isElsewhere = !isInSearch && (isTyping(event) || event.target.closest?.('[data-testid="stPopoverBody"]'));
    if (isElsewhere) return;
    if (!waterfall.back()) return;
    event.preventDefault();
    return;
  }
  if (isInSearch && key === "Enter") {
    event.preventDefault();
    waterfall.stepFound(event.shiftKey ? -1 : 1);
    return;
  }
  if (isTyping(event) || document.querySelector('[role="dialog"][aria-modal="true"]')) return;
  if (waterfall.help.open && key !== "?") return;
  const path = event.composedPath();
  const isOnControl = path[0] instanceof Element && path[0].matches("button, a, summary, tr");
  const isFree = path[0] === document.body || path.includes(waterfall.scroller);
  const page = Math.max(1, Math.floor(waterfall.scroller.clientHeight / ROW_HEIGHT) - 1);
  const actions = {
    j: () => waterfall.move(1),
    k: () => waterfall.move(-1),
    ArrowDown: isFree && (() => waterfall.move(1)),
    ArrowUp: isFree && (() => waterfall.move(-1)),
    PageDown: isFree && (() => waterfall.move(page)),
    PageUp: isFree && (() => waterfall.move(-page)),
    Home: isFree && (() => waterfall.move(-Infinity)),
    End: isFree && (() => waterfall.move(Infinity)),
    ArrowRight: isFree && (() => waterfall.goIn()),
    ArrowLeft: isFree && (() => waterfall.goOut()),
    Enter: !isOnControl && (() => waterfall.openSelected()),
    "[": () => waterfall.changeLevel(-1),
    "]": () => waterfall.changeLevel(1),
    "/": () => waterfall.focusSearch(),
    n: () => waterfall.stepFound(1),
    N: () => waterfall.stepFound(-1),
    e: () => waterfall.nextError(),
    z: () => waterfall.zoomToSelected(),
    l: () => waterfall.switchRows("withLines"),
    x: () => waterfall.switchRows("withExceptions"),
    c: () => waterfall.switchCritical(),
    1: () => waterfall.showTab("timeline"),
    2: () => waterfall.showTab("statistics"),
    3: () => waterfall.showTab("flame"),
    "?": () => waterfall.toggleHelp(),
  };
  const action = Object.hasOwn(actions, key) && actions[key];
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}

function drawHelp(box) {
  const list = element("dl");
  for (const [keys, words] of TRACE_KEYS) list.append(element("dt", "", keys), element("dd", "", words));
  const signs = element("dl");
  const legend = [
    ["⊗", "error", "the span failed; pale: a span below it did"],
    ["▲", "warn", "something does not fit: the text on hover says what"],
    ["◆", "error", "an exception"],
  ];
  for (const [shape, severity, words] of legend) {
    const term = element("dt", "", shape);
    term.style.color = `var(--severity-${severity})`;
    signs.append(term, element("dd", "", words));
  }
  for (const [className, words] of [
    ["full", "own time; paler where its children ran"],
    ["path", "critical path: a delay here makes the whole trace longer"],
    ["hatched", "made from log lines"],
    ["dashed", "a parent that has not arrived"],
  ]) {
    const term = element("dt");
    term.append(element("i", `sample ${className}`));
    signs.append(term, element("dd", "", words));
  }
  const close = button("small close", "Close", "Close (Esc)", () => box.close());
  box.setAttribute("aria-label", "Keyboard and signs");
  box.replaceChildren(close, element("h3", "", "Keyboard"), list, element("h3", "", "Signs"), signs);
}
