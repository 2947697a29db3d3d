#!/bin/sh
# Builds the OpenTelemetry Collector that tests/real runs against, once for each manifest, and prints where it is.
# `--path` prints the place and builds nothing. The place is outside the repository, so that a fresh clone finds it.
set -eu

manifest=$(dirname "$0")/collector.yaml
version=$(sed -n 's/^  version: //p' "$manifest")
place=${XDG_CACHE_HOME:-$HOME/.cache}/otelctl/collector-$version-$(cksum <"$manifest" | cut -d ' ' -f 1)
binary=$place/otelctl-collector

if [ "${1-}" = --path ] || [ -x "$binary" ]; then
    echo "$binary"
    exit
fi

command -v go >/dev/null || {
    echo "build_collector.sh: Go is not installed (1.25 or newer is needed)" >&2
    exit 1
}

mkdir -p "$place"
work=$(mktemp -d "$place/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

echo "build_collector.sh: building the OpenTelemetry Collector $version, once (a minute or two)" >&2
# Flags and workspaces of whoever runs this are no part of it.
export GOFLAGS= GOWORK=off GOBIN="$work/bin"
{
    go install "go.opentelemetry.io/collector/cmd/builder@v$version"
    sed "/^dist:/a\\
  output_path: $work/source
" "$manifest" >"$work/manifest.yaml"
    "$work/bin/builder" --config "$work/manifest.yaml"
} >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    echo "build_collector.sh: the Collector could not be built by $(go env GOVERSION) (1.25 or newer is needed)" >&2
    exit 1
}
# In one step, so that nobody ever runs half a binary.
mv -f "$work/source/otelctl-collector" "$binary"
echo "$binary"
