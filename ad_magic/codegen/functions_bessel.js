// Bessel and Airy functions of real order, by the trapezoidal rule on the integral whose path is the steepest: for an
// integrand that falls off like a double exponential its error is beyond the last digit (DLMF 3.5(i), 10.9, 10.32).

// (x/2)^v / gamma(v + 1) sum (q x^2 / 4)^k / (k! (v + 1)_k): J where q is -1, I where it is 1, for x^2 < 4 (v + 1).
const bessel_series = (v, x, q) => {
  let total = 1;
  for (let k = 1, term = 1; k < 30; k++) total += term *= (q * x * x) / (4 * k * (v + k));
  return total * (v < 20 ? (x / 2) ** v / gamma(v + 1) : Math.exp(v * Math.log(x / 2) - lgamma(v + 1)));
};

// [J, Y] for 0 <= v < 2: the integral of exp(x sinh(t) - v t) along t = s + i (pi/2 + atan(sinh s)), Sommerfeld's path,
// on which the exponent of v = 0 is i x - x sinh(s) tanh(s) (DLMF 10.9.18).
const hankel = (v, x) => {
  const step = Math.min(0.15, 0.45 / Math.sqrt(x));
  let re = 0;
  let im = 0;
  const add = (s) => {
    const exponent = -x * Math.sinh(s) * Math.tanh(s) - v * s;
    const angle = v * (0.5 * Math.PI + Math.atan(Math.sinh(s)));
    const size = Math.exp(exponent);
    const slope = 1 / Math.cosh(s);
    re += size * (slope * Math.cos(angle) - Math.sin(angle));
    im -= size * (slope * Math.sin(angle) + Math.cos(angle));
    return exponent > -42;
  };
  add(0);
  for (let k = 1; add(k * step); k++);
  for (let k = 1; add(-k * step); k++);
  const [c, s] = [Math.cos(x), Math.sin(x)];
  return [((c * re - s * im) * step) / Math.PI, ((s * re + c * im) * step) / Math.PI];
};

// [J, Y] of order v >= 0 at x > 0. Y by recurrence from its first two orders, J too on the right of its order; on the
// left from Y by Wronski's determinant and the quotient of neighbours (DLMF 10.6.1, 10.5.2, 10.10.1).
const bessel_jy = (v, x) => {
  if (!(v < 1e5)) return [NaN, NaN];
  const start = v - Math.floor(v);
  let now = hankel(start, x);
  let next = hankel(start + 1, x);
  for (let order = start + 1; order < v + 0.5; order++) {
    [now, next] = [next, next.map((f, k) => ((2 * order) / x) * f - now[k])];
  }
  const y = now[1] < -1e308 ? -Infinity : now[1];
  if (x * x <= 4 * (v + 1)) return [bessel_series(v, x, -1), y === y ? y : -Infinity];
  if (x > v) return [now[0], y];
  const quotient = 1 / fraction(() => -1, (n) => (2 * (v + 1 + n)) / x);
  return [2 / (Math.PI * x * (quotient * now[1] - next[1])), y];
};

const jv = (v, x) => {
  const whole = v === Math.floor(v);
  if (x < 0) return whole ? (v % 2 ? -1 : 1) * jv(v, -x) : NaN;
  if (x === 0 && (v >= 0 || whole)) return Number(v === 0);
  if (x === Infinity) return 0;
  const [j, y] = bessel_jy(Math.abs(v), x);
  return v >= 0 ? j : sinpi(0.5 - v) * j + (whole ? 0 : sinpi(v) * y);
};

const yv = (v, x) => {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return 0;
  const [j, y] = bessel_jy(Math.abs(v), x);
  return v >= 0 ? y : sinpi(0.5 - v) * y - sinpi(v) * j;
};

const j0 = (x) => jv(0, x);

const j1 = (x) => jv(1, x);

const y0 = (x) => yv(0, x);

const y1 = (x) => yv(1, x);

