#!/usr/bin/env bash
# The one step of action.yml. Everything it is told comes through the environment.
set -euo pipefail

for name in BACKAUDIT_PATH BACKAUDIT_STRICT BACKAUDIT_FAIL_ON BACKAUDIT_SARIF; do
  case "${!name}" in
    *$'\n'* | *$'\r'*) echo "::error::backaudit: an input must be one line ($name)."; exit 2 ;;
  esac
done
case "$BACKAUDIT_STRICT" in
  true) options=(--strict) ;;
  false) options=() ;;
  *) echo "::error::backaudit: the input 'strict' must be true or false."; exit 2 ;;
esac
options+=(--fail-on "$BACKAUDIT_FAIL_ON")
while IFS= read -r argument; do
  argument="${argument%$'\r'}"
  if [ -n "$argument" ]; then options+=("$argument"); fi
done <<<"$BACKAUDIT_ARGS"

home="${RUNNER_TEMP:-/tmp}/backaudit-venv"
# -I: neither the workspace, in which this runs, nor a PYTHONPATH has a say in what Python imports.
"$BACKAUDIT_PYTHON" -I -m venv "$home"
bin="$home/bin"
[ -d "$bin" ] || bin="$home/Scripts"
"$bin/python" -I -m pip install --quiet --disable-pip-version-check \
  --constraint "$BACKAUDIT_SOURCE/constraints.txt" "$BACKAUDIT_SOURCE"

summary="$(mktemp)"
code=0
"$bin/python" -I -m backaudit scan "${options[@]}" \
  --format sarif --output "$BACKAUDIT_SARIF" \
  --format text --output "$summary" \
  --format github \
  -- "$BACKAUDIT_PATH" || code=$?

# The reports are on disk before the step fails: a later `if: always()` step can upload the SARIF file.
{
  echo "sarif-file=$BACKAUDIT_SARIF"
  echo "exit-code=$code"
} >>"${GITHUB_OUTPUT:-/dev/null}"
{
  echo "## backaudit"
  echo
  # Four spaces make a code block that nothing in the report can close. GitHub cuts a summary at 1 MiB.
  head -c 900000 "$summary" | sed 's/^/    /'
} >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
rm -f "$summary"
exit "$code"
