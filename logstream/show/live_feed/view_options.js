// The View panel: how the feed looks, for the reader to choose.

const OFFERED_KEYS = 30;
const DENSITIES = [["compact", "Compact"], ["normal", "Normal"], ["roomy", "Roomy"]];
const ENDS = [["top", "Top"], ["bottom", "Bottom"]];

class ViewOptions {
  constructor(el, button, feed) {
    this.el = el;
    this.button = button;
    this.feed = feed;
    button.onclick = () => this.toggle();
  }

  get isOpen() {
    return !this.el.hidden;
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  open() {
    this.shares = attributeShares(this.feed.store.rows);
    this.sought = "";
    this.el.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.draw();
    this.el.querySelector("input:checked")?.focus();
  }

  close() {
    if (!this.isOpen) return;
    const hasFocus = this.el.contains(this.el.getRootNode().activeElement);
    this.el.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (hasFocus) this.button.focus();
  }

  // A click elsewhere closes; the button itself toggles.
  pressed(event) {
    if (!this.isOpen) return;
    const path = event.composedPath();
    if (!path.includes(this.el) && !path.includes(this.button)) this.close();
  }

  // After any change, wherever it came from; the focus stays on the control it was on.
  draw() {
    if (!this.isOpen) return;
    const { options } = this.feed;
    const focused = this.el.getRootNode().activeElement?.dataset?.control;
    const scrolled = this.el.scrollTop;
    const wrap = this.check("wrap", "Wrap long messages", options.get("wrap") === "1", (isOn) => options.set("wrap", isOn ? "1" : "0"));
    const usual = button("action", "Back to usual", "Show the feed as it comes, and forget what was chosen", () => options.reset());
    usual.dataset.control = "usual";
    usual.disabled = options.isUsual;
    const foot = element("div", "view-foot");
    foot.append(usual, this.closer());
    this.el.replaceChildren(
      this.choice("rows", "Rows", DENSITIES),
      ...(this.feed.canTurnAround ? [this.choice("newest", "Newest line", ENDS)] : []),
      wrap,
      this.times(),
      this.columns(),
      this.adder(),
      foot,
    );
    this.el.scrollTop = scrolled;
    if (focused) this.focus(focused);
  }

  // A control that is gone or of no more use hands the focus to its neighbour.
  focus(control) {
    const controls = [...this.el.querySelectorAll("[data-control]:enabled")];
    const find = (name) => controls.find((el) => el.dataset.control === name);
    (find(control) ?? find(control.startsWith("offer") ? "attribute" : "close")).focus();
  }

  closer() {
    const made = button("action", "Close", "Close (Esc)", () => this.close());
    made.dataset.control = "close";
    return made;
  }

  choice(name, label, values) {
    const { options } = this.feed;
    const box = element("div", "choice");
    box.setAttribute("role", "radiogroup");
    box.setAttribute("aria-label", label);
    const group = element("span", "segments");
    for (const [value, words] of values) {
      const segment = element("label", "segment");
      const input = element("input");
      Object.assign(input, { type: "radio", name: `view-${name}`, value, checked: options.get(name) === value });
      input.dataset.control = `${name} ${value}`;
      input.onchange = () => options.set(name, value);
      segment.append(input, element("span", "", words));
      group.append(segment);
    }
    box.append(element("span", "view-label", label), group);
    return box;
  }

  check(control, label, isOn, onChange) {
    const box = element("label", "check");
    const input = element("input");
    Object.assign(input, { type: "checkbox", checked: isOn });
    input.dataset.control = control;
    input.onchange = () => onChange(input.checked);
    box.append(input, element("span", "", label));
    return box;
  }

  times() {
    const { options, clock, store } = this.feed;
    const box = element("label", "choice");
    const select = element("select");
    select.dataset.control = "times";
    const newest = store.rows.at(-1);
    const ms = newest?.ms ?? Date.now();
    const iso = newest?.line.createdAt ?? new Date(ms).toISOString();
    for (const [value, { label, write }] of Object.entries(TIMES)) {
      const option = element("option", "", `${label}: ${write(clock, ms, iso)}`);
      option.value = value;
      option.selected = options.get("times") === value;
      select.append(option);
    }
    select.onchange = () => options.set("times", select.value);
    box.append(element("span", "view-label", "Times"), select);
    return box;
  }

  columns() {
    const { head } = this.feed;
    const { chosen } = head;
    const list = element("ul", "view-columns");
    list.setAttribute("aria-label", "Columns");
    chosen.forEach((column, at) => list.append(this.chosenColumn(column, at, chosen)));
    letReorder(list, "li.on", true, (from, to) => {
      if (to < chosen.length) head.move(chosen[from].name, chosen[to].name);
    });
    const names = chosen.map(({ name }) => name);
    for (const name of Object.keys(COLUMNS).filter((name) => !names.includes(name))) {
      const item = element("li");
      item.append(this.check(`column ${name}`, columnLabel(name), false, () => this.add(name)));
      list.append(item);
    }
    return list;
  }

  chosenColumn(column, at, chosen) {
    const { head } = this.feed;
    const { name, isAuto } = column;
    const item = element("li", "on");
    const label = columnLabel(name);
    const box = this.check(`column ${name}`, label, true, () => head.choose(chosen.filter((other) => other !== column)));
    const isHidden = isAuto && !this.feed.showsEnvironment;
    if (isHidden) box.append(element("small", "", "when several are shown"));
    box.title = label;
    // The last one stays: a feed without columns shows nothing.
    box.querySelector("input").disabled = chosen.length === 1;
    const grip = element("span", "grip", "⠿");
    grip.setAttribute("aria-hidden", "true");
    item.append(grip, box);
    for (const [sign, step, words] of [["↑", -1, "earlier"], ["↓", 1, "later"]]) {
      const control = `${words} ${name}`;
      const mover = button("icon-small", sign, `Move ${label} ${words}`, () => {
        head.move(name, chosen[at + step].name);
        // At the end of the list the button is of no more use: the other one is near.
        if (this.el.getRootNode().activeElement?.dataset?.control !== control) this.focus(`column ${name}`);
      });
      mover.dataset.control = control;
      mover.disabled = !chosen[at + step];
      item.append(mover);
    }
    return item;
  }

  // A key can be typed or chosen among those of the loaded lines.
  adder() {
    const box = element("div", "adder");
    const input = element("input");
    Object.assign(input, { type: "text", placeholder: "Add an attribute: http.route", value: this.sought, maxLength: 199, spellcheck: false });
    input.setAttribute("aria-label", "Attribute to add as a column");
    input.dataset.control = "attribute";
    const keys = element("div", "keys-seen");
    const offer = () => {
      this.sought = input.value;
      keys.replaceChildren(...this.offers(input.value.trim().toLowerCase()));
    };
    input.oninput = offer;
    input.onkeydown = (event) => {
      if (event.key !== "Enter" || !input.value.trim()) return;
      event.preventDefault();
      const name = `@${input.value.trim().replace(/^@/, "")}`;
      this.sought = "";
      if (name.length > 1) this.add(name);
    };
    offer();
    box.append(input, keys);
    return box;
  }

  offers(sought) {
    const names = new Set(this.feed.head.chosen.map(({ name }) => name));
    const found = this.shares.filter(([key]) => !names.has(`@${key}`) && key.toLowerCase().includes(sought));
    const offers = found.slice(0, OFFERED_KEYS).map(([key, share]) => {
      const offer = button("offer", cleanText(key), `Show ${cleanText(key)} as a column`, () => this.add(`@${key}`));
      offer.dataset.control = `offer ${key}`;
      const percent = Math.round(share * 100);
      offer.append(element("small", "", percent ? `${percent} %` : "<1 %"));
      return offer;
    });
    if (found.length > OFFERED_KEYS) {
      offers.push(element("p", "note", `${thousands(found.length - OFFERED_KEYS)} more; type to find one`));
    } else if (!found.length) {
      offers.push(element("p", "note", this.shares.length ? "No other key is in the loaded lines" : "The loaded lines have no attributes"));
    }
    return offers;
  }

  // Before the message, which takes what is left.
  add(name) {
    const { head } = this.feed;
    const columns = head.chosen;
    if (columns.some((column) => column.name === name)) return;
    const added = { name, width: null, isAuto: false };
    if (columns.at(-1).name === "message") columns.splice(-1, 0, added);
    else columns.push(added);
    head.choose(columns.slice(-MOST_COLUMNS));
  }
}
