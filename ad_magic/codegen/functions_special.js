// Functions of scipy.special: error functions, integrals, Lambert's function, hypergeometric ones, polynomials.

const EULER = 0.5772156649015329;

// ---- error functions and the normal distribution

// exp(-x^2) sum x^(2n+1) / (n! (2n+1)); far out the asymptotic series (DLMF 7.5.1, 7.6.3, 7.12).
const dawsn = (x) => {
  let total = 1;
  if (Math.abs(x) > 7) {
    for (let k = 49; k > 0; k -= 2) total = 1 + ((k * 0.5) / x / x) * total;
    return (0.5 / x) * total;
  }
  for (let n = 1, power = 1; n < 160 && power > 1e-18 * total; n++) {
    power *= (x * x) / n;
    total += power / (2 * n + 1);
  }
  return x * Math.exp(-x * x) * total;
};

const erfi = (x) => {
  const root = Math.exp(0.5 * x * x);
  return root === Infinity ? x * root : TWO_OVER_SQRT_PI * root * dawsn(x) * root;
};

// The x > 0.4 with log(erfc(x)) = y, by Newton's method from the right, where the concave function stays above.
const inverse_tail = (y) => {
  let x = Math.sqrt(-y);
  for (let k = 0; k < 12; k++) {
    const scaled = erfcx(x);
    x += ((Math.log(scaled) - x * x - y) * scaled) / TWO_OVER_SQRT_PI;
  }
  return x;
};

const erfinv = (y) => {
  if (!(Math.abs(y) < 1)) return Math.abs(y) === 1 ? y * Infinity : NaN;
  if (Math.abs(y) > 0.5) return sign(y) * inverse_tail(Math.log(1 - Math.abs(y)));
  let x = y / TWO_OVER_SQRT_PI;
  for (let k = 0; k < 5; k++) x += ((y - erf(x)) * Math.exp(x * x)) / TWO_OVER_SQRT_PI;
  return x;
};

const erfcinv = (q) => {
  if (!(q > 0 && q < 2)) return q === 0 ? Infinity : q === 2 ? -Infinity : NaN;
  return q < 0.5 ? inverse_tail(Math.log(q)) : q > 1.5 ? -inverse_tail(Math.log(2 - q)) : erfinv(1 - q);
};

const ndtri = (p) => -Math.SQRT2 * erfcinv(2 * p);

const ndtri_exp = (y) => {
  if (y > -1.4) return Math.SQRT2 * erfcinv(-2 * Math.expm1(y));
  return y === -Infinity ? y : -Math.SQRT2 * inverse_tail(y + Math.LN2);
};

// The integral of f from 0 to b by the double-exponential rule (Takahasi & Mori 1974).
const integral = (f, b) => {
  let total = 0;
  for (let k = -36; k <= 36; k++) {
    const t = k / 10;
    const grown = Math.PI * Math.sinh(t);
    const near = 1 / (1 + Math.exp(-grown));
    total += (f(b * near) * Math.PI * Math.cosh(t)) / (2 + 2 * Math.cosh(grown));
  }
  return (total * b) / 10;
};

// Owen's T over the angle: 1 / (2 pi) times the integral of exp(-h^2 / (2 cos^2)) up to atan(a); a > 1 by 1 / a
// (Owen 1956).
const owens_t = (h, a) => {
  const [far, size] = [Math.abs(h), Math.abs(a)];
  if (size > 1) {
    const [p, q] = [ndtr(-far), ndtr(-far * size)];
    return sign(a) * (0.5 * p + 0.5 * q - p * q - owens_t(far * size, 1 / size));
  }
  const angle = Math.min(Math.atan(a), Math.atan(9 / far));
  const whole = integral((t) => Math.exp(-0.5 * (far * Math.tan(t)) ** 2), Math.max(angle, -Math.atan(9 / far)));
  return (Math.exp(-0.5 * far * far) * whole) / (2 * Math.PI);
};

// ---- integrals of exponentials, sines and cosines

// A series up to 1, then the continued fraction (AS 5.1.12, 5.1.22).
const expn = (n, x) => {
  if (!(n >= 0 && x >= 0) || n !== Math.floor(n)) return NaN;
  if (x === Infinity) return 0;
  if (n === 0) return Math.exp(-x) / x;
  if (x === 0) return n > 1 ? 1 / (n - 1) : Infinity;
  if (x >= 1 || n > 50) return Math.exp(-x) / gamma_fraction(1 - n, x);
  let total = 0;
  for (let m = 0, power = 1; m < n + 20; m++) {
    total += m === n - 1 ? power * (digamma(n) - Math.log(x)) : -power / (m - n + 1);
    power *= -x / (m + 1);
  }
  return total;
};

