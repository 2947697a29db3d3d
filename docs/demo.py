"""`make demo`, second half: the reversed header, diagnosed, mended by the advised command, and proven mended.

Runs the real commands in a real shell against the embedded gateway; exits with 1 where any of them does not do what
is said here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from docs import examples  # noqa: E402 - the path comes first
from otelctl.gateway import Gateway, Tenant  # noqa: E402 - as above
from otelctl.secret import Secret  # noqa: E402 - as above

# One shell: what is exported by a line holds for the next, as at a terminal.
_SCRIPT = """
otelctl() { "$PYTHON" -m otelctl "$@"; }
say() { printf '\\n$ %s\\n' "$*"; }
say otelctl check-endpoint
report=$(otelctl check-endpoint); code=$?
printf '%s\\n' "$report"
[ "$code" = 1 ] || exit 1
mend=$(printf '%s\\n' "$report" | sed -n '2s/^ *//p')
say "$mend"
eval "$mend" || exit 1
say otelctl check-endpoint
otelctl check-endpoint
"""


def main() -> int:
    """Run the demonstration and return its exit code."""
    print("\nNow the mistake that costs people days: the pair in the order of Grafana's own screen.", flush=True)
    with Gateway([Tenant(examples.INSTANCE, Secret(examples.TOKEN))]) as gateway:
        variables = {
            **examples.environment(ROOT),
            **examples.EXAMPLES["failing"].variables,
            "OTEL_EXPORTER_OTLP_ENDPOINT": gateway.url,
        }
        done = subprocess.run(["sh", "-c", _SCRIPT], env=variables, stdin=subprocess.DEVNULL, check=False, timeout=120)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
