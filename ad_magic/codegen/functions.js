// Functions that JavaScript's Math lacks, or has with another meaning: names of the derivative table that mean here
// what they mean in Python. At a singular point they give what IEEE arithmetic gives. One block for each, with a blank
// line between: a program takes the blocks that it uses.
//
// Sources: Abramowitz & Stegun (AS), DLMF, and where named.

const DEGREES = 180 / Math.PI;

const RADIANS = Math.PI / 180;

const SQRT_TAU = Math.sqrt(2 * Math.PI);

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

// ---- signs, steps, remainders

const sign = (x) => (x !== x ? x : (x > 0) - (x < 0));

const copysign = (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a));

const heaviside = (a, b) => (a !== a ? a : a === 0 ? b : Number(a > 0));

// Halves to even: beyond 2^52 there are whole numbers only, so adding it rounds.
const rint = (x) => {
  const far = x < 0 ? -4503599627370496 : 4503599627370496;
  return Math.abs(x) < 4503599627370496 ? x + far - far : x;
};

// toFixed rounds the exact decimal expansion, but a tie away from zero; a tie has no more than 23 digits.
const round = (x, digits) => {
  if (!digits) return rint(x);
  if (!Number.isFinite(x) || digits > 100 || (digits > 0 && Math.abs(x) >= 1e21)) return x;
  if (digits < 0) return copysign(digits < -308 ? 0 : x - remainder(x, Number(`1e${-digits}`)), x);
  const text = x.toFixed(digits);
  const odd = text.at(-1) % 2;
  const tie = digits < 23 && /^50*$/.test(x.toFixed(100).split(".")[1].slice(digits));
  return copysign(Number(tie && odd ? text.slice(0, -1) + (text.at(-1) - 1) : text), x);
};

// Python's %: the sign is that of b.
const mod = (a, b) => {
  const rest = a % b;
  return rest === 0 ? copysign(0, b) : rest < 0 !== b < 0 ? rest + b : rest;
};

// Python's //: the whole number that goes with the exact remainder.
const floordiv = (a, b) => {
  if (b === 0) return a / b;
  const rest = a % b;
  const quotient = (a - rest) / b - Number(rest !== 0 && rest < 0 !== b < 0);
  const whole = Math.floor(quotient);
  return quotient === 0 ? copysign(0, a / b) : quotient - whole > 0.5 ? whole + 1 : whole;
};

const fmod = (a, b) => a % b;

// What is left of a from the nearest multiple of b, ties to the even one. Exact, as % is.
const remainder = (a, b) => {
  const width = Math.abs(b);
  if (width === Infinity && Number.isFinite(a)) return a;
  const size = Math.abs(a);
  const rest = size % width;
  const other = width - rest;
  const nearest = rest < other ? rest : rest > other ? -other : rest - 2 * ((0.5 * (size - rest)) % width);
  return copysign(1, a) * nearest;
};

const ldexp = (a, b) => {
  if (a === 0) return a;
  const part = Math.trunc(b / 4);
  const factor = 2 ** part;
  return a * factor * factor * factor * 2 ** (b - 3 * part);
};

// Two numbers whose sum is x, of half as many digits each (Veltkamp; Dekker 1971).
const halves = (x) => {
  const wide = 134217729 * x;
  const high = wide - (wide - x);
  return [high, x - high];
};

// a * b + c with what rounding lost put back (Dekker 1971, Knuth).
const fma = (a, b, c) => {
  const product = a * b;
  const total = product + c;
  const [p, q] = halves(a);
  const [r, s] = halves(b);
  const lost = p * r - product + p * s + q * r + q * s;
  const part = total - product;
  const exact = total + (lost + (product - (total - part) + (c - part)));
  return Number.isFinite(exact) ? exact : total;
};

// ---- the greater and the smaller: a NaN wins, except in fmax and fmin

const maximum = (a, b) => (a !== a ? a : b > a || b !== b ? b : a);

