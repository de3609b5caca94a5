"""Worker processes in front of the node: they own the WebSockets, take transactions apart and verify their
signatures, so that the node's own process has its core for the chain.

    client ══ WebSocket ══ worker ══ pipe ══ node

The node accepts every connection and speaks HTTP; when a client asks for a WebSocket, the open socket is
handed to a worker (`desk.py`). The worker (`worker.py`) frames messages. What is no plain submission goes
through as text, and the node answers it as if the client were connected to it. A submission goes as bytes,
with its hash and the verdict on its signature (`verify.py`), in batches (`pipe.py`).

A worker that dies takes its connections with it, no transaction that the node has taken, and another one is
started. Without workers, the node serves WebSockets itself.
"""
