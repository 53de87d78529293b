/** The chat's worker: one GPU device of its own, two policies of a run to talk to; it only reads what is stored. */
import { openGpu } from "../src/gpu/device.ts";
import { serve, transfer } from "../src/rpc/connect.ts";
import { openOpfsStorage } from "../src/runs/opfs.ts";
import { findModel } from "../src/ui/session/models.ts";
import type { ChatApi } from "../src/ui/views/chat/api.ts";
import { ChatServer } from "../src/ui/views/chat/chat_server.ts";

const server = new ChatServer({
  openGpu: () => openGpu({ label: "chat" }),
  // Nothing is asked of the hub for a chat: where the download's size is told is the preflight card.
  findModel: ({ model, base, dropped }) =>
    findModel(model, { base, open: openOpfsStorage, access: { dropped, askHub: false } }),
  openStorage: openOpfsStorage,
});

const api: ChatApi = {
  open: server.open.bind(server),
  newerStep: server.newerStep.bind(server),
  renew: server.renew.bind(server),
  read: server.read.bind(server),
  describe: server.describe.bind(server),
  chat: server.chat.bind(server),
  grade: server.grade.bind(server),
  stop: server.stop.bind(server),
  loseDevice: server.loseDevice.bind(server),
  async nextTokens(which, prompt, begun, count) {
    const next = await server.nextTokens(which, prompt, begun, count);
    return transfer(next, [next.logits.buffer as ArrayBuffer]);
  },
};
serve(api);
