/** The views of the page and which of them is seen. Each has an address, so that it can be kept, sent and come back to. */

import { load } from "../exchange/wasm/javascript/betapod.js";
import { $, element, unpacked, unpackedText } from "./parts.js";
import { useModel } from "./plans.js";
import { readyPool } from "./pool.js";
import { personView } from "./person.js";
import { labsView } from "./labs.js";
import { claimsView } from "./claims.js";
import { evidenceView } from "./evidence.js";
import { mechanismView } from "./mechanism.js";
import { trialView } from "./trial.js";
import { serverView } from "./server.js";

/** The view of the server stands only in a page that a server answers. */
const VIEWS = [personView, labsView, claimsView, evidenceView, mechanismView, trialView, serverView].filter((view) => $(`view-${view.name}`));

/** Show the view of the address. */
async function route() {
  const parts = new URLSearchParams(location.hash.replace(/^#/, ""));
  const view = VIEWS.find((one) => one.name === parts.get("v")) ?? VIEWS[0];
  const changed = document.body.dataset.view !== view.name;
  document.body.dataset.view = view.name;
  for (const one of VIEWS) {
    $(`view-${one.name}`).hidden = one !== view;
    const link = document.querySelector(`nav a[data-view="${one.name}"]`);
    if (one === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `betapod: ${view.title.toLowerCase()}`;
  if (changed) scrollTo(0, 0);
  await view.open(parts);
}

const guarded = (how) => how().catch((error) => {
  $("loading").textContent = `This cannot be shown: ${error.message}`;
  $("loading").className = "problem";
  $("loading").hidden = false;
});

async function beginPage() {
  const [bytes, ...source] = await Promise.all([unpacked("kernel"), unpackedText("script-model"), unpackedText("script-worker")]);
  useModel(await load(bytes));
  readyPool(bytes, source.join("\n"));
  $("views").replaceChildren(...VIEWS.map((view) => element("a", { href: `#v=${view.name}`, "data-view": view.name }, view.title)));
  for (const view of VIEWS) view.begin();
  await route();
  addEventListener("hashchange", () => {
    $("loading").hidden = true;
    guarded(route);
  });
  $("explorer").hidden = false;
  $("loading").hidden = true;
}

guarded(beginPage);