const minimum = (a, b) => (a !== a ? a : b < a || b !== b ? b : a);

const fmax = (a, b) => (b !== b ? a : b > a || a !== a ? b : a);

const fmin = (a, b) => (b !== b ? a : b < a || a !== a ? b : a);

// ---- of a list of numbers

const max = (list) => list.reduce((a, b) => (b > a ? b : a));

const min = (list) => list.reduce((a, b) => (b < a ? b : a));

// With what each addition loses added at the end (Neumaier 1974), as Python's since 3.12.
const sum = (list) => {
  let total = 0;
  let lost = 0;
  for (const x of list) {
    const next = total + x;
    lost += Math.abs(total) >= Math.abs(x) ? total - next + x : x - next + total;
    total = next;
  }
  return Number.isFinite(lost) ? total + lost : total;
};

// Exact but for the last rounding: partial sums that do not overlap (Shewchuk 1997), and at a tie the side on which the
// rest of them lies.
const fsum = (list) => {
  let partials = [];
  for (let x of list) {
    const kept = [];
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low) kept.push(low);
      x = high;
    }
    partials = [...kept, x];
  }
  let total = partials.pop() ?? 0;
  while (partials.length) {
    const x = total;
    const y = partials.pop();
    total = x + y;
    const low = y - (total - x);
    if (!low) continue;
    const further = total + 2 * low;
    return sign(low) * (partials.pop() ?? 0) > 0 && further - total === 2 * low ? further : total;
  }
  return total;
};

const prod = (list) => list.reduce((a, b) => a * b, 1);

const dist = (p, q) => Math.hypot(...p.map((x, k) => x - q[k]));

// ---- powers, exponentials, logarithms

const pow = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b));

const exp2 = (a) => 2 ** a;

const exp10 = (a) => 10 ** a;

const log = (a, base) => (base === undefined ? Math.log(a) : Math.log(a) / Math.log(base));

const logaddexp = (a, b) => {
  if (a === b) return a + Math.LN2;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
};

const logaddexp2 = (a, b) => {
  if (a === b) return a + 1;
  return a > b ? a + Math.log1p(2 ** (b - a)) / Math.LN2 : b + Math.log1p(2 ** (a - b)) / Math.LN2;
};

const degrees = (a) => a * DEGREES;

const radians = (a) => a * RADIANS;

const sech2 = (a) => (1 / Math.cosh(a)) ** 2;

const sinc = (x) => (x === 0 ? 1 : sinpi(x) / (Math.PI * x));

// sin(pi x): what is beside the nearest whole number is exact.
const sinpi = (x) => {
  const whole = rint(x);
  return (whole % 2 ? -1 : 1) * Math.sin(Math.PI * (x - whole));
};

const expit = (a) => (a < 0 ? Math.exp(a) / (1 + Math.exp(a)) : 1 / (1 + Math.exp(-a)));

const logit = (a) => (Math.abs(a - 0.5) < 0.25 ? 2 * Math.atanh(2 * a - 1) : Math.log(a / (1 - a)));

const log_expit = (a) => (a < 0 ? a - Math.log1p(Math.exp(a)) : -Math.log1p(Math.exp(-a)));

// Beyond 700 in two factors: exp(a) may overflow where exp(a) / a does not.
const exprel = (a) => {
  if (a === 0 || a === Infinity) return a || 1;
  return a > 700 ? (Math.exp(a / 2) / a) * Math.exp(a / 2) : Math.expm1(a) / a;
};

const cosm1 = (a) => -2 * Math.sin(a / 2) ** 2;

const powm1 = (a, b) => {
  const x = b * Math.log(a);
  return Math.abs(x) < 0.5 ? Math.expm1(x) : pow(a, b) - 1;
};

const xlogy = (a, b) => (a === 0 && b === b ? 0 : a * Math.log(b));

const xlog1py = (a, b) => (a === 0 && b === b ? 0 : a * Math.log1p(b));

