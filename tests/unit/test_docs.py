"""The generated pages, and the generator itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer

from docs import examples, generate
from otelctl.catalog import every


def test_every_code_has_its_page() -> None:
    """docs/codes holds what the catalogue says, one page a code and an index, and nothing else."""
    files = generate.code_pages()
    assert not list(generate.differences(files))
    assert len(files) == len(every()) + 1


def test_a_vanished_code_stops_the_build() -> None:
    """A code in the lock that no row has any more is an error, also when writing."""
    with pytest.raises(ValueError, match="retire a code, never remove it: AUTH-GONE"):
        generate.lock("AUTH-GONE\nINTERNAL-CRASH\n")


def test_differences_show_what_would_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--check shows the lines that differ and the pages of no code; writing puts both right."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "CODES", tmp_path / "codes")
    (tmp_path / "codes").mkdir()
    stray = tmp_path / "codes" / "AUTH-GONE.md"
    stray.write_text("old", encoding="utf-8")
    files = {tmp_path / "codes" / "A-B.md": "new\n"}
    assert {"+new", "codes/AUTH-GONE.md: a page of no code"} <= set(generate.differences(files))
    generate.write(files)
    assert not list(generate.differences(files))
    assert not stray.exists()


def test_cli_page_lists_commands_and_options() -> None:
    """Every visible command stands with its words, its usage and each of its options."""
    app = typer.Typer(help="Sets up export.")

    @app.command()
    def encode_auth(
        instance: Annotated[str, typer.Argument(help="The stack's ID.")],
        profile: Annotated[str, typer.Option("--keyring", help="Take a|b.")] = "",
    ) -> None:
        """Print the header.

        And nothing
        else.
        """

    @app.command(hidden=True)
    def inner() -> None:
        """Nobody sees this."""

    shown = generate.cli_page(typer.main.get_command(app))
    assert "## otelctl encode-auth\n\nPrint the header.\n\nAnd nothing else.\n" in shown
    assert "| `--keyring <str>` | Take a\\|b. |" in shown
    assert "otelctl encode-auth [OPTIONS]" in shown
    assert "The stack's ID." in shown
    assert "Nobody" not in shown


def test_examples_meet_a_gateway() -> None:
    """An example that wants the gateway finds its address in OTEL_EXPORTER_OTLP_ENDPOINT."""
    shown = generate._run(examples.Example(('echo "$OTEL_EXPORTER_OTLP_ENDPOINT"',), gateway=True))
    assert examples.steady(shown) == '$ echo "$OTEL_EXPORTER_OTLP_ENDPOINT"\nhttp://127.0.0.1:4318/otlp\n'


def test_examples_are_run_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of the README becomes what the shell shows of its commands, without what changes from run to run."""
    example = examples.Example(("echo 127.0.0.1:39999 took 17 ms >&2", 'echo "$A"'), {"A": "a | b"})
    monkeypatch.setitem(examples.EXAMPLES, "one", example)
    text = "before\n<!-- example: one -->\nold\n<!-- /example -->\nafter\n"
    assert generate.readme(text) == (
        "before\n<!-- example: one -->\n```console\n$ echo 127.0.0.1:4318 took 1 ms >&2\n127.0.0.1:4318 took 1 ms\n\n"
        '$ echo "$A"\na | b\n```\n<!-- /example -->\nafter\n'
    )
