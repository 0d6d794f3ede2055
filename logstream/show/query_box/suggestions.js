// What may come next, as a list below the box.

const REST_MS = 120; // between typing and asking

class Suggestions {
  constructor(list, { onTake, onChange }) {
    this.list = list;
    this.onTake = onTake;
    this.onChange = onChange;
    this.questions = new Questions();
    this.found = [];
    this.active = -1;
    this.asked = 0;
  }

  use(data) {
    this.questions.use(data.serviceUrl || `${location.protocol}//${location.hostname}:${data.servicePort}`);
    this.questions.pass = data.pass;
    Questions.relayPath = data.relayPath;
    this.parameters = data.parameters;
    this.refused = data.refused;
    this.offered = data.offered;
  }

  get isOpen() {
    return this.found.length > 0;
  }

  askSoon(text, caret) {
    clearTimeout(this.resting);
    const turn = ++this.asked;
    this.resting = setTimeout(() => this.ask(text, caret, turn), REST_MS);
  }

  // Without an answer there are no suggestions, and typing goes on.
  async ask(text, caret, turn = ++this.asked) {
    const q = new URLSearchParams({ ...this.parameters, q: text, caret: characters(text, caret) });
    const { suggestions } = await this.questions.ask(`/logs/complete?${q}`).catch(() => ({ suggestions: [] }));
    if (turn !== this.asked) return;
    const found = suggestions
      .filter((one) => !this.refused.includes(/^-?([\w.@-]+?)(?:[:<>]|!?=)/.exec(one.text)?.[1]))
      .map((one) => ({ ...one, start: units(text, one.start), end: units(text, one.end) }));
    this.show([...this.ownTo(text, caret), ...found]);
  }

  // What only this page understands, fitting the word before the caret.
  ownTo(text, caret) {
    const typed = /[^\s()"-][^\s()"]*$/.exec(text.slice(0, caret))?.[0] ?? "";
    if (!typed) return [];
    return this.offered
      .filter(([own]) => own.startsWith(typed) && own !== typed)
      .map(([own, detail]) => ({ text: own, label: own, detail, start: caret - typed.length, end: caret }));
  }

  show(found) {
    this.found = found;
    this.active = -1;
    this.list.replaceChildren(...found.map((one, at) => this.option(one, at)));
    this.list.hidden = !found.length;
    this.onChange();
  }

  option(suggestion, at) {
    const item = document.createElement("li");
    item.id = `suggestion-${at}`;
    item.role = "option";
    item.ariaSelected = "false";
    for (const [name, text] of [["what", suggestion.label], ["detail", suggestion.detail]]) {
      const part = item.appendChild(document.createElement("span"));
      part.className = name;
      part.textContent = text;
      part.title = text;
    }
    // Before the box loses the focus.
    item.onmousedown = (event) => {
      event.preventDefault();
      this.onTake(suggestion);
    };
    return item;
  }

  close() {
    clearTimeout(this.resting);
    this.asked++;
    if (this.isOpen) this.show([]);
  }

  // -1 is the box itself, between the last and the first.
  move(step) {
    const places = this.found.length + 1;
    this.active = ((this.active + 1 + step + places) % places) - 1;
    [...this.list.children].forEach((item, at) => {
      item.ariaSelected = String(at === this.active);
      if (at === this.active) item.scrollIntoView({ block: "nearest" });
    });
    this.onChange();
  }
}

// The service counts characters, JavaScript counts units of 16 bits.
const characters = (text, units) => [...text.slice(0, units)].length;
const units = (text, characters) => [...text].slice(0, characters).join("").length;