const exp1 = (x) => expn(1, x);

// A series, far out the asymptotic one (AS 5.1.10, 5.1.51).
const expi = (x) => {
  if (x < 0) return -expn(1, -x);
  if (x === 0 || x === Infinity) return x ? x : -Infinity;
  let total = 0;
  if (x > 40) {
    for (let k = 40; k > 0; k--) total = (k / x) * (1 + total);
    return (Math.exp(x / 2) / x) * (1 + total) * Math.exp(x / 2);
  }
  for (let k = 1, power = 1; k < 160; k++) total += (power *= x / k) / k;
  return EULER + Math.log(x) + total;
};

// The continued fraction of gamma(a, iy) for y > 3, without its factor exp(-iy) (iy)^a (DLMF 8.9.2).
const turned_fraction = (a, y) => {
  let re = 0;
  let im = 0;
  for (let n = 80; n >= 0; n--) {
    const u = 2 * n + 1 - a + re;
    const v = y + im;
    const scale = (n ? n * (a - n) : 1) / (u * u + v * v);
    re = u * scale;
    im = -v * scale;
  }
  return [re, im];
};

// Series up to 4, then E1(ix) = -Ci(x) + i (Si(x) - pi/2) (DLMF 6.5, 6.6, 6.9).
const sici = (x) => {
  const size = Math.abs(x);
  if (size === Infinity) return [sign(x) * 0.5 * Math.PI, x > 0 ? 0 : NaN];
  if (size > 4) {
    const [re, im] = turned_fraction(0, size);
    const c = Math.cos(size);
    const s = Math.sin(size);
    return [sign(x) * (0.5 * Math.PI + c * im - s * re), -c * re - s * im];
  }
  let si = 0;
  let ci = 0;
  for (let k = 1, power = 1; k < 40; k += 2) {
    si += (power *= x / k) / k;
    ci += (power *= -x / (k + 1)) / (k + 1);
  }
  return [si, EULER + Math.log(size) + ci];
};

const shichi = (x) => {
  const size = Math.abs(x);
  if (size > 2) {
    const high = 0.5 * expi(size);
    const low = 0.5 * expn(1, size);
    return [sign(x) * (high + low), high - low];
  }
  let shi = 0;
  let chi = 0;
  for (let k = 1, power = 1; k < 30; k += 2) {
    shi += (power *= x / k) / k;
    chi += (power *= x / (k + 1)) / (k + 1);
  }
  return [shi, EULER + Math.log(size) + chi];
};

// Series up to 1.6, then by gamma(1/2, i pi x^2 / 2), with x^2 to twice the digits for its angle (DLMF 7.6, 7.11, 8.9).
const fresnel = (x) => {
  const size = Math.abs(x);
  if (size > 1e16) return [sign(x) * 0.5, sign(x) * 0.5];
  const square = x * x;
  if (size > 1.6) {
    const [p, q] = halves(size);
    const angle = 0.5 * Math.PI * ((square % 4) + (p * p - square + 2 * p * q + q * q));
    const [re, im] = turned_fraction(0.5, 0.5 * Math.PI * square);
    const c = Math.cos(angle);
    const s = Math.sin(angle);
    const parts = [0.5 - 0.5 * size * (s * re - c * im), 0.5 - 0.5 * size * (c * re + s * im)];
    return parts.map((part) => sign(x) * part);
  }
  let cosine = 0;
  let sine = 0;
  for (let k = 0, power = x; k < 30; k += 2) {
    cosine += power / (2 * k + 1);
    power *= (0.5 * Math.PI * square) / (k + 1);
    sine += power / (2 * k + 3);
    power *= (-0.5 * Math.PI * square) / (k + 2);
  }
  return [sine, cosine];
};

// The dilogarithm of 1 - x: its series around x = 1, and how it changes under 1 - x and 1 / x (AS 27.7).
const spence = (x) => {
  if (!(x >= 0)) return NaN;
  if (x === 0) return Math.PI ** 2 / 6;
  if (x > 1.5) return -0.5 * Math.log(x) ** 2 - spence(1 / x);
  if (x < 0.5) return Math.PI ** 2 / 6 - Math.log(x) * Math.log1p(-x) - spence(1 - x);
  let total = 0;
  for (let k = 60; k > 0; k--) total = (1 - x) * (total + 1 / (k * k));
  return total;
};

