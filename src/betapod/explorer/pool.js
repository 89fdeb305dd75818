/** Workers that run the model, so that the page never waits: many people are shared out among them. */

/** People of one job: few, so that the first are there soon and one who cancels does not wait. */
const JOB = 24;
const MOST_WORKERS = 4;

/** What came out of many jobs: as `Result` of betapod.js. */
class PooledResult {
  constructor(options, parts) {
    [this.times, this.outputs, this.people] = [options.times, options.outputs, parts.flatMap((part) => part.people)];
    this.parts = parts;
    this.starts = parts.map((_, k) => parts.slice(0, k).reduce((sum, part) => sum + part.people.length, 0));
  }

  values(output, person = 0) {
    const k = this.starts.findLastIndex((start) => start <= person), inside = person - this.starts[k], size = this.times.length;
    return this.parts[k].columns[this.outputs.indexOf(output)].subarray(inside * size, (inside + 1) * size);
  }
}

/** Give everything that is per person for some of the people. */
function partOf(options, from, to) {
  const cut = (value) => (typeof value === "number" ? value : value.slice(from, to));
  const each = (columns) => Object.fromEntries(Object.entries(columns ?? {}).map(([name, value]) => [name, cut(value)]));
  const people = typeof options.people === "number" ? to - from : each(options.people);
  return { ...options, people, initial: each(options.initial), ...(options.schedules ? { schedules: options.schedules.slice(from, to) } : {}) };
}

function countOf({ people = 1 }) {
  if (typeof people === "number") return people;
  return Object.values(people).find((value) => typeof value !== "number")?.length ?? 1;
}

export class Pool {
  #free = [];
  #waiting = [];
  #running = new Map();
  #next = 0;

  /** Start workers of a script with the model of these bytes. */
  constructor(bytes, script) {
    const source = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.workers = Array.from({ length: Math.max(1, Math.min(MOST_WORKERS, (navigator.hardwareConcurrency ?? 2) - 1)) }, () => new Worker(source));
    for (const worker of this.workers) {
      worker.onmessage = ({ data }) => this.#answered(worker, data);
      worker.onerror = (event) => this.#answered(worker, { error: event.message || "a worker of the page could not be started" });
      this.#send(worker, { bytes }, { resolve: () => {}, reject: () => {} });
    }
  }

  /**
   * Run the model for people, as `Model.run` does; `people` is a number or has one list at least.
   *
   * @param told   is called with how many people are done
   * @param wanted says whether the answer is still wanted; where not, what has not begun is left, and the promise is never kept
   */
  run(options, told = () => {}, wanted = () => true) {
    const count = countOf(options), jobs = [];
    let done = 0;
    for (let from = 0; from < count; from += JOB) {
      const to = Math.min(count, from + JOB);
      jobs.push(new Promise((resolve, reject) => {
        this.#waiting.push({ message: () => ({ options: partOf(options, from, to) }), resolve: (part) => { told(done += to - from, count); resolve(part); }, reject, wanted });
      }));
    }
    this.#start();
    return Promise.all(jobs).then((parts) => new PooledResult(options, parts));
  }

  #start() {
    while (this.#free.length && this.#waiting.length) {
      const job = this.#waiting.shift();
      if (job.wanted()) this.#send(this.#free.pop(), job.message(), job);
    }
  }

  #send(worker, message, job) {
    this.#next += 1;
    this.#running.set(worker, job);
    worker.postMessage({ id: this.#next, ...message });
  }

  #answered(worker, data) {
    const job = this.#running.get(worker);
    this.#running.delete(worker);
    this.#free.push(worker);
    if (data.error) job?.reject(new Error(data.error));
    else job?.resolve(data);
    this.#start();
  }
}

let pagePool, poolParts;

/** Keep the bytes of the model and the script of a worker until workers are wanted. */
export function readyPool(bytes, script) {
  poolParts = [bytes, script];
}

/** Return the workers of the page; they are started when they are first wanted. */
export const pool = () => (pagePool ??= new Pool(...poolParts));
