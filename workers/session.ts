/** The session: trains, reads and writes the browser's private files, and tells the page's thread. Page only. */
import { serve } from "../src/rpc/connect.ts";
import { openOpfsStorage } from "../src/runs/opfs.ts";
import { Session } from "../src/ui/session/session.ts";

const session = new Session(openOpfsStorage);
serve(session);
