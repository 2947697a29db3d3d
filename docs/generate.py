"""Writes what is generated: docs/codes/, docs/cli.md, the codes' lock and the examples in README.md.

`python docs/generate.py` writes; `--check` writes nothing, shows what would change and then exits with 1. A code that
vanished from the catalogue is an error either way: it is retired, never removed.
"""

from __future__ import annotations

import difflib
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from docs import examples  # noqa: E402 - the path comes first
from otelctl.catalog import AREAS, every, rows  # noqa: E402 - as above
from otelctl.render import page  # noqa: E402 - as above
from otelctl.secret import Secret  # noqa: E402 - as above

CODES = ROOT / "docs" / "codes"
LOCK = ROOT / "otelctl" / "catalog" / "lock.txt"
README = ROOT / "README.md"
_BLOCK = re.compile(r"(<!-- example: (?P<name>[\w-]+) -->\n).*?(<!-- /example -->)", re.DOTALL)


def code_pages() -> dict[Path, str]:
    """Return docs/codes: a page a code, and the index."""
    found = {CODES / f"{code}.md": page.markdown(row) for code, row in every().items()}
    found[CODES / "README.md"] = page.index_markdown({area: rows(area) for area in AREAS})
    return found


def lock(old: str) -> str:
    """Return the lock with the codes that are new; raise ValueError where one of the old ones vanished."""
    codes = set(every())
    vanished = sorted(set(old.split()) - codes)
    if vanished:
        raise ValueError(f"retire a code, never remove it: {', '.join(vanished)}")
    return "".join(f"{code}\n" for code in sorted(codes))


def cli_page(group: Any) -> str:
    """Return docs/cli.md of a Click group, as Typer makes it (its Click is its own, so it has no type here)."""
    context = group.context_class(group, info_name="otelctl")
    out = ["# The commands", "", _help(group), "", *_parameters(group, context)]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command.hidden:
            continue
        inner = command.context_class(command, info_name=name, parent=context)
        usage = " ".join(command.collect_usage_pieces(inner))
        out += [f"## otelctl {name}", "", _help(command), "", "```", f"otelctl {name} {usage}", "```", ""]
        out += _parameters(command, inner)
    return "\n".join(out)


def _help(command: Any) -> str:
    """Return the help of a command as Typer shows it, up to a form feed and one paragraph a line."""
    text = (command.help or "").split("\f")[0].replace("\b\n", "")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def _parameters(command: Any, context: Any) -> Iterator[str]:
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    shown = [record for record in records if record is not None]
    if not shown:
        return
    yield from ("| | |", "|---|---|")
    for names, text in shown:
        yield f"| `{_cell(names)}` | {_cell(text)} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def readme(old: str) -> str:
    """Return README.md with each of its examples run anew."""

    def fill(block: re.Match[str]) -> str:
        shown = examples.steady(_run(examples.EXAMPLES[block["name"]]))
        return f"{block[1]}```console\n{shown}```\n{block[3]}"

    return _BLOCK.sub(fill, old)


def _run(example: examples.Example) -> str:
    """Return what a terminal shows of an example: each line as typed, then its output and errors as they came."""
    script = ['otelctl() { "$PYTHON" -m otelctl "$@"; }']
    for number, command in enumerate(example.commands):
        script += [f"printf '%s\\n' {shlex.quote(('' if number == 0 else chr(10)) + '$ ' + command)}", command]
    with tempfile.TemporaryDirectory() as home, _endpoint(example) as variables:
        environment = {**examples.environment(ROOT), "HOME": home, **variables, **example.variables}
        return subprocess.run(
            ["sh", "-c", "\n".join(script)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=environment,
            cwd=home,
            check=False,
            timeout=120,
        ).stdout


@contextmanager
def _endpoint(example: examples.Example) -> Iterator[dict[str, str]]:
    """Start the embedded gateway where the example wants it, and name it as the endpoint."""
    if not example.gateway:
        yield {}
        return
    from otelctl.gateway import Gateway, Tenant  # noqa: PLC0415 - the pages of codes need no server

    with Gateway([Tenant(examples.INSTANCE, Secret(examples.TOKEN))]) as gateway:
        yield {"OTEL_EXPORTER_OTLP_ENDPOINT": gateway.url}


def wanted() -> dict[Path, str]:
    """Return every generated file with what it should hold."""
    from otelctl.cli.app import build  # noqa: PLC0415 - the pages of codes need no Typer

    files = code_pages()
    files[LOCK] = lock(LOCK.read_text(encoding="utf-8") if LOCK.exists() else "")
    files[ROOT / "docs" / "cli.md"] = cli_page(build())
    files[README] = readme(README.read_text(encoding="utf-8"))
    return files


def differences(files: dict[Path, str]) -> Iterator[str]:
    """Yield a diff for each file that is not as it should be, and a line for each page of no code."""
    for path, text in files.items():
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old != text:
            name = str(path.relative_to(ROOT))
            yield from difflib.unified_diff(
                old.splitlines(), text.splitlines(), name, f"{name}, generated", lineterm=""
            )
    for stray in _stray(files):
        yield f"{stray.relative_to(ROOT)}: a page of no code"


def write(files: dict[Path, str]) -> None:
    """Write every file that is not as it should be, and remove pages of no code."""
    CODES.mkdir(exist_ok=True)
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for stray in _stray(files):
        stray.unlink()


def _stray(files: dict[Path, str]) -> list[Path]:
    return sorted(path for path in CODES.glob("*") if path not in files)


def main(arguments: list[str]) -> int:
    """Write, or with --check compare; return the exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    try:
        files = wanted()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if not arguments:
        write(files)
        return 0
    found = list(differences(files))
    print("\n".join(found) or "generated files are as they should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
