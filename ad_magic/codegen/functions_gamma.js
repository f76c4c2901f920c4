// Functions of scipy.special: beta, the incomplete gamma and beta functions and their inverses.

// b(0) + a(1) / (b(1) + a(2) / (b(2) + …)): products of quotients tell how far to go (Lentz 1976; DLMF 3.10(iii)), then
// from twice as far back, where no error grows. NaN without an end.
const fraction = (a, b) => {
  let above = b(0);
  let below = 0;
  for (let n = 1; n < 3e5 && above === above; n++) {
    below = 1 / (b(n) + a(n) * below);
    above = b(n) + a(n) / above;
    if (Math.abs(above * below - 1) > 4e-16) continue;
    let value = b(2 * n);
    for (let k = 2 * n; k > 0; k--) value = b(k - 1) + a(k) / value;
    return value;
  }
  return NaN;
};

// log(1 + u) - u, with its digits for small u: log(1 + u) = 2 atanh(u / (2 + u)). `v` is 1 + u, with its digits.
const log1pmx = (u, v) => {
  if (Math.abs(u) > 0.3) return Math.log(v) - u;
  const r = u / (2 + u);
  let total = 0;
  for (let k = 21; k > 1; k -= 2) total = total * r * r + 1 / k;
  return r * (2 * r * r * total - u);
};

// ---- beta and its like

// [r, e] with beta(a, b) = r exp(e): recurrence up to 10, then Stirling's formula.
const beta_parts = (a, b) => {
  if (!(a > -1e4 && b > -1e4)) return [NaN, NaN];
  let ratio = 1;
  for (; a < 10; a++) ratio *= (a + b) / a;
  for (; b < 10; b++) ratio *= (a + b) / b;
  ratio *= SQRT_TAU * Math.sqrt(1 / a + 1 / b);
  return [ratio, stirling(a) + stirling(b) - stirling(a + b) - a * Math.log1p(b / a) - b * Math.log1p(a / b)];
};

const beta = (a, b) => {
  const [ratio, exponent] = beta_parts(a, b);
  return ratio * Math.exp(exponent);
};

const betaln = (a, b) => {
  const [ratio, exponent] = beta_parts(a, b);
  return Math.log(Math.abs(ratio)) + exponent;
};

// A product where k is whole; else by beta, reflected where n - k < 0 (DLMF 5.5.3, 5.12).
const binom = (n, k) => {
  if (n === Math.floor(n) && k === Math.floor(k) && k > n / 2 && n >= 0) k = n - k;
  if (k === Math.floor(k) && k < 500) {
    let product = k < 0 ? 0 : 1;
    for (let j = 1; j <= k; j++) product *= (n - (k - j)) / j;
    return product;
  }
  if (!(n > -1)) return gamma(n + 1) * rgamma(k + 1) * rgamma(n - k + 1);
  if (k >= 0 && k <= n) return 1 / ((n + 1) * beta(n - k + 1, k + 1));
  if (k < 0) return (beta(n + 1, -k) * sinpi(-k)) / Math.PI;
  const turn = (rint(k) - rint(n)) % 2 ? -1 : 1;
  return (turn * beta(n + 1, k - n) * sinpi(k - rint(k) - (n - rint(n)))) / Math.PI;
};

// gamma(a + m) / gamma(a).
const poch = (a, m) => {
  if (m === Math.floor(m) && Math.abs(m) < 200) {
    let product = 1;
    for (let k = 0; k < m; k++) product *= a + k;
    for (let k = -1; k >= m; k--) product /= a + k;
    return product;
  }
  if (a > 0 && m > 0) return m < 170 ? gamma(m) / beta(a, m) : Math.exp(lgamma(m) - betaln(a, m));
  if (a + m > 0 && m < 0) return m > -170 ? beta(a + m, -m) / gamma(-m) : Math.exp(betaln(a + m, -m) - lgamma(-m));
  return gamma(a + m) * rgamma(a);
};

// The sum of (k + q)^-s: terms up to k + q > 10 + s / 2, then Euler and Maclaurin (DLMF 25.11).
const zeta = (s, q) => {
  if (!(s > 1 && q > 0)) return s === 1 ? Infinity : NaN;
  let total = 0;
  for (let term = 1; q < 10 + s / 2 && term > 1e-18 * total; q++) total += term = q ** -s;
  let term = (q ** -s * s) / (2 * q);
  total += q ** -s * (q / (s - 1) + 0.5);
  for (let k = 1; k < 10; k++) {
    total += term * BERNOULLI[k - 1];
    term *= ((s + 2 * k - 1) * (s + 2 * k)) / ((2 * k + 1) * (2 * k + 2) * q * q);
  }
  return total;
};

// ---- incomplete gamma and beta functions

// x^a exp(-x) / gamma(a + 1).
const gamma_term = (a, x) => {
  if (a > 10) return Math.exp(a * log1pmx((x - a) / a, x / a) - stirling(a)) / Math.sqrt(2 * Math.PI * a);
  return x > 100 ? Math.exp(a * Math.log(x) - x - lgamma(a + 1)) : (x ** a * Math.exp(-x)) / gamma(a + 1);
};

// exp(x) x^-a gamma(a, x), inverted (DLMF 8.9.2).
const gamma_fraction = (a, x) => fraction((n) => n * (a - n), (n) => x + 2 * n + 1 - a);

