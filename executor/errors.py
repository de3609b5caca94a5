"""Every way in which the executor can refuse or fail, by name.

    ExecutorError
    ├── ModelError        the model: raised before any row is read
    ├── SpecError         the training spec, or what it asks of the model or the schema
    ├── DataError         the rows
    │   ├── BadData               a value that may not be there: NaN, infinity, a class beyond the model's outputs
    │   ├── BadTable              a file that is no table, or a table that does not fit its schema
    │   └── CommitmentMismatch    the rows are not those of the dataset's root
    ├── LimitError        the run was stopped by a limit
    │   ├── MemoryLimit · OutOfFuel · DeadlineExceeded
    ├── EnclaveCrashed    the child process died or broke the protocol
    ├── Diverged          training ended in NaN or infinity: no weights leave
    └── ReceiptError      a result or its receipt does not hold

The name of a class is what a client shows and what crosses the pipe from the enclave; messages are plain sentences
and never contain a value from a row.
"""


class ExecutorError(Exception):
    """Base of all errors of the executor."""


class ModelError(ExecutorError):
    """The submitted model is refused."""


class NotOnnx(ModelError):
    """The bytes are no ONNX model."""


class SpecError(ExecutorError):
    """The training spec is refused."""


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
