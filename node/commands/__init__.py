"""The node's commands, one subject a module; `node/cli.py` is their table."""
