/** The page's entry: small, because everything heavy is loaded when it is looked at. */
import { render } from "preact";
import { isolate } from "./isolation.ts";
import { App } from "./shell/App.tsx";
import { startUrlSync } from "./state/url.ts";
import "./theme.css";
import "./forced_colors.css";

isolate();
startUrlSync();
const root = document.getElementById("app");
if (root) render(<App />, root);
