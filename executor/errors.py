"""Every way in which the executor can refuse or fail, by name.

    ExecutorError
    ├── ModelError        the model: raised before any row is read
    │   ├── NotOnnx               the bytes do not parse, or are no model
    │   ├── ExternalData          tensors that live in other files
    │   ├── UnknownOp             an operator that the table lacks, or a foreign domain
    │   ├── UnsupportedOpset      an opset version outside the range
    │   ├── UnsupportedAttribute  a known operator in a form that is not supported
    │   ├── UnsupportedType       a tensor type that is not supported where it stands
    │   ├── MalformedGraph        cycles, names defined twice or never, a wrong number of inputs
    │   ├── ShapeMismatch         shapes that do not fit each other
    │   ├── DynamicShape          a shape known only at run time (the first, batch dimension excepted)
    │   └── TooLarge              a bound on sizes, nodes, memory, fuel or steps
    ├── SpecError         the training spec, or what it asks of the model or the schema
    │   ├── UnknownTensor         an input, output or trainable name that the model lacks
    │   ├── NotTrainable          no gradient reaches the tensor
    │   ├── UnsupportedSpec       a loss, optimizer or option that this executor lacks
    │   ├── MixesRows             under differential privacy: a row's value depends on other rows
    │   └── NotPrivate            under differential privacy: gradients of single rows are not known
    ├── CompilerError     a defect of ours: what was emitted is not what was planned
    ├── DataError         the rows
    │   ├── BadData               a value that may not be there: NaN, infinity, an unknown class
    │   ├── BadTable              a file that is no table, or a table that does not fit its schema
    │   └── CommitmentMismatch    the rows are not those of the dataset's root
    ├── LimitError        the run was stopped by a limit
    │   ├── MemoryLimit · OutOfFuel · DeadlineExceeded
    ├── EnclaveCrashed    the child process died or broke the protocol
    ├── Diverged          training ended in NaN or infinity: no weights leave
    └── ReceiptError      a result or its receipt does not hold

The name of a class is what a client shows and what crosses the pipe from the enclave; messages are plain
sentences and never contain a value from a row.
"""


class ExecutorError(Exception):
    """Base of all errors of the executor."""


class ModelError(ExecutorError):
    """The submitted model is refused."""


class NotOnnx(ModelError):
    """The bytes are no ONNX model."""


class ExternalData(ModelError):
    """A tensor refers to another file."""


class UnknownOp(ModelError):
    """An operator is not in the table."""


class UnsupportedOpset(ModelError):
    """The model's opset is outside the supported range."""


class UnsupportedAttribute(ModelError):
    """An operator is used in a form that is not supported."""


class UnsupportedType(ModelError):
    """A tensor's element type is not supported where it stands."""


class MalformedGraph(ModelError):
    """The graph is not a well-formed, acyclic graph."""


class ShapeMismatch(ModelError):
    """Shapes do not fit each other."""


class DynamicShape(ModelError):
    """A shape depends on the data; `inputs` are the graph inputs that it depends on, where they are known."""

    inputs: frozenset[str] = frozenset()


class TooLarge(ModelError):
    """A bound on sizes, nodes, memory, fuel or steps is exceeded."""


class SpecError(ExecutorError):
    """The training spec is refused."""


class UnknownTensor(SpecError):
    """The model has no tensor of this name where the spec needs one."""


class NotTrainable(SpecError):
    """No gradient reaches a tensor that the spec wants trained."""


class UnsupportedSpec(SpecError):
    """This executor lacks a loss, optimizer or option of the spec."""


class MixesRows(SpecError):
    """Under differential privacy no value of a row may depend on other rows of the batch."""


class NotPrivate(SpecError):
    """The gradients of single rows, which differential privacy needs, are not known for this model."""


class CompilerError(ExecutorError):
    """A defect of ours: what was emitted is not what was planned."""


class UnsupportedNumerics(SpecError):
    """The spec names an order of float operations that this executor does not have."""


class DataError(ExecutorError):
    """The rows are refused."""


class BadData(DataError):
    """A value may not be there: NaN, infinity, a bad flag, or a class beyond the model's outputs."""


class BadTable(DataError):
    """A file is no table, or a table does not fit its schema."""


class CommitmentMismatch(DataError):
    """The rows are not those that the dataset's root commits to."""


class LimitError(ExecutorError):
    """The run was stopped by a limit."""


class MemoryLimit(LimitError):
    """The job needs more memory than the limit allows."""


class OutOfFuel(LimitError):
    """The job needs more instructions than the limit allows."""


class DeadlineExceeded(LimitError):
    """The job took longer than its deadline and was killed."""


class EnclaveCrashed(ExecutorError):
    """The enclave's process died or broke its protocol."""


class Diverged(ExecutorError):
    """Training ended in NaN or infinity; no weights leave the enclave."""


class ReceiptError(ExecutorError):
    """A result or its receipt does not hold."""


def by_name() -> dict[str, type[ExecutorError]]:
    """Every error of this module and of its subclasses elsewhere that are imported, by class name."""
    found: dict[str, type[ExecutorError]] = {}
    waiting: list[type[ExecutorError]] = [ExecutorError]
    while waiting:
        error = waiting.pop()
        found[error.__name__] = error
        waiting += error.__subclasses__()
    return found
