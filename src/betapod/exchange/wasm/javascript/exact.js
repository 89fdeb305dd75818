/**
 * Times as exact numbers, as betapod.engine.calendar reads them: a ratio is [numerator, denominator], two BigInts, the second above 0.
 *
 * Binary numbers hold neither 0.7 nor 1/24: three times 0.7 is not 2.1 to the last bit. A time is read as the number that was written.
 */

const DENOMINATOR = 100000n;

const size = (n) => (n < 0n ? -n : n);
const gcd = (a, b) => {
  while (b) [a, b] = [b, a % b];
  return size(a);
};
const reduced = (n, d) => {
  const common = gcd(n, d);
  return [n / common, d / common];
};

export const plus = ([a, b], [c, d]) => reduced(a * d + c * b, b * d);
export const times = ([a, b], k) => reduced(a * BigInt(k), b);
export const over = ([a, b], [c, d]) => (c < 0n ? reduced(-a * d, -b * c) : reduced(a * d, b * c));

/** Return the number that a time was meant to be: its shortest decimals, or the simple fraction that it equals to the last bits. */
export function exact(number) {
  const [digits, power = "0"] = String(number).split("e");
  const [whole, part = ""] = digits.split(".");
  const shift = Number(power) - part.length, n = BigInt(whole + part);
  const decimal = shift >= 0 ? [n * 10n ** BigInt(shift), 1n] : reduced(n, 10n ** BigInt(-shift));
  if (digits.replace(".", "").replace(/^[-0]+|0+$/g, "").length <= 15) return decimal;
  const simple = limited(binary(number));
  return Math.abs(near(simple) - number) <= 4 * ulp(number) ? simple : decimal;
}

/** Return the number nearest to a ratio, as IEEE 754 rounds. */
export function near([n, d]) {
  if (n === 0n) return 0;
  const long = (k) => k.toString(2).length;
  const shift = 66 - (long(size(n)) - long(d));
  const top = shift > 0 ? size(n) << BigInt(shift) : size(n), bottom = shift > 0 ? d : d << BigInt(-shift);
  const quotient = top / bottom, rest = top % bottom ? 1n : 0n;
  const value = Number(quotient | rest) * 2 ** -shift;
  return n < 0n ? -value : value;
}

/** Return a number as the ratio that it is. */
function binary(number) {
  let shift = 0;
  while (!Number.isInteger(number)) {
    number *= 2;
    shift += 1;
  }
  return reduced(BigInt(number), 1n << BigInt(shift));
}

function ulp(number) {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(number));
  bits.setBigInt64(0, bits.getBigInt64(0) + 1n);
  return bits.getFloat64(0) - Math.abs(number);
}

/** Return the nearest ratio with a small denominator. */
function limited([n, d]) {
  if (d <= DENOMINATOR) return [n, d];
  const floor = (a, b) => (a >= 0n || a % b === 0n ? a / b : a / b - 1n);
  let [p0, q0, p1, q1] = [0n, 1n, 1n, 0n], [a, b] = [n, d];
  for (;;) {
    const whole = floor(a, b), q2 = q0 + whole * q1;
    if (q2 > DENOMINATOR) break;
    [p0, q0, p1, q1] = [p1, q1, p0 + whole * p1, q2];
    [a, b] = [b, a - whole * b];
  }
  const k = (DENOMINATOR - q0) / q1, first = [p0 + k * p1, q0 + k * q1], second = [p1, q1];
  return 2n * b * (q0 + k * q1) <= d ? second : first;
}
