// Azure's Web PubSub client, driven line by line from a test: a command in, events out.

import { createInterface } from "node:readline";
import {
  WebPubSubClient,
  WebPubSubJsonProtocol,
  WebPubSubJsonReliableProtocol,
} from "@azure/web-pubsub-client";

const [protocolName, firstUrl] = process.argv.slice(2);
let url = firstUrl;
const protocol =
  protocolName === "reliable" ? WebPubSubJsonReliableProtocol() : WebPubSubJsonProtocol();
const client = new WebPubSubClient(
  { getClientAccessUrl: async () => url },
  { protocol, reconnectRetryOptions: { maxRetries: 200, retryDelayInMs: 100, mode: "Fixed" } },
);
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

client.on("connected", (event) => tell({ event: "connected", id: event.connectionId }));
client.on("disconnected", (event) => tell({ event: "disconnected", message: event.message?.message }));
client.on("stopped", () => tell({ event: "stopped" }));
client.on("rejoin-group-failed", (event) => tell({ event: "rejoin failed", group: event.group }));
client.on("group-message", ({ message }) =>
  tell({ event: "message", group: message.group, data: message.data, sequenceId: message.sequenceId }),
);

const commands = {
  start: () => client.start(),
  join: (group) => client.joinGroup(group),
  leave: (group) => client.leaveGroup(group),
  send: (group, content) => client.sendToGroup(group, content, "json"),
  url: async (next) => {
    url = next;
  },
  // The line breaks without a goodbye, as when a cable is pulled.
  cut: async () => client._wsClient._socket._socket.destroy(),
  stop: async () => client.stop(),
};
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  try {
    await commands[name](...given);
    tell({ event: "done", command: name });
  } catch (error) {
    const detail = error.errorDetail?.name ?? error.cause?.message ?? "";
    tell({ event: "failed", command: name, message: `${error.message} ${detail}` });
  }
}
process.exit(0);
