#!/usr/bin/env bash
# The one step of action.yml. Everything it is told comes through the environment.
set -euo pipefail

home="${RUNNER_TEMP:-/tmp}/backaudit-venv"
"$BACKAUDIT_PYTHON" -m venv "$home"
bin="$home/bin"
[ -d "$bin" ] || bin="$home/Scripts"
"$bin/python" -m pip install --quiet --disable-pip-version-check "$BACKAUDIT_SOURCE"

options=(--fail-on "$BACKAUDIT_FAIL_ON")
case "$BACKAUDIT_STRICT" in
  true) options+=(--strict) ;;
  false) ;;
  *) echo "::error::backaudit: the input 'strict' is true or false, not '$BACKAUDIT_STRICT'."; exit 2 ;;
esac
while IFS= read -r argument; do
  argument="${argument%$'\r'}"
  if [ -n "$argument" ]; then options+=("$argument"); fi
done <<<"$BACKAUDIT_ARGS"

summary="$(mktemp)"
code=0
"$bin/backaudit" scan "${options[@]}" \
  --format github \
  --format sarif --output "$BACKAUDIT_SARIF" \
  --format text --output "$summary" \
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
