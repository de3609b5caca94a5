"""Recurrent layers: RNN, GRU, LSTM, in one direction or both.

Rows of a batch lie on the first axis (`layout` 1); whole tensors may have either. `sequence_lens` masks
the turns behind a row's end: there the state stays and the output is zero.
"""

from collections.abc import Callable, Sequence
from functools import partial

from executor.compiler import ir, recurrent
from executor.compiler.ir import Node, const, where
from executor.compiler.op import Op
from executor.compiler.recurrent import Activation, Sequences
from executor.compiler.types import DType
from executor.errors import ShapeMismatch, UnsupportedAttribute, UnsupportedType
from executor.ops.movement import concat
from executor.ops.table import operator
from executor.ops.values import Value, Values, tensor


def _unary(op: Op) -> Activation:
    return lambda x: ir.elementwise(op, x)


def _positive(x: Node, above: Node, below: Node) -> Node:
    return where(Op.WHERE_GT, x, const(0.0), above, below)


def _hard_sigmoid(alpha: float, beta: float, x: Node) -> Node:
    inner = ir.elementwise(Op.MAX, const(0.0), x * const(alpha) + const(beta))
    return ir.elementwise(Op.MIN, const(1.0), inner)


def _exp(x: Node) -> Node:
    return ir.elementwise(Op.EXP, x)


ACTIVATIONS: dict[str, tuple[float, float, Callable[[float, float], Activation]]] = {
    "relu": (0, 0, lambda a, b: _unary(Op.RELU)),
    "tanh": (0, 0, lambda a, b: _unary(Op.TANH)),
    "sigmoid": (0, 0, lambda a, b: _unary(Op.SIGMOID)),
    "affine": (1, 0, lambda a, b: lambda x: x * const(a) + const(b)),
    "leakyrelu": (0.01, 0, lambda a, b: lambda x: _positive(x, x, x * const(a))),
    "thresholdedrelu": (1, 0, lambda a, b: lambda x: where(Op.WHERE_GE, x, const(a), x, const(0.0))),
    "scaledtanh": (1, 1, lambda a, b: lambda x: ir.elementwise(Op.TANH, x * const(b)) * const(a)),
    "hardsigmoid": (0.2, 0.5, lambda a, b: partial(_hard_sigmoid, a, b)),
    "elu": (1, 0, lambda a, b: lambda x: _positive(x, x, (_exp(x) - const(1.0)) * const(a))),
    "softsign": (0, 0, lambda a, b: lambda x: x / (ir.elementwise(Op.ABS, x) + const(1.0))),
    "softplus": (0, 0, lambda a, b: lambda x: ir.elementwise(Op.LOG, _exp(x) + const(1.0))),
}
"""Name → default alpha and beta, function."""
DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