// ---- Lambert's function

// One step towards w + log(w) = …, where z is what is left (Fritsch, Shafer & Crowley 1973): fourth order.
const fritsch = (w, z) => {
  const q = 2 * (1 + w) * (1 + w + (2 / 3) * z);
  return w * (1 + ((z / (1 + w)) * (q - z)) / (q - 2 * z));
};

// At the end of both branches, x = -1/e, by the series in p = sqrt(2 (e x + 1)) (Corless et al. 1996, 4.22).
const lambertw = (x, k) => {
  const p = (k ? -1 : 1) * Math.sqrt(Math.max(0, 2 * (fma(Math.E, x, 1) + 1.4456468917292502e-16 * x)));
  if (!(x >= -0.36787944117144233) || (k && (k !== -1 || x > 0))) return NaN;
  if (x === 0 || x === Infinity) return k ? -Infinity : x;
  let w = 0;
  if (Math.abs(p) < 0.4 || x < -0.25) {
    const series = [-1963 / 204120, 680863 / 43545600, -221 / 8505, 769 / 17280, -43 / 540, 11 / 72, -1 / 3, 1, -1];
    for (const c of series) w = w * p + c;
    if (Math.abs(p) < 0.03) return w;
  } else if (k || x > 3) {
    const far = Math.log(Math.abs(x));
    const twice = Math.log(Math.abs(far));
    w = far - twice + twice / far;
  } else w = x / (1 + x);
  for (let n = 0; n < 4; n++) w = fritsch(w, Math.log(x / w) - w);
  return w;
};

const wrightomega = (x) => {
  if (x < -700 || x > 1e20) return x < 0 ? Math.exp(x) : x;
  let w = x > 1 ? x - Math.log(x) : expit(x);
  for (let n = 0; n < 4; n++) w = fritsch(w, x - w - Math.log(w));
  return w;
};

// ---- confluent hypergeometric functions

// The sum of a power series given by the ratios of its terms; NaN where cancellation leaves less than 12 digits.
const power_series = (ratio) => {
  let total = 1;
  let size = 1;
  for (let k = 0, term = 1; k < 1e5; k++) {
    term *= ratio(k);
    total += term;
    size += Math.abs(term);
    if (!(Math.abs(term) > 1e-17 * Math.abs(total)) && Math.abs(ratio(k)) < 1) break;
  }
  return size > 4e3 * Math.max(Math.abs(total), 0.1) ? NaN : total;
};

const hyp0f1 = (b, z) => {
  if (z > -1 || z > -b) return power_series((k) => z / ((b + k) * (k + 1)));
  const s = Math.sqrt(-z);
  return gamma(b) * s ** (1 - b) * jv(b - 1, 2 * s);
};

// Kummer's transformation for z < 0; far to the left the asymptotic series (DLMF 13.2.2, 13.2.39, 13.7.2).
const hyp1f1 = (a, b, z) => {
  if (z >= 0 || (a === Math.floor(a) && a <= 0)) return power_series((k) => (((a + k) / (b + k)) * z) / (k + 1));
  const c = b - a;
  if (z < -50 && !(c === Math.floor(c) && c <= 0)) {
    let total = 1;
    let term = 1;
    for (let k = 0; k < 40 && term !== 0; k++) total += term *= ((a + k) * (k + 1 - c)) / ((k + 1) * -z);
    if (Math.abs(term) < 1e-15 * Math.abs(total)) return gamma(b) * rgamma(c) * (-z) ** -a * total;
  }
  const whole = power_series((k) => (((c + k) / (b + k)) * -z) / (k + 1));
  return Math.exp(z / 2) * whole * Math.exp(z / 2);
};

// ---- elliptic integrals, by Carlson's duplication (DLMF 19.36(i), 19.25)

const carlson_f = (x, y, z) => {
  for (;;) {
    const mean = (x + y + z) / 3;
    const [u, v] = [1 - x / mean, 1 - y / mean];
    const w = -u - v;
    if (!(Math.max(Math.abs(u), Math.abs(v), Math.abs(w)) > 1e-3)) {
      const e2 = u * v - w * w;
      const e3 = u * v * w;
      return (1 - e2 / 10 + e3 / 14 + (e2 * e2) / 24 - (3 * e2 * e3) / 44) / Math.sqrt(mean);
    }
    const shift = Math.sqrt(x * y) + Math.sqrt(y * z) + Math.sqrt(z * x);
    [x, y, z] = [(x + shift) / 4, (y + shift) / 4, (z + shift) / 4];
  }
};