// exp(x) K: the integral of exp(-x (cosh(t) - 1)) cosh(v t) (DLMF 10.32.9).
const kve = (v, x) => {
  if (!(x > 0 && Math.abs(v) < 1e5)) return x === 0 ? Infinity : NaN;
  if (x === Infinity) return 0;
  const order = Math.abs(v);
  const step = Math.min(0.2, 0.6 / Math.sqrt(Math.hypot(x, order)));
  const peak = Math.asinh(order / x);
  let total = 0.5;
  for (let t = step, k = 1, term = 1; t < peak || term > 1e-18 * total; k++, t = k * step) {
    const exponent = -2 * x * Math.sinh(0.5 * t) ** 2;
    term = 0.5 * (Math.exp(exponent + order * t) + Math.exp(exponent - order * t));
    total += term;
  }
  return total * step;
};

const kv = (v, x) => kve(v, x) * Math.exp(-x);

const k0 = (x) => kv(0, x);

const k1 = (x) => kv(1, x);

const k0e = (x) => kve(0, x);

const k1e = (x) => kve(1, x);

// exp(-x) I of order v >= 0 at x > 0: a series, far out the asymptotic one, between them from K by Wronski's
// determinant and the quotient of neighbours (DLMF 10.25.2, 10.40.1, 10.28.2, 10.33.1).
const bessel_i = (v, x) => {
  if (x * x <= 4 * (v + 1)) return bessel_series(v, x, 1) * Math.exp(-x);
  if (x > 50 + 0.5 * v * v) {
    let total = 1;
    for (let k = 1, term = 1; k < 40; k++) total += term *= ((2 * k - 1) ** 2 - 4 * v * v) / (8 * k * x);
    return total / Math.sqrt(2 * Math.PI * x);
  }
  const quotient = 1 / fraction(() => 1, (n) => (2 * (v + 1 + n)) / x);
  return 1 / (x * (kve(v + 1, x) + quotient * kve(v, x)));
};

const ive = (v, x) => {
  const whole = v === Math.floor(v);
  if (x < 0) return whole ? (v % 2 ? -1 : 1) * ive(v, -x) : NaN;
  if (x === 0 && (v >= 0 || whole)) return Number(v === 0);
  if (x === Infinity) return 0;
  const i = bessel_i(Math.abs(v), x);
  return v >= 0 || whole ? i : i - (2 / Math.PI) * sinpi(v) * kve(v, x) * Math.exp(-2 * x);
};

const iv = (v, x) => {
  const root = Math.exp(0.5 * Math.abs(x));
  return root === Infinity ? ive(v, sign(x)) * root : root * ive(v, x) * root;
};

const i0 = (x) => iv(0, x);

const i1 = (x) => iv(1, x);

const i0e = (x) => ive(0, x);

const i1e = (x) => ive(1, x);

// [Ai, Ai', Bi, Bi'] by Bessel functions of order 1/3 and 2/3 (DLMF 9.6.2 to 9.6.9).
const airy = (x) => {
  const size = Math.abs(x);
  if (size < 1e-17) return [0.3550280538878172, -0.2588194037928068, 0.6149266274460007, 0.4482883573538264];
  const z = (2 / 3) * size * Math.sqrt(size);
  const root = Math.sqrt(size / 3);
  const flat = size / Math.sqrt(3);
  if (x > 0) {
    const [k, m] = [kv(1 / 3, z) / Math.PI, kv(2 / 3, z) / Math.PI];
    const bi = 2 * iv(1 / 3, z) + Math.sqrt(3) * k;
    const slope = 2 * iv(2 / 3, z) + Math.sqrt(3) * m;
    return [root * k, -flat * m, root * bi, flat * slope];
  }
  const [j, y] = bessel_jy(1 / 3, z);
  const [p, q] = bessel_jy(2 / 3, z);
  const [l, r] = [0.5 * j - Math.sqrt(0.75) * y, -0.5 * p - Math.sqrt(0.75) * q];
  return [(root / Math.sqrt(3)) * (j + l), (size / 3) * (p - r), root * (l - j), flat * (r + p)];
};
