// Copies the address of this view with its relative range made absolute.

export function frozenParameters(parameters, rangeSeconds, nowMs) {
  const frozen = { ...parameters };
  if (rangeSeconds) {
    const iso = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
    const end = Math.floor(nowMs / 1000) + 1;
    delete frozen.range; // a time beside `view` replaces that of the view
    frozen.from = iso(end - rangeSeconds);
    frozen.to = iso(end);
  }
  return frozen;
}

// The feed changes the open line and how it looks without telling the server: the address knows.
function carryFeed(query) {
  const feed = globalThis.__logstream;
  if (![...(feed?.feeds.values() ?? [])].some(({ root }) => root)) return;
  const line = new URL(location.href).searchParams.get("line");
  if (line) query.set("line", line);
  else query.delete("line");
  feed.options.writeTo(query);
}

async function copy(text) {
  if (navigator.clipboard && globalThis.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Permission refused: the old way may still work.
    }
  }
  // Plain http has no clipboard API.
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position:fixed;opacity:0";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  return isCopied;
}

// Hands the look of the saved view that is open to the lines, which may be drawn later.
function openView(view) {
  const kept = (globalThis.__logstreamView ??= { id: "", times: 0, look: {} });
  const [id, times] = [view?.id ?? "", view?.times ?? 0];
  const isSame = kept.id === id && kept.times === times && JSON.stringify(kept.look) === JSON.stringify(view?.look ?? {});
  // The first one of a page comes from its address, which may say more than the view.
  const isOpened = times !== kept.times && times > 0;
  if (isSame) return;
  Object.assign(kept, { id, times, look: view?.look ?? {} });
  globalThis.__logstream?.options?.openView(kept.look, isOpened);
}

function linkOf(data, isFixed) {
  const parameters = isFixed
    ? frozenParameters(data.parameters, data.rangeSeconds, Date.now())
    : { ...data.parameters };
  // While the past is played, only the browser knows where it is.
  const url = new URL(location.href).searchParams;
  if (url.has("at") && parameters.at) {
    parameters.at = url.get("at");
    delete parameters.speed;
    if (url.has("speed")) parameters.speed = url.get("speed");
  }
  const query = new URLSearchParams(parameters);
  carryFeed(query);
  return `${location.origin}${location.pathname}${query.size ? `?${query}` : ""}`;
}

export default function (component) {
  const { parentElement, data } = component;
  const find = (selector) => parentElement.querySelector(selector);
  const button = find(".main");
  const field = find("input");
  const more = find(".more");
  const ways = find(".ways");
  openView(data.view);
  const isShort = Boolean(data.view) && !data.view.isModified;
  if (isShort) button.title = "Copies the short link of this saved view";
  else if (data.rangeSeconds) button.title = "Copies this view with its time range fixed as of now";
  else button.title = "Copies this view";
  more.hidden = !data.rangeSeconds;
  find(".fixed i").textContent = "Whoever opens the link sees the lines you see.";
  find(".relative i").textContent = `Whoever opens it sees the last ${data.rangeText} of their own time.`;

  const give = async (link) => {
    const isCopied = await copy(link);
    button.dataset.link = link;
    button.textContent = isCopied ? "Copied" : "Copy this:";
    field.hidden = isCopied;
    field.value = link;
    if (!isCopied) {
      field.select();
      return;
    }
    clearTimeout(button.back);
    button.back = setTimeout(() => {
      button.textContent = "Copy link";
    }, 1500);
  };
  button.onclick = () => give(linkOf(data, !isShort));
  more.onclick = () => {
    const { right, bottom } = more.getBoundingClientRect();
    ways.style.right = `${document.documentElement.clientWidth - right}px`;
    ways.style.top = `${bottom + 4}px`;
    ways.togglePopover();
  };
  for (const [name, isFixed] of [["fixed", true], ["relative", false]]) {
    find(`.${name}`).onclick = () => {
      ways.hidePopover();
      give(linkOf(data, isFixed));
    };
  }
}