class _Layer:
    """What the three operators share: inputs cut by direction, outputs put together."""

    def __init__(
        self,
        x: Node,
        r: Node,
        lengths: Value | None,
        hidden: int,
        direction: str,
        layout: int,
        names: Sequence[str],
        parameters: tuple[tuple[float, ...], tuple[float, ...]],
        clip: float | None,
    ) -> None:
        if x.dtype is not DType.F32:
            raise UnsupportedType("a recurrent layer of a type other than float32")
        if direction not in DIRECTIONS:
            raise UnsupportedAttribute(f"a recurrent layer in the direction {direction!r}")
        if len(x.shape) + x.batched != 3 or len(r.shape) != 3 or (hidden and hidden != r.shape[2]):
            raise ShapeMismatch(
                "a recurrent layer wants a sequence of vectors, and matrices of its hidden size"
            )
        if x.batched and not layout:
            raise UnsupportedAttribute("a recurrent layer whose first axis is the batch, but layout is 0")
        self.directions = DIRECTIONS[direction]
        self.hidden, self.batched, self.first = r.shape[2], x.batched, bool(layout)
        self.x = x if x.batched or not layout else ir.permute(x, (1, 0, 2))
        self.turns = self.x.shape[0]
        self.lead = self.x.shape[1:-1]
        self.lengths = None if lengths is None else self._lengths(lengths)
        self.activations = [_bounded(item, clip) for item in _activations(names, *parameters)]

    def _lengths(self, lengths: Value) -> Node:
        found = tensor(lengths)
        if found.batched != self.batched or found.shape != self.lead:
            raise ShapeMismatch("sequence_lens has one number for each row")
        return ir.reshape(ir.cast(found, DType.F32), (*self.lead, 1))

    def part(self, of: Node | None, direction: int, *shape: int) -> Node | None:
        """One direction's share of a parameter. Raises ShapeMismatch."""
        if of is None:
            return None
        if of.batched or of.shape != (len(self.directions), *shape):
            raise ShapeMismatch(f"a recurrent layer's parameter has the shape {list(of.shape)}")
        return ir.reshape(recurrent.split(of, len(self.directions))[direction], shape)

    def start(self, of: Node | None, direction: int) -> Node:
        """A state before the first turn; zeros if none is given."""
        shape = (*self.lead, self.hidden)
        if of is None:
            return const(0.0, shape)
        count = len(self.directions)
        wanted = (*self.lead, count, self.hidden) if self.first else (count, *self.lead, self.hidden)
        if of.shape != wanted or (of.batched and not self.batched):
            raise ShapeMismatch(f"an initial state has the shape {list(of.shape)}")
        axis = len(self.lead) if self.first else 0
        starts = [direction if k == axis else 0 for k in range(len(wanted))]
        sizes = [1 if k == axis else size for k, size in enumerate(wanted)]
        return ir.reshape(ir.take_slice(of, starts, sizes, [1] * len(wanted)), shape)

    def sequences(self, direction: int) -> Sequences:
        """The inputs, the direction, and which turns count."""
        return Sequences(self.x, self.directions[direction], self.lengths)

    def outputs(self, every: list[Node], *lasts: list[Node]) -> Values:
        """All turns [turns, directions, …, hidden] and last states [directions, …, hidden], or with the rows
        in front."""
        y, place = _stacked(every, 1), len(self.lead)
        if self.first and not self.batched:
            y = ir.permute(y, (2, 0, 1, 3))
        return (y, *(_stacked(last, place if self.first else 0) for last in lasts))


def _stacked(items: list[Node], axis: int) -> Node:
    """Side by side along a new axis."""
    grown = [ir.reshape(item, (*item.shape[:axis], 1, *item.shape[axis:])) for item in items]
    return tensor(concat(*grown, axis=axis + grown[0].batched))


def _activations(names: Sequence[str], alphas: Sequence[float], betas: Sequence[float]) -> list[Activation]:
    """alpha and beta are taken in order by the activations that have one. Raises UnsupportedAttribute."""
    found, left, more = [], list(alphas), list(betas)
    for name in names:
        if name.lower() not in ACTIVATIONS:
            raise UnsupportedAttribute(f"the activation {name!r}")
        alpha, beta, make = ACTIVATIONS[name.lower()]
        alpha = left.pop(0) if alpha and left else alpha
        beta = more.pop(0) if beta and more else beta
        found.append(make(alpha, beta))
    return found


def _bounded(activation: Activation, clip: float | None) -> Activation:
    if clip is None:
        return activation
    low, high = const(-clip), const(clip)

    def bounded(x: Node) -> Node:
        x = where(Op.WHERE_GT, low, x, low, x)
        return activation(where(Op.WHERE_GT, x, high, high, x))

    return bounded


