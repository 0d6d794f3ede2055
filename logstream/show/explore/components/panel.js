// What every panel is built with. Texts come from logs: they become text nodes, never markup.

const panels = (shared.panels ??= new Map()); // what a panel remembers across remounts, by key

const SHAPES = { fatal: "◆", error: "⊗", warn: "▲", info: "●", debug: "○", trace: "–" };
const GRAVEST_FIRST = Object.keys(SHAPES);

function remembered(key, make) {
  if (!panels.has(key)) panels.set(key, make());
  return panels.get(key);
}

// The children of `parent`, one an item and in its order; those that stay are the same elements,
// so that nothing flickers, and focus and what is being read stay.
function arrange(parent, items, keyOf, make, update) {
  const kept = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const root = parent.getRootNode();
  const focused = root.activeElement;
  let before = null;
  items.forEach((item, place) => {
    const key = String(keyOf(item, place));
    let child = kept.get(key);
    if (child) kept.delete(key);
    else {
      child = make(item);
      child.dataset.key = key;
    }
    const wanted = before ? before.nextSibling : parent.firstChild;
    if (child !== wanted) parent.insertBefore(child, wanted);
    update(child, item, place);
    before = child;
  });
  for (const child of kept.values()) child.remove();
  // What is moved to another place loses the focus on the way.
  if (parent.contains(focused) && root.activeElement !== focused) focused.focus({ preventScroll: true });
}

// A name or value on one line. A direction of its own, so that it moves nothing beside it.
function writeName(target, text) {
  write(target, cleanText(text).replace(/\s+/g, " "));
  target.dir = "auto";
}

function setTitle(target, text) {
  if (target.title !== text) target.title = text;
}

function setRole(target, role, label) {
  target.setAttribute("role", role);
  target.setAttribute("aria-label", label);
}

// What is typed is kept in `memory.sought`.
function searchBox(words, memory, draw) {
  const box = element("input", "search");
  box.type = "search";
  box.placeholder = words;
  box.setAttribute("aria-label", words);
  box.maxLength = 100;
  box.value = memory.sought;
  box.oninput = () => {
    memory.sought = box.value;
    draw();
  };
  return box;
}

function severityMark(word, className = "severity") {
  const mark = element("span", className, `${SHAPES[word] ?? "○"} ${word}`);
  mark.style.setProperty("--colour", `var(--severity-${word})`);
  return mark;
}

// A thin bar; in steps that can be seen, for every other width lays the page out for nothing.
function setShare(bar, share) {
  const width = share > 0 ? `max(2px, ${(Math.min(1, share) * 100).toFixed(1)}%)` : "0px";
  if (bar.dataset.width !== width) bar.style.width = bar.dataset.width = width;
}

// Which colour is a service's own: FNV-1a over its bytes, as palette.py does.
function colourIndex(name, count) {
  let digest = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) {
    digest = Math.imul(digest ^ byte, 0x01000193) >>> 0;
  }
  return digest % count;
}

// What floats over the page beside what it explains; it stays while the pointer is on it.
class Floating {
  constructor(root, className) {
    this.box = root.appendChild(element("div", `floating ${className}`));
    this.box.popover = "manual";
    this.anchor = null;
    this.box.addEventListener("pointerenter", () => clearTimeout(this.leaving));
    this.box.addEventListener("pointerleave", () => this.leave());
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.anchor?.focus();
      this.hide();
    });
    this.box.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.box.contains(event.relatedTarget)) this.leave();
    });
  }

  show(anchor) {
    clearTimeout(this.leaving);
    this.anchor = anchor;
    if (!this.box.matches(":popover-open")) this.box.showPopover();
    this.place();
  }

  place() {
    if (!this.anchor?.isConnected) return this.hide();
    const at = this.anchor.getBoundingClientRect();
    const { width, height } = this.box.getBoundingClientRect();
    const below = at.bottom + 4;
    const top = below + height < innerHeight - 8 ? below : Math.max(8, at.top - height - 4);
    this.box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    this.box.style.top = `${top}px`;
  }

  leave() {
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => this.hide(), 250);
  }

  hide() {
    clearTimeout(this.leaving);
    this.anchor = null;
    if (this.box.matches(":popover-open")) this.box.hidePopover();
  }
}

// Rows that arrow keys walk through: up and down from row to row, left and right among a row's
// controls, letters for its acts. Tab stops once in each group of rows.
class Rows {
  constructor(root, group, row, letters = {}) {
    Object.assign(this, { group, row, letters });
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusin", ({ target }) => this.note(target));
  }

  controls(row) {
    return [...row.querySelectorAll("button")].filter((one) => !one.hidden);
  }

  keepOneStop(group) {
    const rows = [...group.querySelectorAll(this.row)];
    const current = rows.find((row) => "stop" in row.dataset) ?? rows[0];
    for (const row of rows) {
      this.controls(row).forEach((one, at) => (one.tabIndex = row === current && at === 0 ? 0 : -1));
    }
  }

  note(target) {
    const row = target.closest?.(this.row);
    if (!row || "stop" in row.dataset) return;
    const group = row.closest(this.group);
    for (const other of group.querySelectorAll("[data-stop]")) delete other.dataset.stop;
    row.dataset.stop = "";
    this.keepOneStop(group);
  }

  key(event) {
    const row = event.target.closest?.(this.row);
    if (!row || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.actOf(event.key.length === 1 ? event.key.toLowerCase() : event.key, row, event.target);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation(); // the page listens to keys too
    act();
  }

  actOf(key, row, target) {
    const rows = [...row.closest(this.group).querySelectorAll(this.row)];
    const last = rows.length - 1;
    const at = rows.indexOf(row);
    const goal = { ArrowDown: Math.min(last, at + 1), ArrowUp: Math.max(0, at - 1), Home: 0, End: last }[key];
    if (goal !== undefined) return () => this.controls(rows[goal])[0]?.focus();
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    const controls = this.controls(row);
    if (step) return () => controls[Math.max(0, Math.min(controls.length - 1, controls.indexOf(target) + step))].focus();
    const letter = this.letters[key];
    return letter && row.querySelector(letter) ? () => row.querySelector(letter).click() : null;
  }
}

// What a component exports: `make(root, tell)` once a mount, then `update(data)` of it each run.
function mounted(make) {
  return ({ parentElement, data, setTriggerValue }) => {
    const root = parentElement.querySelector(".panel");
    const tell = (asked) => setTriggerValue("asked", { ...asked, name: `${Date.now()} ${Math.random()}` });
    root.view ??= make(root, data);
    root.view.tell = tell;
    root.view.update(data);
    return () => {
      root.view?.end?.();
      root.view = undefined;
      root.replaceChildren();
    };
  };
}
