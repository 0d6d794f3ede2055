// How the reader wants the feed to look: remembered in this browser, carried by links. What a
// link says holds for this page and is not remembered until the reader changes it.

const oneOf = (...values) => (value) => values.includes(value);

// Name, which is also the URL parameter: the default, and whether a value can be meant. Values
// are text; others fall away.
const OPTIONS = {
  cols: { usual: "", isValid: (value) => value === "" || readColumns(value).length > 0 },
  rows: { usual: "normal", isValid: oneOf("compact", "normal", "roomy") },
  wrap: { usual: "0", isValid: oneOf("0", "1") },
  newest: { usual: "top", isValid: oneOf("top", "bottom") },
  times: { usual: "ms", isValid: (value) => Object.hasOwn(TIMES, value) },
};
const OPTION_NAMES = Object.keys(OPTIONS);
const OPTIONS_PREFERENCE = "logstream.options";

function validOptions(given) {
  const isValid = (name) => typeof given[name] === "string" && OPTIONS[name].isValid(given[name]);
  return Object.fromEntries(OPTION_NAMES.filter(isValid).map((name) => [name, given[name]]));
}

class Options {
  constructor() {
    this.onChange = () => {};
    this.remembered = this.readRemembered();
    this.linked = validOptions(Object.fromEntries(new URL(location.href).searchParams));
    this.view = validOptions(Object(globalThis.__logstreamView?.look)); // of the saved view that is open
  }

  // As a saved view says; one that was just opened wins over what a link said.
  openView(look, isOpened) {
    this.view = validOptions(look);
    if (isOpened) this.linked = {};
    this.onChange();
    this.tell();
  }

  readRemembered() {
    try {
      return validOptions(Object(JSON.parse(readPreference(OPTIONS_PREFERENCE) ?? "{}")));
    } catch {
      return {};
    }
  }

  get(name) {
    return this.linked[name] ?? this.view[name] ?? this.remembered[name] ?? OPTIONS[name].usual;
  }

  set(name, value) {
    // Another tab may have changed another option meanwhile.
    this.remembered = { ...this.remembered, ...this.readRemembered(), [name]: value };
    delete this.linked[name];
    // Where a saved view says how it is, this is how it was changed.
    if (name in this.view) this.linked[name] = value;
    this.store();
  }

  reset() {
    this.remembered = {};
    this.linked = Object.fromEntries(Object.keys(this.view).map((name) => [name, OPTIONS[name].usual]));
    this.store();
  }

  store() {
    writePreference(OPTIONS_PREFERENCE, JSON.stringify(this.remembered));
    this.onChange();
    this.tell();
  }

  tell() {
    globalThis.dispatchEvent(new Event("logstream-look"));
  }

  get isUsual() {
    return OPTION_NAMES.every((name) => this.get(name) === OPTIONS[name].usual);
  }

  // Makes `parameters` (URLSearchParams) those of a page that looks the same.
  writeTo(parameters) {
    for (const name of OPTION_NAMES) {
      const value = this.get(name);
      if (name in this.view) {
        if (value === this.view[name]) parameters.delete(name);
        else if (parameters.get(name) !== value) parameters.set(name, value);
        continue;
      }
      // A link that says "as usual" says so on, for those who remember something else.
      const isSaid = value !== OPTIONS[name].usual || name in this.linked;
      if (!isSaid) parameters.delete(name);
      else if (parameters.get(name) !== value) parameters.set(name, value);
    }
  }
}
