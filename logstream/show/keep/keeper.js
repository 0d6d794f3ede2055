// Draws nothing: remembers searches that stayed for a while, and tells Streamlit how the lines
// are shown, which it needs to know when a view is saved.

const SETTLED_MS = 3000; // while somebody types, every letter is another search
const LOOK_MS = 250;
const kept = (globalThis.__logstreamKeeper ??= { timer: 0, said: "" });

function currentLook(names) {
  const { options } = globalThis.__logstream ?? {};
  if (!options) return null;
  return Object.fromEntries(names.map((name) => [name, options.get(name)]));
}

export default function ({ data, setStateValue }) {
  clearTimeout(kept.timer);
  if (data.words) {
    const search = { parameters: data.parameters, words: data.words };
    kept.timer = setTimeout(() => rememberSearch({ ...search, at: Date.now() }), SETTLED_MS);
  }
  const tell = () => {
    const look = currentLook(data.look);
    const text = JSON.stringify(look);
    if (look === null || text === JSON.stringify(data.known)) return;
    setStateValue("look", look);
  };
  // The lines are mounted after us; a change of many options is told once.
  let waiting = setTimeout(tell, LOOK_MS);
  const changed = () => {
    clearTimeout(waiting);
    waiting = setTimeout(tell, LOOK_MS);
  };
  addEventListener("logstream-look", changed);
  return () => {
    clearTimeout(waiting);
    removeEventListener("logstream-look", changed);
  };
}
