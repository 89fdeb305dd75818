/** Why something changed: parts of a difference that sum to it, by the Shapley value of each. */

/** Parts up to which every combination is tried, and orders that are tried with more of them (each forwards and backwards). */
const EVERY_COMBINATION = 7, ORDERS_TRIED = 12;

/** Return random numbers from 0 to 1, the same each time. */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Return orders in which parts are added one by one, each beside its reverse. */
function someOrders(count) {
  const random = seeded(count), orders = [];
  for (let k = 0; k < ORDERS_TRIED; k += 1) {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    orders.push(order, [...order].reverse());
  }
  return orders;
}

const factorial = (n) => (n < 2 ? 1 : n * factorial(n - 1));

/** Return which combinations (as bits) are needed for so many parts. */
export function combinationsOf(count) {
  if (count <= EVERY_COMBINATION) return Array.from({ length: 2 ** count }, (_, bits) => bits);
  const needed = new Set([0]);
  for (const order of someOrders(count)) order.reduce((bits, part) => { needed.add(bits | (2 ** part)); return bits | (2 ** part); }, 0);
  return [...needed];
}

/**
 * Return what each part gives: their sum is the value of all together less that of none.
 *
 * @param count   of parts, at most 30
 * @param valueOf value of a combination, as bits; those of `combinationsOf`
 */
export function shapleyValues(count, valueOf) {
  const shares = new Array(count).fill(0);
  if (count <= EVERY_COMBINATION) {
    for (let bits = 0; bits < 2 ** count; bits += 1) {
      const size = bits.toString(2).replaceAll("0", "").length;
      for (let part = 0; part < count; part += 1) {
        if (bits & (2 ** part)) continue;
        shares[part] += (factorial(size) * factorial(count - size - 1) / factorial(count)) * (valueOf(bits | (2 ** part)) - valueOf(bits));
      }
    }
    return shares;
  }
  const orders = someOrders(count);
  for (const order of orders) {
    order.reduce((bits, part) => {
      const more = bits | (2 ** part);
      shares[part] += (valueOf(more) - valueOf(bits)) / orders.length;
      return more;
    }, 0);
  }
  return shares;
}
