/** The page's entry: small, because everything heavy is loaded when it is looked at. */
import { render } from "preact";
import { App } from "./shell/App.tsx";
import "./theme.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