const entr = (a) => (a > 0 ? -a * Math.log(a) : a === 0 ? 0 : a < 0 ? -Infinity : a);

const rel_entr = (a, b) => {
  if (a !== a || b !== b) return NaN;
  if (!(a > 0 && b > 0)) return a === 0 && b >= 0 ? 0 : Infinity;
  const ratio = a / b;
  return a * (ratio > 1e-300 && ratio < Infinity ? Math.log(ratio) : Math.log(a) - Math.log(b));
};

const kl_div = (a, b) => rel_entr(a, b) - a + b;

const huber = (a, b) => (a < 0 ? Infinity : Math.abs(b) <= a ? 0.5 * b * b : a * (Math.abs(b) - 0.5 * a));

const pseudo_huber = (a, b) => {
  if (a < 0) return Infinity;
  return a === 0 || b === 0 ? 0 : b * (b / (1 + Math.hypot(1, b / a)));
};

const boxcox = (a, b) => (b === 0 ? Math.log(a) : Math.expm1(b * Math.log(a)) / b);

const boxcox1p = (a, b) => (b === 0 ? Math.log1p(a) : Math.expm1(b * Math.log1p(a)) / b);

const inv_boxcox = (a, b) => Math.exp(b === 0 ? a : Math.log1p(a * b) / b);

const inv_boxcox1p = (a, b) => Math.expm1(b === 0 ? a : Math.log1p(a * b) / b);

// ---- error functions

// exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, all terms of one sign (DLMF 7.6.2).
const erf = (x) => {
  if (Math.abs(x) > 1) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  let term = x;
  let total = x;
  for (let n = 1; n < 22; n++) {
    term *= (x * x) / (n + 0.5);
    total += term;
  }
  return TWO_OVER_SQRT_PI * Math.exp(-x * x) * total;
};

const erfc = (x) => (x < 0.5 ? 1 - erf(x) : Math.exp(-x * x) * erfcx(x));

// exp(x^2) erfc(x) by the trapezoidal rule of step 1/2 for the integral of exp(-t^2) / (t^2 + x^2), and the residue at
// its pole (Matta & Reichel 1971; DLMF 7.7.1): the error is exp(-4 pi^2).
const erfcx = (x) => {
  if (x < -27) return Infinity;
  if (x < 0.5) return Math.exp(x * x) * (1 - erf(x));
  let total = 1;
  for (let t = 0.5; t < 6.5; t += 0.5) total += (2 * Math.exp(-t * t)) / (1 + (t / x) ** 2);
  const residue = x < 2 * Math.PI ? (2 * Math.exp(x * x)) / Math.expm1(4 * Math.PI * x) : 0;
  return total / (2 * Math.PI * x) - residue;
};

const ndtr = (x) => 0.5 * erfc(-Math.SQRT1_2 * x);

const log_ndtr = (x) => {
  if (x > -1) return Math.log1p(-0.5 * erfc(Math.SQRT1_2 * x));
  return Math.log(0.5 * erfcx(-Math.SQRT1_2 * x)) - 0.5 * x * x;
};

// ---- gamma and its like

const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798];

// What Stirling's formula leaves of lgamma, for x >= 10 (AS 6.1.42).
const stirling = (x) => {
  let total = 0;
  for (let k = 8; k > 0; k--) total = total / (x * x) + BERNOULLI[k - 1] / (2 * k * (2 * k - 1));
  return total / x;
};

// Stirling's formula after a recurrence up to x >= 10; reflection to the left (AS 6.1.15, 6.1.17).
const gamma = (x) => {
  if (x === 0) return 1 / x;
  if (x < 0.5) return x === Math.floor(x) ? NaN : Math.PI / (sinpi(x) * gamma(1 - x));
  if (x > 172) return Infinity;
  let product = 1;
  if (x === Math.floor(x)) {
    for (let k = 2; k < x; k++) product *= k;
    return product;
  }
  for (; x < 10; x++) product *= x;
  const root = Math.pow(x, 0.5 * x - 0.25);
  return ((root * Math.exp(stirling(x) - x) * SQRT_TAU) / product) * root;
};

