#!/bin/sh
# Write the lock files anew: every transitive package, every platform, with hashes and no host.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet uv

compile() {
    "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --no-header "$@"
}
compile --group build pyproject.toml -o requirements/runtime.txt
compile --group build --group dev pyproject.toml -c requirements/runtime.txt -o requirements/dev.txt
# The local engine pins another botocore than ours, so it has an environment of its own.
compile requirements/engine.in -o requirements/engine.txt
for requirements in handlers/*/requirements.in; do
    [ -e "$requirements" ] || continue
    compile "$requirements" -o "${requirements%.in}.txt"
done
