"""Small cells that compute z: what people write, and what goes wrong easily when a source is rewritten."""

from __future__ import annotations

# of two numbers, x and y
CELLS = r"""
s = set(); s.add(x); z = sum(s) + y
---
from collections import deque
q = deque([x]); q.append(y); z = q.popleft() * q[0]
---
from collections import defaultdict
d = defaultdict(float); d['a'] += x; d['a'] += y*x; z = d['a']
---
import itertools
z = 0.0
for a in itertools.chain([x], [y, x]):
    z = z * 2 + a
---
import functools
f = functools.partial(lambda a, b: a*b, x); z = f(y)
---
m = [[0.0]*2]*2
m[0][1] = x
z = m[1][1] * y
---
a = b = []
a.append(x); b.append(y)
z = a[0]*a[1]
---
xs = [x, y, 1.0, 2.0]
xs[1:3] = [x*y, y*y]
z = sum(xs[1:])
---
xs = [x, y, 3.0]
del xs[0]
xs.insert(0, x*x)
z = xs[0]*xs[-1] + xs.pop() + len(xs)
---
def f(v, acc=None):
    if acc is None:
        acc = []
    acc.append(v)
    return acc
z = f(x)[0] * f(y, [x])[1]
---
ops = {'sq': lambda v: v*v, 'lin': lambda v: 2*v}
z = 0.0
for k in ('sq', 'lin'):
    z += ops[k](x) * y
---
fs = [math.sin, math.cos, lambda v: v*v]
z = sum(f(x) for f in fs) * y
---
def g(v):
    return v if v > 0 else -v*v
if g(x) > 1 and g(y) < 5:
    z = g(x)*y
else:
    z = x
---
t = 0.0
for i in range(10):
    if t > 3: break
    t += x
else:
    t = y
z = t*y
---
n = 0
v = x
while v < 10 and n < 6:
    v = v * 2 + y*0.1
    n += 1
else:
    v = v + 1
z = v * n
---
def outer(v):
    total = 0.0
    def add(w):
        nonlocal total
        total += w * v
        return total
    add(1.0); add(v)
    return total + add(y)
z = outer(x)
---
best = None
for v in (x, y, x*y):
    if best is None or v > best:
        best = v
z = best
---
d = {'a': x, 'b': y, 'c': x*y}
k = max(d, key=d.get)
z = d[k] + min(d.values())
---
xs = sorted([(x, 1.0), (y, 2.0), (x*y, 3.0)], key=lambda p: p[0])
z = xs[0][0] * xs[-1][1] + xs[1][0]
---
rows = [[x, y], [y, 1.0], [2.0, x]]
cols = list(zip(*rows))
z = sum(a*b for a, b in zip(*cols))
---
z = x or y
z = z * (x and y)
---
v = x > 0 and x*x or y
z = v
---
z = [a*b for a in (x, y) for b in (x, 2.0) if a != b][1]
---
z = sum(i*a for i, a in enumerate([x, y, x*y], 1))
---
def f(*args, scale=1.0):
    return scale * sum(args)
z = f(x, y, scale=x) + f(*[x, x])
---
def f(a, b):
    return a - b
args = (x, y)
z = f(*args) + f(b=x, a=y)
---
def f(v):
    try:
        if v < 0: raise ValueError('neg')
        return v*v
    except ValueError as e:
        return -v
    finally:
        pass
z = f(x) + f(-y)
---
x2 = x
x = 3.0
z = x * x2
---
y += x
x *= y
z = x + y
---
def f(n, v):
    return 1.0 if n == 0 else v * f(n-1, v) + n
z = f(5, x) * y
---
p = (x, (y, [x*y, 2.0]))
a, (b, (c, d)) = p
z = a*b*c*d
---
state = {'v': x}
def step(s):
    s['v'] = s['v'] * y
    return s
for _ in range(3): step(state)
z = state['v']
---
hist = [(0.0, x)]
for i in range(3):
    t, v = hist[-1]
    hist.append((t + 0.1, v + 0.1*v*y))
z = hist[-1][1] + hist[-1][0]
---
xs = [x]*3
ys = xs + [y]
ys *= 2
z = sum(ys) * len(ys)
---
z = f"{x:.2f}"
z = float(len(z)) * x
---
z = 0
for i, (a, b) in enumerate(zip([x, y], [y, 2.0])):
    z += a*b*i + a
---
m = {i: [x*i, y] for i in range(3)}
z = sum(v[0]*v[1] for v in m.values()) + sum(k*w[0] for k, w in m.items())
---
z = (lambda a, b=y: a*b)(x)
---
def make(k):
    def f(v): return v*k
    return f
f1, f2 = make(x), make(2.0)
z = f1(y) + f2(x)
---
data = [1.0, 2.0, 3.0]
mean = sum(data)/len(data)
z = sum((d - x)**2 for d in data)/len(data) + mean*y
---
z = 1.0
i = 0
while True:
    i += 1
    if i == 2: continue
    z = z*x + y/i
    if i > 4: break
---
a = [0.0]*3
i = 0
i, a[i] = 1, x
z = a[0] + a[1]*y
---
xs = [x, y]
for i, v in enumerate(xs):
    xs[i] = v*v
z = xs[0] + xs[1]
---
z = x if x > y else (y if y > 1 else x*y)
---
z = min(x, y, 1.0) + max([x, y]) + max(x, 2) + min(3, y)
---
z = round(x) * y + int(y) * x + x // 1 + x % 1 + abs(-x)
---
z = divmod(x, 1.5)[1] * y
---
z = math.prod([x, y, 2]) + math.fsum([x, y]) + math.dist((x, y), (0.0, 1.0)) + math.hypot(x, y, 1.0)
---
z = 2**x + x**y + x**2.5 + (-x)**2 + x**-1
---
import statistics as st
z = x*st.mean([1.0, 2.0]) + y
---
v = [x, y]
w = list(v); u = v[:]; c = v.copy()
v[0] = 5.0
z = w[0]*u[0]*c[0]*v[0] + w[1]
---
def fib(n, memo={}):
    if n in memo: return memo[n]
    r = x if n < 2 else fib(n-1) + fib(n-2)
    memo[n] = r
    return r
z = fib(6) * y
---
z = 0.0
it = iter([x, y, x*y])
for v in it:
    z += v
---
vals = map(lambda v: v*v, [x, y])
z = sum(vals)
---
z = sum(filter(lambda v: v > 0, [x, -y, y]))
---
assert x > -100, "bad"
z = x*y
del z
z = y*x*x
---
from functools import reduce
z = reduce(lambda a, b: a*b + x, [1.0, y, 2.0])
---
global_k = 2
def f(v):
    global global_k
    global_k += v
    return global_k
z = f(x) * f(y)
---
match [x, y]:
    case [a, b] if a > 100:
        z = a
    case [a, *rest]:
        z = a * rest[0]
---
match x > 0:
    case True:
        z = x*x
    case _:
        z = y
---
z = complex(x, y).real
---
class P:
    k = 3.0
z = x * P.k + y
---
class V:
    def __init__(self, a): self.a = a
v = V(2.0)
z = v.a * x * y
---
class V:
    def __init__(self, a): self.a = a
v = V(x)
z = v.a * y
---
xs = []
xs.extend(v*x for v in (1.0, 2.0))
xs.reverse()
z = xs[0]*y + sum(xs)
---
xs = [3.0, x, y]
xs.sort()
z = xs[0] + 2*xs[1] + 3*xs[2]
---
z = x
for _ in range(3): z = math.sin(z) + y if z > 0 else math.cos(z) - y
---
a, *b = [x, y, x*y]
*c, d = b
z = a*sum(b)*d*c[0]
---
z = (y := x*2) * y
---
t = (v := x + y) > 0
z = v * t
---
while (d := x - y) > 10:
    x = x/2
z = x*d
---
z = {'a': x}.get('b', y) * {'a': x}['a']
---
z = x; w = z; z += y
z = z*w
---
def f(v, /, w, *, k=1.0): return v*w*k
z = f(x, y, k=x) + f(x, w=2.0)
---
def f(): return x*y
z = f() + f()
---
def f():
    r = 0.0
    for k in range(3): r += k*x
    return r
x = x*2
z = f()*y
---
z = sum([x, y], 1.0) + sum((x, y), start=x)
---
d = dict(a=x, b=y); d2 = {**d, 'c': 1.0}; d2['a'] = y
z = d['a']*d2['b'] + d2['a']
---
d = {}
d.setdefault('k', []).append(x)
d.setdefault('k', []).append(y)
z = d['k'][0]*d['k'][1]
---
import copy
a = [[x, y]]
b = copy.deepcopy(a); c = copy.copy(a)
a[0][0] = 2.0
z = b[0][0] + c[0][0]*y
---
n = len([v for v in (x, y) if v > 0])
z = n*x + y
---
z = any(v > 1 for v in (x, y)) * x + all([x, y]) * y
---
z = sum(x*k for k in range(3)) if x > 0 else y
---
z = [x, y][x < y] + (x, y)[1]
---
k = int(x)
xs = [x*y, y, x]
z = xs[k % 3]
---
z = float(x) + float("2.5")*y
---
z = -(-x) + +y - -x
---
z = 0.0
for r in [[x, y], [y]]:
    for v in r:
        z += v*v
---
z = (x, y)
z = z[0]*z[1]
""".strip().split("\n---\n")

