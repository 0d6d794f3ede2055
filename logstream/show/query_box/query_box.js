// The box in which a search is typed. What is typed stays as it is until somebody else changes the
// search; Python hears of it after a rest, at once at Enter.

const TYPING_MS = 300;
// A field whose value is still to come: nobody means the text `service:`.
const UNFINISHED = /(?:^|[\s(-])(?:service|env|severity|pattern|trace|latency|duration|spans|errors|status|root|operation|kind):$/;
const page = (globalThis.__logstream ??= { feeds: new Map(), status: null, events: new EventTarget() });

class QueryBox {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    [this.root, this.box, this.input] = [root, find(".box"), find("input")];
    [this.panel, this.help, this.mistakeBox] = [find(".panel"), find(".help"), find(".mistake")];
    this.turn = 0; // of what was told last
    this.told = ""; // the text that Python knows
    this.mistake = null;
    this.suggestions = new Suggestions(find("ul"), {
      onTake: (one) => this.take(one),
      onChange: () => this.draw(),
    });
    this.input.oninput = () => this.typed();
    this.input.onkeydown = (event) => this.press(event);
    this.input.onblur = () => this.leave();
    this.input.onfocus = () => this.draw();
    this.input.onclick = () => this.suggestions.isOpen && this.askAgain();
    find(".ask-help").onclick = () => this.toggleHelp();
    this.moved = () => this.place();
    this.slash = (event) => this.focusAt(event);
  }

  // The same listener twice is one.
  begin() {
    addEventListener("resize", this.moved);
    addEventListener("scroll", this.moved, true);
    document.addEventListener("keydown", this.slash);
    page.focusSearch = () => this.focus();
  }

  end() {
    clearTimeout(this.waiting);
    this.suggestions.close();
    removeEventListener("resize", this.moved);
    removeEventListener("scroll", this.moved, true);
    document.removeEventListener("keydown", this.slash);
  }

  update(data, tell) {
    this.tell = tell;
    this.data = data;
    this.suggestions.use(data);
    this.input.disabled = !data.isEnabled;
    this.input.placeholder = data.placeholder;
    this.input.maxLength = data.maxCharacters;
    // An answer to something older than what was told last says nothing about it.
    if (data.turn >= this.turn && !this.waiting) {
      this.mistake = data.mistake;
      // Blanks at the ends are no part of a search, but of typing.
      if (data.text.trim() !== this.input.value.trim()) this.input.value = data.text;
      this.told = this.input.value;
    }
    this.draw();
  }

  get isFocused() {
    return this.root.activeElement === this.input || this.input.matches(":focus");
  }

  typed() {
    clearTimeout(this.waiting);
    this.isFinal = false;
    this.waiting = UNFINISHED.test(this.input.value) ? undefined : setTimeout(() => this.apply(), TYPING_MS);
    this.askAgain();
  }

  askAgain() {
    this.suggestions.askSoon(this.input.value, this.input.selectionStart);
  }

  apply() {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    const text = this.input.value;
    if (text.trim() === this.told.trim()) return;
    this.told = text;
    this.turn = Math.max(Date.now(), this.turn + 1);
    this.tell({ text, turn: this.turn });
  }

  press(event) {
    const { suggestions } = this;
    if (event.isComposing) return;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        event.preventDefault();
        if (suggestions.isOpen) suggestions.move(event.key === "ArrowDown" ? 1 : -1);
        else suggestions.ask(this.input.value, this.input.selectionStart);
        return;
      case "Tab":
      case "Enter":
        if (suggestions.active >= 0) {
          event.preventDefault();
          this.take(suggestions.found[suggestions.active]);
        } else if (event.key === "Enter") {
          suggestions.close();
          this.isFinal = true;
          this.apply();
          this.draw();
        }
        return;
      case "Escape":
        // The browser would empty the box.
        event.preventDefault();
        if (suggestions.isOpen) suggestions.close();
        else this.input.blur();
    }
  }

  take({ text, start, end, kind }) {
    const { input } = this;
    const after = input.value.slice(end);
    const isDone = kind === "value";
    const added = text + (isDone && !after ? " " : "");
    input.value = input.value.slice(0, start) + added + after;
    input.setSelectionRange(start + added.length, start + added.length);
    this.suggestions.close();
    if (isDone) this.apply();
    else this.suggestions.ask(input.value, input.selectionStart);
  }

  leave() {
    this.suggestions.close();
    this.apply();
    this.draw();
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  focusAt(event) {
    const isTyping = event.composedPath()[0]?.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || event.defaultPrevented || isTyping) return;
    if (event.ctrlKey || event.metaKey || event.altKey || this.input.disabled) return;
    event.preventDefault();
    this.focus();
  }

  toggleHelp() {
    fillHelp(this.help, this.data, (search) => {
      this.help.hidePopover();
      if (this.input.disabled) return;
      this.input.value = search;
      this.input.focus();
      this.apply();
    });
    this.help.togglePopover();
    this.place();
  }

  draw() {
    const { mistake, suggestions, input, mistakeBox } = this;
    // What has been typed since may be right.
    const isWrong = Boolean(mistake) && this.told.trim() === input.value.trim();
    const isQuiet = isWrong && mistake.isAtEnd && !this.isFinal;
    this.box.classList.toggle("wrong", isWrong && !isQuiet);
    input.setAttribute("aria-invalid", String(isWrong));
    if (isWrong) input.setAttribute("aria-describedby", "mistake");
    else input.removeAttribute("aria-describedby");
    mistakeBox.hidden = !isWrong;
    mistakeBox.classList.toggle("quiet", isQuiet);
    if (isWrong) {
      const [pre, problem, hint] = mistakeBox.children;
      pre.textContent = mistake.lines.replaceAll(/^ {2}/gm, "");
      problem.textContent = mistake.problem;
      hint.textContent = mistake.hint;
    }
    this.box.ariaExpanded = String(suggestions.isOpen);
    if (suggestions.active >= 0) input.setAttribute("aria-activedescendant", `suggestion-${suggestions.active}`);
    else input.removeAttribute("aria-activedescendant");
    const isShown = (isWrong || suggestions.isOpen) && this.isFocused;
    if (isShown !== this.panel.matches(":popover-open")) this.panel.togglePopover(isShown);
    if (isShown) this.place();
  }

  place() {
    const { left, bottom, width } = this.box.getBoundingClientRect();
    for (const one of [this.panel, this.help]) {
      if (!one.matches(":popover-open")) continue;
      if (one === this.panel) one.style.minWidth = `${Math.min(Math.max(width, 260), innerWidth - 16)}px`;
      const room = innerWidth - one.offsetWidth - 8;
      one.style.left = `${Math.max(8, Math.min(left, room))}px`;
      one.style.top = `${bottom + 4}px`;
    }
  }
}

const boxes = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let box = boxes.get(parentElement);
  if (!box) boxes.set(parentElement, (box = new QueryBox(parentElement)));
  box.begin();
  box.update(data, (typed) => setTriggerValue("typed", typed));
  return () => box.end();
}
