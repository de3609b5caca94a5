"""The `gristmill` command: a thin table from a command's name to the module that offers it, and the demo."""
