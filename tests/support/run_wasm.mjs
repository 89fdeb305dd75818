// Run cases of tests in Node: node run_wasm.mjs BETAPOD.js CASES.json FOLDER; prints what each module gives, as JSON.
import fs from "node:fs";

const [script, cases, folder] = process.argv.slice(2);
const { load, BetapodError } = await import(script);
const found = {};
for (const [name, asked] of Object.entries(JSON.parse(fs.readFileSync(cases)))) {
  try {
    const model = await load(fs.readFileSync(`${folder}/${asked.module ?? name}.wasm`));
    const { times, people, values, initial, doses, switches, schedules, outputs, rtol, atol } = asked;
    const given = { times, people, values, initial, doses, switches, schedules, outputs, rtol, atol };
    for (const key of Object.keys(given)) if (given[key] === undefined || given[key] === null) delete given[key];
    const result = model.run({ ...given, ...(asked.more ?? {}) });
    found[name] = {
      people: result.people,
      values: result.people.map((_, i) => result.outputs.map((output) => Array.from(result.values(output, i)))),
    };
  } catch (error) {
    if (!(error instanceof BetapodError)) throw error;
    found[name] = { problems: error.problems };
  }
}
console.log(JSON.stringify(found));
