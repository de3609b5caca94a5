"""Recurrent layers over a sequence [turns, …, width], as scans: of each row, or of a whole tensor.

The products with the inputs of all turns are one product before the scan; each gate has matrices of its own,
so that its sum, bias and activation are one kernel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, const, where
from executor.compiler.op import Op
from executor.compiler.scan import scan

Activation = Callable[[Node], Node]
Bodies = tuple[Sequence[Node], Sequence[Node]]


@dataclass(frozen=True)
class Sequences:
    """Inputs [turns, …, width]; whether the last turn comes first; how many turns each row has [… , 1], where
    that differs."""

    x: Node
    backwards: bool
    lengths: Node | None = None

    def run(
        self,
        step: Callable[[Sequence[Node], Sequence[Node], Sequence[Node]], Sequence[Node]],
        start: Sequence[Node],
        scanned: list[Node],
        shared: list[Node],
    ) -> tuple[Node, list[Node]]:
        """Carry what `step` makes of the states; all turns of the first state, and the last states."""
        turns, lengths = self.x.shape[0], self.lengths
        if lengths is not None:
            shape = (turns, *(1 for _ in self.x.shape[1:]))
            index = const(np.arange(turns, dtype=np.float32).reshape(shape))
            scanned = [*scanned, ir.expand_to(lengths, (turns, *lengths.shape)) - index]

        def turn(carried: Sequence[Node], scanned: Sequence[Node], shared: Sequence[Node]) -> Bodies:
            new = step(carried, scanned, shared)
            if lengths is None:
                return new, (new[0],)
            left, zero = scanned[-1], const(0.0)
            kept = [where(Op.WHERE_GT, left, zero, b, a) for a, b in zip(carried, new, strict=True)]
            return kept, (where(Op.WHERE_GT, left, zero, new[0], zero),)

        last, (every,) = scan(turn, start, scanned, shared, backwards=self.backwards)
        return every, last


def split(x: Node, parts: int) -> list[Node]:
    """Equal parts of the first axis."""
    size = x.shape[0] // parts
    rest, ones = x.shape[1:], [1] * len(x.shape)
    return [ir.take_slice(x, [part * size, *(0 for _ in rest)], [size, *rest], ones) for part in range(parts)]


def times(x: Node, m: Node) -> Node:
    """x [*, width] · m [outputs, width]ᵀ, for rows of a batch or a whole matrix."""
    if x.batched:
        return ir.dot(x, m, "ok")
    rows = ir.reshape(x, (x.size // x.shape[-1], x.shape[-1]))
    return ir.reshape(ir.matmul(rows, ir.transpose(m)), (*x.shape[:-1], m.shape[0]))


def lstm(
    inputs: Sequences,
    w: Node,
    r: Node,
    bias: Node | None,
    start: Sequence[Node],
    peepholes: Node | None,
    activations: Sequence[Activation],
    coupled: bool = False,
) -> tuple[Node, Node, Node]:
    """ONNX's LSTM in one direction: w [4·hidden, width], r [4·hidden, hidden], gates in the order i, o, f, c;
    bias [8·hidden], peepholes [3·hidden] for i, o, f; start (h, c); `coupled`: f = 1 − i.

    Gives all h [turns, …, hidden], the last h and the last c.
    """
    f, g, h_ = activations

    def step(carried: Sequence[Node], scanned: Sequence[Node], shared: Sequence[Node]) -> Sequence[Node]:
        h, c = carried
        i_, o_, f_, c_ = (a + times(h, m) for a, m in zip(scanned, shared[:4], strict=False))
        p = shared[4:]
        if p:
            i_, f_ = i_ + p[0] * c, f_ + p[2] * c
        i = f(i_)
        new = (const(1.0) - i if coupled else f(f_)) * c + i * g(c_)
        if p:
            o_ = o_ + p[1] * new
        return f(o_) * h_(new), new

    fixed = split(r, 4) + (split(peepholes, 3) if peepholes else [])
    if bias is not None:
        one, two = split(bias, 2)
        bias = one + two
    every, (h, c) = inputs.run(step, start, _projected(inputs.x, w, bias, 4), fixed)
    return every, h, c


def gru(
    inputs: Sequences,
    w: Node,
    r: Node,
    bias: Node | None,
    start: Node,
    activations: Sequence[Activation],
    linear_before_reset: bool = False,
) -> tuple[Node, Node]:
    """ONNX's GRU in one direction: w [3·hidden, width], r [3·hidden, hidden], gates in the order z, r, h;
    bias [6·hidden], its second half added to the products with the state. Gives all h and the last."""
    f, g = activations
    into, rests = None, []
    if bias is not None:
        into, recurrent_bias = split(bias, 2)
        rests = split(recurrent_bias, 3)

    def step(carried: Sequence[Node], scanned: Sequence[Node], shared: Sequence[Node]) -> Sequence[Node]:
        (h,) = carried
        biases = shared[3:]

        def product(of: Node, gate: int) -> Node:
            y = times(of, shared[gate])
            return y + biases[gate] if biases else y

        z = f(scanned[0] + product(h, 0))
        reset = f(scanned[1] + product(h, 1))
        inner = reset * product(h, 2) if linear_before_reset else product(reset * h, 2)
        new = g(scanned[2] + inner)
        return (new + z * (h - new),)

    every, (h,) = inputs.run(step, [start], _projected(inputs.x, w, into, 3), split(r, 3) + rests)
    return every, h


def rnn(
    inputs: Sequences, w: Node, r: Node, bias: Node | None, start: Node, activation: Activation
) -> tuple[Node, Node]:
    """ONNX's RNN in one direction: w [hidden, width], r [hidden, hidden], bias [2·hidden]. Gives all h and
    the last."""

    def step(carried: Sequence[Node], scanned: Sequence[Node], shared: Sequence[Node]) -> Sequence[Node]:
        return (activation(scanned[0] + times(carried[0], shared[0])),)

    if bias is not None:
        one, two = split(bias, 2)
        bias = one + two
    every, (h,) = inputs.run(step, [start], _projected(inputs.x, w, bias, 1), [r])
    return every, h


def _projected(x: Node, w: Node, bias: Node | None, gates: int) -> list[Node]:
    """x · wᵀ + bias of all turns, gate by gate."""
    products = [times(x, part) for part in split(w, gates)]
    if bias is None:
        return products
    return [product + part for product, part in zip(products, split(bias, gates), strict=True)]
