"""A planted credential, and whether any of it shows, in whatever spelling: told without any code of otelctl's own."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

INSTANCE = "1048576"
KEY = "Zq7Wv0Rk3Yb9Xn5Lp1Td8Sg2Hf6Jc4Ma"
_CLAIMS = {"o": "654321", "n": "planted", "k": KEY, "m": {"r": "prod-eu-west-2"}}
TOKEN = "glc_" + base64.b64encode(json.dumps(_CLAIMS, separators=(",", ":")).encode()).decode()

PLANTED = {"GRAFANA_INSTANCE_ID": INSTANCE, "GRAFANA_API_TOKEN": TOKEN}

RIGHT = base64.b64encode(f"{INSTANCE}:{TOKEN}".encode()).decode()
REVERSED = base64.b64encode(f"{TOKEN}:{INSTANCE}".encode()).decode()
HEADERS = f"Authorization=Basic {RIGHT}"

# What eleven characters of a secret are worth is nothing; twelve in a row appear in no text by chance.
_RUN = 12


def _wrapped(text: str) -> str:
    return "\n".join(text[start : start + 40] for start in range(0, len(text), 40))


INPUTS = {
    "the right header": HEADERS,
    "reversed": f"Authorization=Basic {REVERSED}",
    "percent-encoded": f"Authorization=Basic%20{quote(RIGHT, safe='')}",
    "a whole line": f'export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Basic {REVERSED}"',
    "HTTP header": f"Authorization: Basic {RIGHT}",
    "bearer": f"Authorization=Bearer {TOKEN}",
    "not encoded": f"Authorization=Basic {INSTANCE}:{TOKEN}",
    "encoded twice": f"Authorization=Basic {base64.b64encode(RIGHT.encode()).decode()}",
    "token alone": TOKEN,
    "base64 alone": REVERSED,
    "quoted": f"Authorization='Basic {RIGHT}'",
    "wrapped": f"Authorization=Basic {_wrapped(RIGHT)}",
    "cut off": f"Authorization=Basic {RIGHT[:-9]}",
    "beside others": f"x-scope-orgid={KEY},Authorization=Basic {RIGHT}",
}
"""Ways in which people hold the credential, right and wrong."""


def _spellings(token: str, *pieces: str) -> Iterator[str]:
    pairs = [f"{INSTANCE}:{token}", f"{token}:{INSTANCE}"]
    for text in (token, token.removeprefix("glc_"), *pairs, *pieces):
        data = text.encode()
        encoded = base64.b64encode(data).decode()
        for one in (
            text,
            encoded,
            base64.urlsafe_b64encode(data).decode(),
            base64.b64encode(encoded.encode()).decode(),
        ):
            yield from (one, quote(one, safe=""), quote(one, safe="").lower(), json.dumps(one)[1:-1])
        yield from (data.hex(), data.hex().upper(), "".join(f"%{byte:02X}" for byte in data))
        yield "".join(f"\\u{ord(char):04x}" for char in text)


def _runs(text: str) -> set[str]:
    return {text[start : start + _RUN] for start in range(len(text) - _RUN + 1)}


# What the spellings of another token begin with too says nothing of this one.
_OTHER = {run for spelling in _spellings("glc_eyJOTHER") for run in _runs(spelling)}
_KNOWN = {run for spelling in _spellings(TOKEN, KEY) for run in _runs(spelling)} - _OTHER


def leak(data: bytes | str) -> str | None:
    """Return a piece of the credential that shows in `data`, broken over lines or not; None where none does."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    # Colours and line ends may stand in the middle.
    packed = "".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).split())
    return next((run for run in sorted(_runs(packed)) if run in _KNOWN), None)


def leaking_files(folder: Path) -> list[str]:
    """Return the files below a folder that hold a piece of the credential, in their name or their content."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if leak(str(path.relative_to(folder))) or leak(path.read_bytes())]
