"""The client's part of the `gristmill` command."""

from client.commands import dataset, job, key, provider

COMMANDS = {
    "key": key.COMMAND,
    "dataset": dataset.COMMAND,
    "provider": provider.COMMAND,
    "job": job.COMMAND,
}
