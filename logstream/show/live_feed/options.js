// How the reader wants the feed to look: remembered in this browser, carried by links. What a
// link says holds for its view and is not remembered until the reader changes something.

// Name, which is also the URL parameter, and default. Values are text.
const OPTIONS = {
  cols: "", // columns in their order, "" for the usual ones
  rows: "normal", // density: compact, normal or roomy
  wrap: "0",
  newest: "top", // or bottom
  times: "ms", // how times are written
};
const OPTIONS_PREFERENCE = "logstream.options";

class Options {
  constructor(onChange) {
    this.onChange = onChange;
    this.remembered = this.readRemembered();
    const url = new URL(location.href).searchParams;
    this.linked = Object.fromEntries(Object.keys(OPTIONS).filter((name) => url.has(name)).map((name) => [name, url.get(name)]));
  }

  readRemembered() {
    try {
      return Object(JSON.parse(readPreference(OPTIONS_PREFERENCE) ?? "{}"));
    } catch {
      return {};
    }
  }

  get(name) {
    const value = this.linked[name] ?? this.remembered[name];
    return typeof value === "string" ? value : OPTIONS[name];
  }

  set(name, value) {
    delete this.linked[name];
    this.remembered[name] = value;
    writePreference(OPTIONS_PREFERENCE, JSON.stringify(this.remembered));
    this.onChange();
  }

  // The URL parameters of a link that looks the same.
  get parameters() {
    return Object.fromEntries(
      Object.keys(OPTIONS).map((name) => [name, this.get(name)]).filter(([name, value]) => value !== OPTIONS[name]),
    );
  }
}
