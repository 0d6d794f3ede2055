// Steps through system, light and dark, and reloads: the view is in the URL and comes back.

const CHOICES = ["System", "Light", "Dark"];
const FILLS = {
  System: "M8 2.5a5.5 5.5 0 0 1 0 11Z",
  Light: "M8 5.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5Z",
  Dark: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11Z",
};

const storageKey = (path) => `stActiveTheme-${path}-v2`;

function chosenTheme() {
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey(location.pathname)));
    return CHOICES.includes(stored) ? stored : "System";
  } catch {
    return "System";
  }
}

export default function (component) {
  const { parentElement, data } = component;
  const button = parentElement.querySelector("button");
  const chosen = chosenTheme();
  const next = CHOICES[(CHOICES.indexOf(chosen) + 1) % CHOICES.length];
  button.querySelector("path").setAttribute("d", FILLS[chosen]);
  button.querySelector("span").textContent = chosen === "System" ? "Auto" : chosen;
  button.title = `Theme: ${chosen.toLowerCase()}; change to ${next.toLowerCase()}`;
  button.setAttribute("aria-label", button.title);
  button.onclick = () => {
    const base = data.here
      ? location.pathname.slice(0, location.pathname.lastIndexOf(data.here))
      : location.pathname;
    for (const path of new Set([location.pathname, ...data.paths.map((name) => base + name)])) {
      localStorage.setItem(storageKey(path), JSON.stringify(next));
    }
    location.reload();
  };
}