# of an array x of four entries and a number t
ARRAY_CELLS = r"""
a = np.zeros(3); b = a; b += x[:3]; z = (a*a).sum() + t
---
a = x.copy(); a[a > 0] = t; z = a.sum()*t
---
a = np.array([t, 1, 2]); a[1] = x[0]; z = a @ a
---
a = x + 0; b = a[::2]; b *= t; z = a.sum() + b[0]*a[1]
---
m = np.outer(x, x); m[0] = t; m[:, 1] += x; z = np.trace(m) + m.sum()
---
v = t + np.zeros(3); w = v; w[0] = 5.0; z = v.sum()
---
s = t * 1.0
acc = np.zeros(x.size)
for i in range(x.size):
    acc[i] = s
    s = s * x[i]
z = acc.sum() + s
---
def f(a):
    a[0] = a[0]*2
    return a.sum()
y = x * 1.0
z = f(y) + y[0]*t
---
rows = [x, x*2, np.ones(x.size)]
M = np.array(rows)
z = (M.T @ M).sum() * t
---
z = np.sum(t + np.arange(4.0)) + np.mean(t - np.ones((2,3)))
---
z = np.sum(np.maximum(t, np.array([0.1, 5.0, 0.7])))
---
z = np.sum(t % np.array([0.3, 0.4])) + np.sum(np.hypot(t, np.ones(3)))
---
c = np.where(np.array([True, False, True]), t, 0.0)
z = c.sum()
---
idx = np.argsort(x)
z = (x[idx] * np.arange(x.size)).sum() * t
---
u = x
for _ in range(3):
    u = np.roll(u, 1) * t + u
z = u.max() + u.min()
---
q = x.reshape(2, -1); q2 = q.T; q2[0, 0] = t
z = q.sum() + x.sum()
---
x[0] = t
z = x.sum()
---
x *= t
z = (x**2).sum()
---
z = sum(v*v for v in x) + max(x) * min(x) + len(x)*t
---
total = 0.0
for i, v in enumerate(x):
    if v > 0:
        total += v*t
    else:
        total -= v
z = total
---
l = list(x); l.append(t); z = np.prod(l)
---
w = [t, t*2]; a = np.array(w); w[0] = 0.0; z = a.sum()
---
z = float(x[0])*t + x.tolist()[1]
---
out = np.empty(3)
np.multiply(x[:3], t, out=out)
z = out.sum()
---
rng = np.random.default_rng(0); e = rng.standard_normal(5)
z = np.sum(t + e) + (t*e).sum()
---
cfg = {'w': np.ones(4), 'b': 0.5}
z = np.sum(t + cfg['w']) + cfg['b']*x.sum()
---
a = np.full(3, t); b = np.linspace(0, t, 4); c = np.full_like(a, 2.0)
z = (a*c).sum() + b @ b
---
k = np.arange(4); k2 = k * t
k2[0] = x[0]
z = k2.sum()
---
k = np.arange(4)
k = k + 0.5
k[0] = x[0]
z = k.sum()
---
a = np.zeros(4, dtype=int) + 0.0; a[1] = t; z = a.sum()
---
n = np.linalg.norm(x - x[0]) ; z = n + np.linalg.norm([t, 1.0])
---
z = np.std(x) + np.var(x, ddof=1)*t + np.prod(x[:2])
---
z = x[-1] if (x > 0).any() else t*2
---
z = np.sqrt(np.abs(x)).sum() + np.sum(np.sqrt(x*0 + t*t))
---
A = np.eye(2)*t + np.ones((2,2)); b = x[:2]
z = np.linalg.solve(A, b) @ np.linalg.inv(A) @ b + np.linalg.det(A)
---
for r in x.reshape(2, 2):
    r[0] = t
z = x.sum()
---
a = x[1:3]; a = a + 1; a[0] = t; z = x.sum() + a.sum()
---
f = lambda v: v**2 if v > 0 else -v
z = sum(map(f, x)) * t
---
z = np.mean([x[0], t, 3.0]) + np.max([t, x[1]]) + np.sum([x, x])
---
p, q = x[:2]
z = p*q*t
---
M = np.stack([x, x+t]); M[1, 2] *= 3; z = M.sum(axis=0).prod()
---
z = (x[:, None] * x[None, :]).sum() + (x[:, None] - t).mean()
---
z = np.concatenate([x, [t], np.zeros(2)]).cumsum().sum()
---
b = np.broadcast_to(t, (3,)) ; z = b.sum()
---
z = np.clip(x, -t, t).sum() + np.clip(t, 0, 1)
---
d = np.diff(x); d[0] += t; z = (d**2).sum()
---
y = x; y = y.copy(); y.sort(); z = y[0]*t + y[-1]
---
z = t
z += x
z = z.sum()
---
z = np.dot(t, x).sum() + np.inner(x, x) + (x @ x)*t
---
m = x > 0
a = x * 1.0
a[m] = t
z = a.sum() + (a[m]*t).sum()
---
a = x*1.0
m = a
a[m > 0] -= t
z = a.sum()
---
k = np.full(3, 2); k2 = np.full_like(x, t); z = (k2 * x).sum() + k.sum()*t
""".strip().split("\n---\n")