const carlson_d = (x, y, z) => {
  let total = 0;
  for (let scale = 1; ; scale /= 4) {
    const mean = (x + y + 3 * z) / 5;
    const [u, v] = [1 - x / mean, 1 - y / mean];
    const w = -(u + v) / 3;
    if (!(Math.max(Math.abs(u), Math.abs(v), Math.abs(w)) > 1e-3)) {
      const [e2, e3] = [u * v - 6 * w * w, (3 * u * v - 8 * w * w) * w];
      const [e4, e5] = [3 * (u * v - w * w) * w * w, u * v * w ** 3];
      const series = -(3 / 14) * e2 + e3 / 6 + (9 / 88) * e2 * e2 - (3 / 22) * e4 - (9 / 52) * e2 * e3 + (3 / 26) * e5;
      return 3 * total + (scale * (1 + series)) / (mean * Math.sqrt(mean));
    }
    const shift = Math.sqrt(x * y) + Math.sqrt(y * z) + Math.sqrt(z * x);
    total += scale / (Math.sqrt(z) * (z + shift));
    [x, y, z] = [(x + shift) / 4, (y + shift) / 4, (z + shift) / 4];
  }
};

const ellipkm1 = (p) => (p > 0 ? carlson_f(0, p, 1) : p === 0 ? Infinity : NaN);

const ellipk = (m) => ellipkm1(1 - m);

const ellipe = (m) => {
  const p = 1 - m;
  return p > 0 ? (p * (carlson_d(0, p, 1) + carlson_d(0, 1, p))) / 3 : p === 0 ? 1 : NaN;
};

const ellipd = (m) => (m < 1 ? carlson_d(0, 1 - m, 1) / 3 : m === 1 ? Infinity : NaN);

// [turns, sine, squared cosine, 1 - m sine^2] of an angle less its half turns.
const amplitude = (angle, m) => {
  const turns = Math.round(angle / Math.PI);
  const s = (turns % 2 ? -1 : 1) * Math.sin(angle);
  const c2 = Math.cos(angle) ** 2;
  return [turns, s, c2, c2 + (1 - m) * s * s];
};

const ellipkinc = (angle, m) => {
  const [turns, s, c2, d2] = amplitude(angle, m);
  return d2 < 0 ? NaN : s * carlson_f(c2, d2, 1) + (turns ? 2 * turns * ellipk(m) : 0);
};

// In the form whose terms are of one sign: DLMF 19.25.9 for m < 0, 19.25.10 for m > 0.
const ellipeinc = (angle, m) => {
  const [turns, s, c2, d2] = amplitude(angle, m);
  if (d2 < 0) return NaN;
  const all = turns ? 2 * turns * ellipe(m) : 0;
  if (m <= 0) return all + s * (carlson_f(c2, d2, 1) - (m / 3) * s * s * carlson_d(c2, d2, 1));
  if (m === 1) return all + s;
  const part = carlson_f(c2, d2, 1) + (m / 3) * s * s * carlson_d(c2, 1, d2);
  return all + s * ((1 - m) * part + m * Math.sqrt(c2 / d2));
};

// ---- orthogonal polynomials of whole degree, by their recurrences (DLMF 18.9)

const polynomial = (n, next) => {
  if (!(n >= 0 && n < 1e5) || n !== Math.floor(n)) return NaN;
  let before = 0;
  let now = 1;
  for (let k = 0; k < n; k++) [before, now] = [now, next(k, now, before)];
  return now;
};

const eval_legendre = (n, x) => polynomial(n, (k, p, q) => ((2 * k + 1) * x * p - k * q) / (k + 1));

const eval_gegenbauer = (n, a, x) =>
  polynomial(n, (k, p, q) => (2 * (k + a) * x * p - (k + 2 * a - 1) * q) / (k + 1));

const eval_chebyt = (n, x) => polynomial(n, (k, p, q) => (k ? 2 * x * p - q : x));

const eval_chebyu = (n, x) => polynomial(n, (k, p, q) => 2 * x * p - q);

const eval_hermite = (n, x) => polynomial(n, (k, p, q) => 2 * x * p - 2 * k * q);

const eval_hermitenorm = (n, x) => polynomial(n, (k, p, q) => x * p - k * q);

const eval_laguerre = (n, x) => eval_genlaguerre(n, 0, x);

const eval_genlaguerre = (n, a, x) => polynomial(n, (k, p, q) => ((2 * k + 1 + a - x) * p - (k + a) * q) / (k + 1));
