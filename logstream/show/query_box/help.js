// The short help: searches to try, each with what it asks for.

function fillHelp(help, { intro: words, examples }, onTry) {
  if (help.dataset.intro === words) return;
  help.replaceChildren();
  help.dataset.intro = words;
  const intro = help.appendChild(document.createElement("p"));
  intro.textContent = `${words} Click an example to try it.`;
  const list = help.appendChild(document.createElement("dl"));
  for (const [search, meaning] of examples) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = search;
    button.onclick = () => onTry(search);
    list.appendChild(document.createElement("dt")).append(button);
    list.appendChild(document.createElement("dd")).textContent = meaning;
  }
}
