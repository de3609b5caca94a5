"""Entry point of `gristmill`: finds the command, runs it, and turns every failure into one sentence.

Exit codes: 0 done, 1 failed (`error[Name]: sentence` on stderr), 2 wrong usage, 130 interrupted.
A traceback is shown only for a defect of ours and only when `GRISTMILL_TRACEBACK` is set.
"""

import importlib
import os
import sys
from collections.abc import Sequence

from cli.table import COMMANDS, GROUPS
from cli.usage import Words
from primitives.command import Command, printable

OUR_PACKAGES = frozenset(
    {"primitives", "frame", "pallets", "runtime", "executor", "chain_spec", "node", "client", "cli"}
)
INTERRUPTED = 130
USAGE = "usage: gristmill <command> [options]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Never raises, except `SystemExit` for wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview(), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"gristmill {version()}")
        return 0
    if words[0] not in COMMANDS:
        print(f"error[Usage]: {unknown(words[0])}", file=sys.stderr)
        return 2
    try:
        return run(words[0], words[1:])
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left (`| head`): nothing more can be said, not even at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        return report(error)


def run(name: str, words: Sequence[str]) -> int:
    """Import the command's module, parse its arguments and run it."""
    command: Command = importlib.import_module(COMMANDS[name].module).COMMANDS[name]
    about = f"{command.help[:1].upper()}{command.help[1:]}."
    parser = Words(prog=f"gristmill {name}", description=about)
    command.configure(parser)
    return command.run(parser.parse_args(words))


def report(error: Exception) -> int:
    """Print an error as `error[Name]: sentence` and return exit code 1."""
    if os.environ.get("GRISTMILL_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    print(f"error[{error_name(error)}]: {printable(sentence(error))}", file=sys.stderr)
    return 1


def error_name(error: Exception) -> str:
    """The name a user may search for: our errors' own, else the class's; `Defect` for what nobody foresaw."""
    if is_ours(error):
        name = getattr(error, "name", None)
        return name if isinstance(name, str) and name else type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        return "MissingPackage"
    if isinstance(error, (OSError, ImportError)):
        return type(error).__name__
    return "Defect"


def sentence(error: Exception) -> str:
    """One line a person can act on."""
    if isinstance(error, ModuleNotFoundError):
        return f"the Python package {error.name} is not installed; run `pip install -e .` in the clone"
    if isinstance(error, OSError) and error.strerror and not is_ours(error):
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    text = " ".join(str(error).split()) or (type(error).__doc__ or "").strip().partition("\n")[0]
    if is_ours(error) or isinstance(error, OSError):
        return text or "no further detail"
    return f"{type(error).__name__}: {text} (a defect of gristmill: set GRISTMILL_TRACEBACK=1 to see where)"


def is_ours(error: Exception) -> bool:
    """Whether the class was defined in one of our packages: those are written for users to read."""
    return type(error).__module__.partition(".")[0] in OUR_PACKAGES


def overview() -> str:
    """What `gristmill --help` prints."""
    width = max(map(len, COMMANDS)) + 2
    lines = [USAGE, "", "A chain on which people rent out private data for training."]
    for title, entries in GROUPS.items():
        lines += ["", f"{title}:", *(f"  {name:<{width}}{entry.help}" for name, entry in entries.items())]
    lines += ["", "`gristmill <command> --help` explains a command; --version prints the version."]
    return "\n".join(lines)


def unknown(word: str) -> str:
    """The sentence for a command that does not exist, with the nearest one that does."""
    from difflib import get_close_matches

    if word.startswith("-"):
        return f"{word} is no command; `gristmill node {word}` runs a chain, if that was meant"
    near = get_close_matches(word, COMMANDS, 1)
    hint = f"did you mean `gristmill {near[0]}`?" if near else "`gristmill --help` lists the commands"
    return f"there is no command {word!r}; {hint}"


def version() -> str:
    """The installed version."""
    from importlib.metadata import version as installed

    return installed("gristmill")


if __name__ == "__main__":
    sys.exit(main())
