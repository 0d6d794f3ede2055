// The last searches of this browser. They stay in it: nothing here is sent but the one opened.

const RECENT = "logstream.recent";
const MOST_RECENT = 20;

// [{ parameters: {name: text}, words, at }], the newest first; whatever else is stored falls away.
function readRecent() {
  try {
    const stored = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return (Array.isArray(stored) ? stored : []).filter(isSearch).slice(0, MOST_RECENT);
  } catch {
    return [];
  }
}

function isSearch(one) {
  return (
    typeof one?.words === "string" &&
    Number.isFinite(one.at) &&
    typeof one.parameters === "object" &&
    one.parameters !== null &&
    Object.values(one.parameters).every((value) => typeof value === "string")
  );
}

function writeRecent(searches) {
  try {
    localStorage.setItem(RECENT, JSON.stringify(searches.slice(0, MOST_RECENT)));
  } catch {
    // Storage can be forbidden or full: then nothing is remembered.
  }
}

function sameSearch(one, other) {
  const names = (parameters) => Object.keys(parameters).sort();
  return (
    names(one).join() === names(other).join() && names(one).every((name) => one[name] === other[name])
  );
}

function rememberSearch(search) {
  const others = readRecent().filter(({ parameters }) => !sameSearch(parameters, search.parameters));
  writeRecent([search, ...others]);
}