def _names(given: tuple[str, ...], default: tuple[str, ...], directions: str) -> tuple[str, ...]:
    count = len(default) * (2 if directions == "bidirectional" else 1)
    if given and len(given) != count:
        raise UnsupportedAttribute(f"{len(given)} activations where {count} are wanted")
    return given or default * (count // len(default))


@operator("LSTM", since=1)
def lstm(
    x: Node,
    w: Node,
    r: Node,
    b: Node | None = None,
    sequence_lens: Value | None = None,
    initial_h: Node | None = None,
    initial_c: Node | None = None,
    p: Node | None = None,
    *,
    hidden_size: int = 0,
    direction: str = "forward",
    layout: int = 0,
    activations: tuple[str, ...] = (),
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
    clip: float | None = None,
    input_forget: int = 0,
    output_sequence: int = 0,
) -> Values:
    names = _names(activations, ("Sigmoid", "Tanh", "Tanh"), direction)
    parameters = (activation_alpha, activation_beta)
    layer = _Layer(x, r, sequence_lens, hidden_size, direction, layout, names, parameters, clip)
    n, width, found = layer.hidden, x.shape[-1], []
    for number in range(len(layer.directions)):
        matrices = layer.part(w, number, 4 * n, width), layer.part(r, number, 4 * n, n)
        bias, peepholes = layer.part(b, number, 8 * n), layer.part(p, number, 3 * n)
        start = layer.start(initial_h, number), layer.start(initial_c, number)
        functions = layer.activations[3 * number : 3 * number + 3]
        found.append(
            recurrent.lstm(
                layer.sequences(number),
                *_both(matrices),
                bias,
                start,
                peepholes,
                functions,
                bool(input_forget),
            )
        )
    every, h, c = (list(items) for items in zip(*found, strict=True))
    return layer.outputs(every, h, c)


@operator("GRU", since=1)
def gru(
    x: Node,
    w: Node,
    r: Node,
    b: Node | None = None,
    sequence_lens: Value | None = None,
    initial_h: Node | None = None,
    *,
    hidden_size: int = 0,
    direction: str = "forward",
    layout: int = 0,
    activations: tuple[str, ...] = (),
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
    clip: float | None = None,
    linear_before_reset: int = 0,
    output_sequence: int = 0,
) -> Values:
    names = _names(activations, ("Sigmoid", "Tanh"), direction)
    parameters = (activation_alpha, activation_beta)
    layer = _Layer(x, r, sequence_lens, hidden_size, direction, layout, names, parameters, clip)
    n, width, found = layer.hidden, x.shape[-1], []
    for number in range(len(layer.directions)):
        matrices = layer.part(w, number, 3 * n, width), layer.part(r, number, 3 * n, n)
        bias, start = layer.part(b, number, 6 * n), layer.start(initial_h, number)
        functions = layer.activations[2 * number : 2 * number + 2]
        found.append(
            recurrent.gru(
                layer.sequences(number), *_both(matrices), bias, start, functions, bool(linear_before_reset)
            )
        )
    every, h = (list(items) for items in zip(*found, strict=True))
    return layer.outputs(every, h)


@operator("RNN", since=1)
def rnn(
    x: Node,
    w: Node,
    r: Node,
    b: Node | None = None,
    sequence_lens: Value | None = None,
    initial_h: Node | None = None,
    *,
    hidden_size: int = 0,
    direction: str = "forward",
    layout: int = 0,
    activations: tuple[str, ...] = (),
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
    clip: float | None = None,
    output_sequence: int = 0,
) -> Values:
    names = _names(activations, ("Tanh",), direction)
    parameters = (activation_alpha, activation_beta)
    layer = _Layer(x, r, sequence_lens, hidden_size, direction, layout, names, parameters, clip)
    n, width, found = layer.hidden, x.shape[-1], []
    for number in range(len(layer.directions)):
        matrices = layer.part(w, number, n, width), layer.part(r, number, n, n)
        bias, start = layer.part(b, number, 2 * n), layer.start(initial_h, number)
        found.append(
            recurrent.rnn(layer.sequences(number), *_both(matrices), bias, start, layer.activations[number])
        )
    every, h = (list(items) for items in zip(*found, strict=True))
    return layer.outputs(every, h)


def _both(matrices: tuple[Node | None, Node | None]) -> tuple[Node, Node]:
    w, r = matrices
    assert w is not None and r is not None
    return w, r
