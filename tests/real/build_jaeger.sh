#!/bin/sh
# Builds the Jaeger v2 that tests/real runs against, once, and prints where it is.
# `--path` prints the place and builds nothing. The place is outside the repository, so that a fresh clone finds it.
set -eu

# Jaeger's module is tagged by the v1 line still; this is the source of Jaeger 2.13.
version=v1.76.0
place=${XDG_CACHE_HOME:-$HOME/.cache}/otelctl/jaeger-$version
binary=$place/jaeger

if [ "${1-}" = --path ] || [ -x "$binary" ]; then
    echo "$binary"
    exit
fi

command -v go >/dev/null || {
    echo "build_jaeger.sh: Go is not installed (1.25 or newer is needed)" >&2
    exit 1
}

mkdir -p "$place"
work=$(mktemp -d "$place/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

echo "build_jaeger.sh: building Jaeger 2.13 ($version), once (three minutes or so)" >&2
# Flags and workspaces of whoever runs this are no part of it.
export GOFLAGS= GOWORK=off
{
    # `go install` refuses a module that replaces another, so it is built in a copy of its own source.
    source=$(go mod download -json "github.com/jaegertracing/jaeger@$version" | sed -n 's/.*"Dir": "\(.*\)",*$/\1/p')
    cp -R "$source" "$work/source"
    chmod -R u+w "$work/source"
    cd "$work/source"
    CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$work/jaeger" ./cmd/jaeger
} >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    echo "build_jaeger.sh: Jaeger could not be built by $(go env GOVERSION) (1.25 or newer is needed)" >&2
    exit 1
}
# In one step, so that nobody ever runs half a binary.
mv -f "$work/jaeger" "$binary"
echo "$binary"
