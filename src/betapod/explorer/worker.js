/** What a worker of the page does: it loads the model once, and then runs whatever it is asked. */

import { load } from "../exchange/wasm/javascript/betapod.js";

let workersModel;

async function answered({ bytes, options }) {
  if (bytes) {
    workersModel = await load(bytes);
    return [{ ready: true }, []];
  }
  const result = workersModel.run(options), count = result.people.length, times = result.times.length;
  const columns = result.outputs.map((name) => {
    const column = new Float64Array(count * times);
    for (let i = 0; i < count; i += 1) column.set(result.values(name, i), i * times);
    return column;
  });
  return [{ people: result.people, columns }, columns.map((column) => column.buffer)];
}

onmessage = async ({ data }) => {
  try {
    const [reply, buffers] = await answered(data);
    postMessage({ id: data.id, ...reply }, buffers);
  } catch (error) {
    postMessage({ id: data.id, error: error.message });
  }
};