// zeta(k) - 1 for k = 2, 3, …
const ZETA_TAIL = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914,
  0.008349277381922827, 0.00407735619794434, 0.0020083928260822143, 0.0009945751278180853, 0.0004941886041194646,
  0.0002460865533080483, 0.00012271334757848915, 6.124813505870483e-5, 3.058823630702049e-5, 1.528225940865187e-5,
  7.637197637899763e-6, 3.81729326499984e-6, 1.908212716553939e-6, 9.539620338727962e-7, 4.769329867878064e-7,
  2.38450502727733e-7, 1.1921992596531106e-7, 5.960818905125948e-8, 2.980350351465228e-8, 1.4901554828365043e-8,
];

// log gamma(2 + t) for |t| <= 1/2 (AS 6.1.33).
const lgamma2 = (t) => {
  let total = 0;
  for (let k = 26; k > 1; k--) total = -t * (total - ZETA_TAIL[k - 2] / k);
  return t * (0.42278433509846714 + total);
};

// log |gamma|: the series around 2 where the logarithm is near 0, else Stirling's formula; reflection.
const lgamma = (x) => {
  if (x <= 0) return x === Math.floor(x) ? Infinity : Math.log(Math.PI / Math.abs(sinpi(x))) - lgamma(1 - x);
  if (x < 0.5) return lgamma2(x) - Math.log1p(x) - Math.log(x);
  if (x < 2.5) return x < 1.5 ? lgamma2(x - 1) - Math.log1p(x - 1) : lgamma2(x - 2);
  if (x < 10) return Math.log(gamma(x));
  return (x - 0.5) * (Math.log(x) - 1) + (stirling(x) + Math.log(SQRT_TAU) - 0.5);
};

const gammaln = (x) => lgamma(x);

const loggamma = (x) => (x < 0 ? NaN : lgamma(x));

const rgamma = (x) => (x <= 0 && x === Math.floor(x) ? 0 : 1 / gamma(x));

const digamma = (x) => (x === 0 ? -1 / x : polygamma(0, x));

// For n <= 100. Recurrence up to x >= 16 + n, then the asymptotic series; reflection to the left (AS 6.3, 6.4).
const polygamma = (n, x) => {
  if (!(n >= 0 && n <= 100)) return NaN;
  if (x <= 0) {
    if (x === Math.floor(x)) return NaN;
    return (n % 2 ? -1 : 1) * polygamma(n, 1 - x) - cotangent(n, x);
  }
  const whole = gamma(n + 1);
  let total = 0;
  for (; x < 16 + n; x++) total += whole / x ** (n + 1);
  let series = 0;
  for (let k = 9, factor; k > 0; k--) {
    factor = BERNOULLI[k - 1];
    for (let j = 2 * k + 1; j < 2 * k + n; j++) factor *= j;
    series = (series + (n ? factor : factor / (2 * k))) / (x * x);
  }
  if (n === 0) return Math.log(x) - 0.5 / x - series - total;
  return (n % 2 ? 1 : -1) * (total + (whole / n + whole / (2 * x) + series) / x ** n);
};

// The n-th derivative of pi cot(pi x): with u = cot(pi x), that of p(u) is -pi (1 + u^2) p'(u).
const cotangent = (n, x) => {
  let p = [0, 1];
  for (let k = 0; k < n; k++) {
    const slope = p.slice(1).map((c, j) => (j + 1) * c);
    p = [...slope, 0, 0].map((c, j) => -c - (slope[j - 2] ?? 0));
  }
  const u = 1 / Math.tan(Math.PI * (x - rint(x)));
  return Math.PI ** (n + 1) * p.reduceRight((total, c) => total * u + c, 0);
};
