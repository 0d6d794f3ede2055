// The menu of recent searches.

function agoWords(at, now) {
  const minutes = Math.max(0, Math.round((now - at) / 60_000));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}

export default function ({ parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".recent");
  const draw = () => {
    const searches = readRecent();
    const now = Date.now();
    const rows = searches.map((search) => {
      const row = document.createElement("button");
      row.type = "button";
      row.className = "search";
      const when = document.createElement("time");
      when.textContent = agoWords(search.at, now);
      when.title = new Date(search.at).toLocaleString();
      const words = document.createElement("span");
      words.textContent = search.words;
      row.append(words, when);
      row.onclick = () => setTriggerValue("open", search.parameters);
      return row;
    });
    if (!rows.length) {
      const none = document.createElement("div");
      none.className = "none";
      none.textContent = "Nothing yet. Searches with a filter are remembered here, in this browser only.";
      box.replaceChildren(none);
      return;
    }
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "clear";
    clear.textContent = "Forget all";
    clear.onclick = () => {
      writeRecent([]);
      draw();
    };
    box.replaceChildren(...rows, clear);
  };
  draw();
}
