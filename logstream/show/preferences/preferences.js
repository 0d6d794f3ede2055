// Keeps what the reader prefers in a cookie, so that the next visit's first drawing knows it.

const YEAR_SECONDS = 31_536_000;
const written = (globalThis.__logstreamPreferences ??= { change: "" });

export default function ({ data }) {
  // A remount shows an old change again, and another tab may have written since.
  if (!data.change || data.change === written.change) return;
  written.change = data.change;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${data.name}=${data.value}; path=/; max-age=${YEAR_SECONDS}; samesite=lax${secure}`;
}
