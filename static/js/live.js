// Live pages: every open page shows the truth, and says so when it cannot. docs/protocol.md is the contract.
// Signed-out pages carry no <meta name="live">: nothing is loaded there.
import { late } from "./late.js";

if (document.querySelector('meta[name="live"]')) late(() => import("./live/start.js"));
