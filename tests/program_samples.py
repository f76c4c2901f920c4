"""Small cells, each with something that a generated program could get wrong: for tests only."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Sample(NamedTuple):
    """A cell, its inputs, and other values for some of them with which it goes the same way."""

    name: str
    cell: str
    inputs: dict[str, Any]
    second: dict[str, Any] | None = None
    of: str = ""


X = np.array([0.5, 0.2, 0.1])
M = np.array([[1.0, 2.0], [3.0, 5.0]])

OUTPUTS = [
    Sample("two outs", "a=x*y\nb=np.array([x,y])*x", {"x": 1.5, "y": 0.5}, {"x": 2.0}, "a,b"),
    Sample("two outs arr", "a=(x**2).sum()\nb=x*2\nc=3.0", {"x": X}, {"x": X * 2}, "a,b,c"),
    Sample("list out", "z=[x*y,x+y,1.0]", {"x": 1.5, "y": 0.5}, {"x": 2.0}),
    Sample("nested list", "z=[[x*y,x+y],[1.0,y]]", {"x": 1.5, "y": 0.5}, {"x": 2.0}),
    Sample("list with arrays", "z=[w*x, w+1]", {"x": 1.5, "w": X}, {"x": 2.0}),
    Sample("list of input", "z=[x,x,y]", {"x": 1.5, "y": 0.5}, {"x": 2.0}),
    Sample("out=input", "z=x", {"x": 1.5}, {"x": 2.0}),
    Sample("out=input arr", "z=x", {"x": X}, {"x": X * 2}),
    Sample("const out", "z=3.0", {"x": 1.5}),
    Sample("const arr out", "z=np.ones(3)", {"x": 1.5}),
    Sample("const arr out2", "z=np.ones(3)", {"x": X}),
    Sample("const list out", "z=[1.0,2.0]", {"x": 1.5}),
    Sample("const big arr", "z=np.arange(1000.)", {"x": 1.5}),
    Sample("unused", "z=x*2", {"x": 1.5, "y": 2.0, "w": X}, {"x": 2.0}),
    Sample("int out", "z=int(x)", {"x": 1.5}),
    Sample("0d", "z=np.array(x)*2", {"x": 1.5}, {"x": 2.0}),
    Sample("0d in", "z=x*2", {"x": np.array(1.5)}),
    Sample("empty", "z=np.sum(x)+y", {"x": np.zeros(0), "y": 1.0}),
    Sample("empty out", "z=x*2", {"x": np.zeros(0)}),
    Sample("empty out2", "z=x*2*y", {"x": np.zeros((0, 3)), "y": 2.0}),
    Sample("empty concat", "z=np.concatenate([x[:0],x*y])", {"x": X, "y": 2.0}, {"y": 3.0}),
    Sample("matrix out", "z=np.outer(x,x)*y", {"x": X, "y": 2.0}, {"y": 3.0}),
    Sample("matrix in", "z=M@M", {"M": M}, {"M": M + 1}),
    Sample("matrix in det", "z=np.linalg.det(M)", {"M": M}, {"M": M + np.eye(2)}),
]
CONSTANTS = [
    Sample("big const", "w=np.arange(1000.)\nz=np.sum(w*x)", {"x": 1.5}, {"x": 2.0}),
    Sample(
        "big const F",
        "w=np.asfortranarray(np.arange(1200.).reshape(30,40))\nz=np.sum(w@(w.T*x))",
        {"x": 1.5},
        {"x": 2.0},
    ),
    Sample("f32", "w=np.arange(5,dtype=np.float32)/3\nz=np.sum(w*x)", {"x": 1.5}, {"x": 2.0}),
    Sample(
        "f32 outs", "w=np.arange(3,dtype=np.float32)/3\na=np.sum(w*y)\nb=w*y+x", {"x": X, "y": 0.1}, {"y": 0.3}, "a,b"
    ),
    Sample("f32 const", "z=np.sum(x*(np.arange(3,dtype=np.float32)/3))", {"x": X}, {"x": X * 2}),
    Sample("f32 scal", "w=np.float32(0.1)\nz=w*x", {"x": 1.5}, {"x": 2.0}),
    Sample("f32 arr arr", "w=np.arange(3,dtype=np.float32)/3\nz=np.sum(w*x)", {"x": X}, {"x": X * 2}),
    Sample("big f32", "w=np.arange(1000,dtype=np.float32)/3\nz=np.sum(w*x)", {"x": 1.5}, {"x": 2.0}),
    Sample("bool const", "m=np.array([True,False,True])\nz=np.sum(m*x)", {"x": X}, {"x": X * 2}),
    Sample("bool index", "m=np.array([True,False,True])\nz=np.sum(x[m]**2)", {"x": X}, {"x": X * 2}),
    Sample("complex const", "w=np.array([1+2j,3j])\nz=np.abs(np.sum(w*x))", {"x": 1.5}, {"x": 2.0}),
    Sample(
        "nonfinite const",
        "w=np.array([np.inf,1.,np.nan])\nz=np.nansum(np.where(np.isfinite(w),w,0)*x)+np.sum(x*w)",
        {"x": X},
        {"x": X * 2},
    ),
    Sample("inf scal", "z=min(x,math.inf)+max(x,-math.inf)", {"x": 1.5}, {"x": 2.0}),
    Sample("inf const arr", "z=np.minimum(x,np.array([np.inf,0,-np.inf]))*np.array([1,1,0.])", {"x": X}, {"x": X * 2}),
    Sample("neg zero", "z=math.copysign(x,-0.0)+math.atan2(-0.0,-x)+x*-0.0", {"x": 1.5}, {"x": 2.0}),
    Sample("int8 const", "w=np.array([1,2,3],dtype=np.int8)\nz=np.sum(x**w)", {"x": X}, {"x": X * 2}),
    Sample("big int", "z=x*10**30+2**70", {"x": 1.5}, {"x": 2.0}),
    Sample("fraction", "from fractions import Fraction\nz=x*Fraction(1,3)", {"x": 1.5}, {"x": 2.0}),
    Sample("decimal-like", "z=x*0.1+1e300*1e-300*x", {"x": 1.5}, {"x": 2.0}),
    Sample("str array", "d=np.array(['a','b'])\nz=x*(d=='a').sum()", {"x": 1.5}, {"x": 2.0}),
    Sample("longdouble", "w=np.array([1.,2.],dtype=np.longdouble)\nz=np.sum(w*x)", {"x": 1.5}, {"x": 2.0}),
    Sample("float16", "w=np.array([1.1,2.3],dtype=np.float16)\nz=np.sum(w*x)", {"x": 1.5}, {"x": 2.0}),
    Sample("strided const", "w=np.arange(20.)[::-2]\nz=np.sum(w*x)", {"x": 1.5}, {"x": 2.0}),
]
NAMES = [
    Sample("unicode", "λ=x*σ\nẋ=λ**2\nz=ẋ+σ", {"x": 1.5, "σ": 0.5}, {"x": 2.0}),
    Sample("unicode2", "z=θ*math.sin(Δ)", {"θ": 1.5, "Δ": 0.5}, {"θ": 2.0}),
]
DECISIONS = [
    Sample("astype", "z=np.sum(x.astype(int)*x)+np.sum(x.astype(bool)*x)", {"x": X * 9}, {"x": X * 9.1}),
    Sample("into ints", "k=np.zeros(3,int)\nk[:2]=x[:2]*9\nz=np.sum(k*x)", {"x": X}, {"x": X * 1.01}),
    Sample("nonzero", "z=np.sum(x[np.nonzero(x)[0]])*x[0]", {"x": X}, {"x": X + 1}),
    Sample(
        "of no axes", "p=np.percentile(x,30)\nz=round(p*9)*x[0]+len(f'{p:.1f}')+len({p})", {"x": X}, {"x": X[[0, 1, 2]]}
    ),
    Sample("no places", "y=x*1.0\ny[y>5]=x[0]\nz=y.sum()", {"x": X}, {"x": X + 1}),
    Sample("singular det", "z=np.linalg.det(np.outer(x,x))", {"x": X}),
    Sample("tanh of a number", "z=np.tanh(x[0])+np.tanh(9*x).sum()", {"x": X}, {"x": X * 2}),
    Sample("remainder", "z=math.remainder(x,0.8)*x", {"x": 1.0}, {"x": 1.1}),
    Sample("int", "z=x*int(y*3)", {"x": 1.5, "y": 2.0}, {"x": 2.0}),
    Sample("round", "z=x*round(y,1)+round(x)+y", {"x": 1.5, "y": 2.04}, {"y": 2.03}),
    Sample(
        "floor",
        "z=x*math.floor(y*3)+math.ceil(x)*x+math.trunc(y)+x//1+y%0.3+divmod(x,.4)[1]",
        {"x": 1.45, "y": 2.1},
        {"x": 1.46},
    ),
    Sample("max tie", "z=max(x,y,x)+min([x,y])", {"x": 1.5, "y": 1.5}),
    Sample("max tie3", "z=max(x,y,3*x-3)+min(x,y)*x", {"x": 1.5, "y": 1.5}),
    Sample("max key", "z=max([x,y,-3*x],key=abs)*x", {"x": 1.5, "y": 1.0}, {"x": 2.0}),
    Sample("sorted", "a=sorted([x,y,x*y])\nz=a[0]+2*a[1]+3*a[2]", {"x": 1.5, "y": 0.5}, {"x": 2.0}),
    Sample("try", "try:\n    z=math.sqrt(x)\nexcept ValueError:\n    z=x*y", {"x": -1.5, "y": 0.5}, {"x": -2.0}),
    Sample("try2", "try:\n    z=1/(x-x)\nexcept ZeroDivisionError:\n    z=x*y", {"x": -1.5, "y": 0.5}, {"x": -2.0}),
    Sample("try3", "try:\n    z=math.exp(x)\nexcept OverflowError:\n    z=x*y", {"x": 1000.0, "y": 0.5}, {"x": 2000.0}),
    Sample("try ok", "try:\n    z=math.log(x)\nexcept ValueError:\n    z=x*y", {"x": 2.0, "y": 0.5}, {"x": 3.0}),
    Sample(
        "isclose",
        "z=x*2 if math.isclose(x,y) else x*y+ (3 if np.isclose(x,y) else 0)*x",
        {"x": 2.0, "y": 0.5},
        {"x": 3.0},
    ),
    Sample(
        "isnan",
        "z=x*2 if not math.isnan(x) and math.isfinite(y) and not math.isinf(x) else x",
        {"x": 2.0, "y": 0.5},
        {"x": 3.0},
    ),
    Sample("hash", "d={x:y}\nz=d[x]*x", {"x": 2.0, "y": 0.5}, {"y": 3.0}),
    Sample("set", "z=len({x,y})*x", {"x": 2.0, "y": 0.5}),
    Sample("format", "s=f'{x:.1f}'\nz=float(s)*y+len(s)*x", {"x": 2.04, "y": 0.5}, {"y": 0.7}),
    Sample("str", "s=str(x)\nz=len(s)*x*y", {"x": 2.5, "y": 0.5}, {"y": 3.0}),
    Sample("repr", "s=repr(x)+'%.2f'%x+'{:.3e}'.format(x)\nz=len(s)*x*y", {"x": 2.5, "y": 0.5}, {"y": 3.0}),
    Sample("while", "k=0\nwhile x>0.1:\n    x=x*y;k+=1\nz=x*k", {"x": 2.5, "y": 0.5}, {"x": 2.45}),
    Sample(
        "match",
        "match x:\n    case 2.5: z=y\n    case float() if x>1: z=x*y\n    case _: z=x",
        {"x": 2.0, "y": 0.5},
        {"x": 2.2},
    ),
    Sample("is_integer", "z=x*2 if x.is_integer() else x*y", {"x": 2.5, "y": 0.5}, {"x": 2.2}),
    Sample("bool", "z=x*2 if x else y", {"x": 2.5, "y": 0.5}, {"x": 2.2}),
    Sample("frexp", "m,e_=math.frexp(x)\nz=m*e_*y+math.ldexp(x,2)+math.modf(x)[0]*y", {"x": 2.5, "y": 0.5}, {"x": 2.2}),
    Sample("eq arr", "z=np.sum(x[x>0.15])*y", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("argsort", "z=np.sum(x[np.argsort(x)]*np.arange(3))*y", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("argmax", "z=x[np.argmax(x)]*y+x[x.argmin()]", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("searchsorted", "z=x[np.searchsorted(np.array([0.,.3,.6]),y)]*y", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("np.any", "z=np.sum(x)*y if np.any(x>.4) and np.all(x<1) else y", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("allclose", "z=np.sum(x)*y if not np.allclose(x,y) else y", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("array_equal", "z=np.sum(x)*y if not np.array_equal(x,x*2) else y", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("tolist", "a=x.tolist()\nz=sum(a)*y", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("iter", "z=0\nfor v in x: z=z+v*v if v>.15 else z-v", {"x": X}, {"x": X * 1.1}),
    Sample("nonzero", "z=np.sum(x[np.nonzero(x>.15)])+np.count_nonzero(x>0)*y", {"x": X, "y": 0.5}, {"x": X * 1.1}),
    Sample("unique", "z=np.sum(np.unique(x)*np.arange(3))", {"x": X}, {"x": X * 1.1}),
    Sample("digitize", "z=np.sum(np.digitize(x,[.15,.3])*x)", {"x": X}, {"x": X * 1.1}),
    Sample(
        "floor arr",
        "z=np.sum(np.floor(x*10)*x)+np.sum(np.round(x,1)*x)+np.sum(x.astype(int)*x)",
        {"x": X + 0.003},
        {"x": X + 0.004},
    ),
    Sample("sign", "z=np.sum(np.sign(x-.15)*x)+np.sum(np.heaviside(x-.3,0)*x)", {"x": X}, {"x": X * 1.1}),
]
KINKS = [
    Sample("sqrt0", "z=math.sqrt(x)*y+y", {"x": 0.0, "y": 0.5}),
    Sample("sqrt0b", "z=math.sqrt(x*x+y*y)", {"x": 0.0, "y": 0.0}),
    Sample("abs0", "z=abs(x)*y", {"x": 0.0, "y": 0.5}),
    Sample(
        "where",
        "z=np.sum(np.where(x>0,np.sqrt(x),0))",
        {"x": np.array([0.0, 1.0, 4.0])},
        {"x": np.array([0.0, 2.0, 5.0])},
    ),
    Sample(
        "where2",
        "z=np.where(x>0,np.sqrt(np.where(x>0,x,1)),0)",
        {"x": np.array([-1.0, 0.0, 4.0])},
        {"x": np.array([-1, 0.0, 5.0])},
    ),
    Sample(
        "where3",
        "z=np.where(x>0,np.log(x),0)*y",
        {"x": np.array([-1.0, 0.0, 4.0]), "y": 2.0},
        {"x": np.array([-1, 0.0, 5.0])},
    ),
    Sample("norm0", "z=np.linalg.norm(x)", {"x": np.zeros(3)}),
    Sample(
        "norm0b",
        "z=np.linalg.norm(x,axis=1)",
        {"x": np.array([[0.0, 0.0], [3.0, 4.0]])},
        {"x": np.array([[0.0, 0.0], [1.0, 2.0]])},
    ),
    Sample("pow0", "z=x**y+x**2+x**0+0**y+x**1.5", {"x": 0.0, "y": 2.0}),
    Sample("pow0 arr", "z=np.sum(x**y)+np.sum(x**0.5)", {"x": np.array([0.0, 1.0]), "y": 2.0}),
    Sample("atan2 0", "z=math.atan2(y,x)", {"x": 0.0, "y": 0.0}),
    Sample("hypot0", "z=math.hypot(x,y)", {"x": 0.0, "y": 0.0}),
    Sample(
        "max arr tie",
        "z=np.max(x)+np.min(x)+np.maximum(x,.5).sum()+np.clip(x,.5,.7).sum()",
        {"x": np.array([0.5, 0.5, 0.7])},
    ),
    Sample("prod0", "z=np.prod(x)+math.prod(x)", {"x": np.array([0.5, 0.0, 0.7])}),
    Sample("sinc0", "z=np.sum(np.sinc(x))", {"x": np.array([0.5, 0.0, 0.7])}, {"x": np.array([0.6, 0.0, 0.7])}),
    Sample("asin1", "z=math.asin(x)+math.acos(x)", {"x": 1.0}),
    Sample("sqrt chain", "z=math.sqrt(x)**2", {"x": 0.0}),
    Sample("log0", "z=np.log(x)*0", {"x": np.array([0.0, 1.0])}),
    Sample("inf val", "z=np.exp(x)", {"x": np.array([1000.0, 1.0])}),
    Sample("nan val", "with np.errstate(all='ignore'): z=np.log(x)", {"x": np.array([-1.0, 1.0])}),
    Sample("xlogx", "z=np.sum(np.where(x>0,x*np.log(np.where(x>0,x,1)),0))", {"x": np.array([0.0, 1.0])}),
    Sample("logaddexp", "z=np.logaddexp(x,-np.inf)", {"x": 1.0}),
]
COMPLEX = [
    Sample("cmath", "w=cmath.exp(1j*x)\nz=w.real*y+abs(w)+w.imag", {"x": 1.0, "y": 2.0}, {"x": 2.0}),
    Sample(
        "cmath2", "w=complex(x,y)\nz=abs(w**2)+cmath.phase(w)+(w*w.conjugate()).real", {"x": 1.0, "y": 2.0}, {"x": 2.0}
    ),
    Sample("cpolar", "r,p=cmath.polar(x+1j*y)\nz=r*p", {"x": 1.0, "y": 2.0}, {"x": 2.0}),
    Sample("fft", "z=np.sum(np.abs(np.fft.fft(x))**2*np.arange(3))", {"x": X}, {"x": X * 1.1}),
    Sample("ifft", "z=np.fft.ifft(np.fft.fft(x)*np.array([1,2j,3])).real", {"x": X}, {"x": X * 1.1}),
    Sample("rfft", "z=np.abs(np.fft.rfft(x))+np.angle(np.fft.rfft(x))", {"x": X}, {"x": X * 1.1}),
    Sample("irfft", "z=np.fft.irfft(np.fft.rfft(x)*y,n=3)", {"x": X, "y": 2.0}, {"x": X * 1.1}),
    Sample("complex arr", "w=x+1j*x**2\nz=np.sum(np.abs(w*np.conj(w)))+np.sum((w*1j).imag)", {"x": X}, {"x": X * 1.1}),
    Sample(
        "complex eig",
        "w=np.linalg.eigvals(M)\nz=np.sum(np.abs(w))",
        {"M": np.array([[0.0, 1.0], [-2.0, 0.3]])},
        {"M": np.array([[0.0, 1.1], [-2.0, 0.3]])},
    ),
    Sample(
        "roots complex",
        "z=np.sum(np.abs(np.roots(x)))",
        {"x": np.array([1.0, 2.0, 5.0])},
        {"x": np.array([1.0, 2.0, 6.0])},
    ),
]
SAMPLES = [*OUTPUTS, *CONSTANTS, *NAMES, *DECISIONS, *KINKS, *COMPLEX]
