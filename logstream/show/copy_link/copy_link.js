// Copies the address of this view with its relative range made absolute.

export function frozenParameters(parameters, rangeSeconds, nowMs) {
  const frozen = { ...parameters };
  if (rangeSeconds) {
    const iso = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
    const end = Math.floor(nowMs / 1000) + 1;
    delete frozen.range;
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

export default function (component) {
  const { parentElement, data } = component;
  const button = parentElement.querySelector("button");
  const field = parentElement.querySelector("input");
  button.title = data.rangeSeconds
    ? "Copies this view with its time range fixed as of now"
    : "Copies this view";
  button.onclick = async () => {
    const parameters = frozenParameters(data.parameters, data.rangeSeconds, Date.now());
    // While the past is played, only the browser knows where it is.
    const url = new URL(location.href).searchParams;
    if (url.has("at") && parameters.at) {
      parameters.at = url.get("at");
      delete parameters.speed;
      if (url.has("speed")) parameters.speed = url.get("speed");
    }
    const query = new URLSearchParams(parameters);
    carryFeed(query);
    const link = `${location.origin}${location.pathname}${query.size ? `?${query}` : ""}`;
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
}
