"""FUNCTIONS: derivatives of plain functions, under JAX's names and argument order.

>>> import math
>>> def f(x, y):
...     return (x + 2 * y) ** 2 * math.sin(x * y)
>>> value, (dx, dy) = value_and_grad(f, argnums=(0, 1))(2.0, 3.0)
>>> round(value, 10), round(dx, 10), round(dy, 10)
(-17.8825918847, 179.8820470657, 113.9605007489)
>>> jvp(math.sin, (0.0,), (1.0,))
(0.0, 1.0)
"""

from .checkpoints import checkpoint as checkpoint
from .gradient import grad as grad
from .gradient import value_and_grad as value_and_grad
from .implicit import fixed_point as fixed_point
from .implicit import root as root
from .linear import hvp as hvp
from .linear import jvp as jvp
from .linear import linearize as linearize
from .linear import vjp as vjp
from .matrices import hessian as hessian
from .matrices import jacfwd as jacfwd
from .matrices import jacobian as jacobian
from .matrices import jacrev as jacrev
from .stopping import stop_gradient as stop_gradient
from .taylor import taylor as taylor