// [P(a, x), Q(a, x)]: a series on the left, a continued fraction on the right of x = a + 1; for small a and x the
// series that keeps the digits of Q (DLMF 8.7.1, 8.7.3, 8.9.2).
const gamma_shares = (a, x) => {
  if (!(a >= 0 && x >= 0) || (a === 0 && x === 0)) return [NaN, NaN];
  if (x === 0) return [0, 1];
  if (a === 0 || x === Infinity) return [1, 0];
  if (a < 1 && x < 1) {
    let tail = 0;
    for (let n = 1, power = 1; n < 20; n++) tail += (power *= -x / n) / (a + n);
    const exponent = a * Math.log(x) - (a < 0.5 ? lgamma2(a) - Math.log1p(a) : lgamma(a + 1));
    const rest = a * tail;
    return [Math.exp(exponent) * (1 + rest), -Math.expm1(exponent) - Math.exp(exponent) * rest];
  }
  if (x > a + 1 || a < 1) {
    const right = (a * gamma_term(a, x)) / gamma_fraction(a, x);
    return [1 - right, right];
  }
  if (a > 1e8) return [NaN, NaN];
  let total = 1;
  for (let n = 1, term = 1; term > 1e-17 * total; n++) total += term *= x / (a + n);
  const left = gamma_term(a, x) * total;
  return [left, 1 - left];
};

const gammainc = (a, x) => gamma_shares(a, x)[0];

const gammaincc = (a, x) => gamma_shares(a, x)[1];

// The x where the left (0) or the right (1) share has this logarithm: Newton's method in log(x), of a concave function.
const gamma_inverse = (a, target, side) => {
  let t = side ? Math.log(a) : (target + lgamma(a + 1)) / a;
  if (t < -700) return Math.exp(t);
  for (let k = 0; k < 100; k++) {
    const x = Math.exp(t);
    const share = gamma_shares(a, x)[side];
    const slope = ((side ? -1 : 1) * a * gamma_term(a, x)) / share;
    const step = Math.min(1, (target - Math.log(share)) / slope);
    t += step;
    if (!(Math.abs(step) > 1e-15 * Math.max(1, Math.abs(t)))) break;
  }
  return Math.exp(t);
};

const gammaincinv = (a, p) => {
  if (!(a > 0 && p > 0 && p < 1)) return p === 0 ? 0 : p === 1 ? Infinity : NaN;
  return p > 0.5 ? gamma_inverse(a, Math.log1p(-p), 1) : gamma_inverse(a, Math.log(p), 0);
};

const gammainccinv = (a, q) => {
  if (!(a > 0 && q > 0 && q < 1)) return q === 1 ? 0 : q === 0 ? Infinity : NaN;
  return q < 0.5 ? gamma_inverse(a, Math.log(q), 1) : gamma_inverse(a, Math.log1p(-q), 0);
};

// x^a y^b / beta(a, b), where y = 1 - x.
const beta_term = (a, b, x, y) => {
  if (a > 10 && b > 10) {
    const off = x * b - a * y;
    const exponent = a * log1pmx(off / a, (x * (a + b)) / a) + b * log1pmx(-off / b, (y * (a + b)) / b);
    const scale = Math.sqrt(1 / (2 * Math.PI * (1 / a + 1 / b)));
    return scale * Math.exp(exponent + stirling(a + b) - stirling(a) - stirling(b));
  }
  const power = (u, v, c) => (v < 0.5 ? Math.exp(c * Math.log1p(-v)) : u ** c);
  return (power(x, y, a) * power(y, x, b)) / beta(a, b);
};

// The continued fraction, for what is left of the middle (DLMF 8.17.22).
const beta_left = (a, b, x, y) => {
  const coefficient = (n) => {
    const m = n >> 1;
    const top = n % 2 ? -(a + m) * (a + b + m) : m * (b - m);
    return ((top / (a + n - 1)) * x) / (a + n);
  };
  return beta_term(a, b, x, y) / (a * fraction(coefficient, () => 1));
};

// [I_x(a, b), 1 - I_x(a, b)], each with its digits.
const beta_shares = (a, b, x, y) => {
  if (!(a > 0 && b > 0 && x >= 0 && y >= 0)) return [NaN, NaN];
  if (x === 0 || y === 0) return x === 0 ? [0, 1] : [1, 0];
  const swapped = x > (a + 1) / (a + b + 2);
  const share = swapped ? beta_left(b, a, y, x) : beta_left(a, b, x, y);
  if (share < 0.99) return swapped ? [1 - share, share] : [share, 1 - share];
  const other = swapped ? beta_left(a, b, x, y) : beta_left(b, a, y, x);
  return swapped ? [other, share] : [share, other];
};

const betainc = (a, b, x) => beta_shares(a, b, x, 1 - x)[0];

const betaincc = (a, b, x) => beta_shares(a, b, x, 1 - x)[1];

// The x whose share has a logarithm: Newton's method in log(x / (1 - x)) from the left, of a concave function.
const betaincinv = (a, b, p) => {
  if (!(a > 0 && b > 0 && p > 0 && p < 1)) return p === 0 || p === 1 ? p : NaN;
  if (p > 0.5) [a, b] = [b, a];
  const target = p > 0.5 ? Math.log1p(-p) : Math.log(p);
  let t = (target + Math.log(a) + betaln(a, b)) / a;
  for (let k = 0; k < 100; k++) {
    const x = expit(t);
    const y = expit(-t);
    const share = beta_shares(a, b, x, y)[0];
    const step = ((target - Math.log(share)) * share) / beta_term(a, b, x, y);
    if (!Number.isFinite(step)) break;
    t += step;
    if (Math.abs(step) < 1e-15 * Math.max(1, Math.abs(t))) break;
  }
  return expit(p > 0.5 ? -t : t);
};
