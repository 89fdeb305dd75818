/** The beginning of the page: it unpacks the script, the only other one that the page's policy lets run. */

/** Return what the server of the page has under a name. */
async function asked(from) {
  const answer = await fetch(from).catch(() => null);
  if (!answer?.ok) throw new Error("what this view shows could not be fetched. The program that this page came from has ended, or is another one now: start it again, and load the page anew.");
  return answer.arrayBuffer();
}

/** Return the bytes that an element of the page holds, compressed and as text, or that it says where to ask for. */
globalThis.unpacked = async (id) => {
  const held = document.getElementById(id);
  if (held.dataset.from) return asked(held.dataset.from);
  const text = atob(held.textContent.trim()), bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k += 1) bytes[k] = text.charCodeAt(k);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
};

globalThis.unpackedText = async (id) => new TextDecoder().decode(await globalThis.unpacked(id));

async function beginScript() {
  const script = document.createElement("script");
  script.type = "module";
  script.textContent = (await Promise.all(["script-model", "script-page"].map(globalThis.unpackedText))).join("\n");
  document.body.append(script);
}

beginScript().catch((error) => {
  const room = document.getElementById("loading");
  room.textContent = `This page needs a newer browser (one of 2023 or later): ${error.message}`;
  room.className = "problem";
});
