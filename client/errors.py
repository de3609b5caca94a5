"""What can go wrong in the client. Each error shows people one sentence under a stable name.

ClientError
├── RpcError         the node answered with an error
├── NodeUnreachable  no answer at all
├── ChainError       the chain refused or rolled back an extrinsic; its name is `Pallet.Error`, or
│                    such as `Token.FundsUnavailable`
├── MetadataError    the chain is not what this client can talk to
└── InputError       files, keys, arguments; name says which rule
"""


class ClientError(Exception):
    """Base of all. `name` is stable and shown as `error[name]`."""

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name or type(self).__name__


class RpcError(ClientError):
    """The node answered a request with an error. `code` and `data` are JSON-RPC's."""

    def __init__(self, message: str, code: int = 0, data: object = None) -> None:
        detail = f": {data}" if isinstance(data, str) and data else ""
        super().__init__(f"the node refused the request: {message}{detail}")
        self.code = code
        self.data = data


class NodeUnreachable(ClientError):
    """Nothing answers at the node's address."""


class ChainError(ClientError):
    """The chain refused an extrinsic or rolled it back."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message, name)


class MetadataError(ClientError):
    """The metadata lack what this client needs, or a value does not fit its type."""


class InputError(ClientError):
    """A file, key or argument that breaks a rule."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message, name)
