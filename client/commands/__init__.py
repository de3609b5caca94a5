"""The client's commands, one module a word."""
