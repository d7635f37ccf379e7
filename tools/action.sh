#!/usr/bin/env bash
# The one step of action.yml. Everything it is told comes through the environment.
set -euo pipefail

fail() { # fail MESSAGE: the step ends as a mistake in its inputs
  echo "::error::backaudit: $1"
  exit 2
}

for name in BACKAUDIT_PATH BACKAUDIT_STRICT BACKAUDIT_FAIL_ON BACKAUDIT_SARIF BACKAUDIT_SINCE; do
  case "${!name}" in
    *$'\n'* | *$'\r'*) fail "an input must be one line ($name)." ;;
  esac
done
case "$BACKAUDIT_STRICT" in
  true) options=(--strict) ;;
  false) options=() ;;
  *) fail "the input 'strict' must be true or false." ;;
esac
options+=(--fail-on "$BACKAUDIT_FAIL_ON")
while IFS= read -r argument; do
  argument="${argument%$'\r'}"
  if [ -n "$argument" ]; then options+=("$argument"); fi
done <<<"$BACKAUDIT_ARGS"

# auto: on a pull request, what the base branch has does not count. Its last commit alone is fetched.
since="$BACKAUDIT_SINCE"
if [ "$since" = auto ]; then
  since=""
  if [ -n "${GITHUB_BASE_REF:-}" ]; then
    base="refs/remotes/origin/$GITHUB_BASE_REF"
    if git rev-parse --quiet --verify "$base^{commit}" >/dev/null 2>&1 ||
      git fetch --quiet --no-tags --depth=1 origin "+refs/heads/$GITHUB_BASE_REF:$base" 2>/dev/null; then
      since="$base"
    else
      echo "::warning title=backaudit::$GITHUB_BASE_REF could not be fetched: all findings are reported, not only new ones."
    fi
  fi
fi
if [ -n "$since" ]; then options+=("--since=$since"); fi

home="${RUNNER_TEMP:-/tmp}/backaudit-venv"
# -I: neither the workspace, in which this runs, nor a PYTHONPATH has a say in what Python imports.
"$BACKAUDIT_PYTHON" -I -m venv "$home"
bin="$home/bin"
[ -d "$bin" ] || bin="$home/Scripts"
"$bin/python" -I -m pip install --quiet --disable-pip-version-check \
  --constraint "$BACKAUDIT_SOURCE/constraints.txt" "$BACKAUDIT_SOURCE"

summary="$(mktemp)"
said="$(mktemp)"
code=0
"$bin/python" -I -m backaudit scan "${options[@]}" \
  --format sarif --output "$BACKAUDIT_SARIF" \
  --format markdown --output "$summary" \
  --format github \
  -- "$BACKAUDIT_PATH" 2> >(tee "$said" >&2) || code=$?
if [ "$code" -eq 2 ]; then
  # One line, so that nothing of it begins another command.
  echo "::error title=backaudit::$(tr -d '\r' <"$said" | tr '\n' ' ' | sed 's/%/%25/g')"
fi

# The reports are on disk before the step fails: a later `if: always()` step can upload the SARIF file.
{
  echo "sarif-file=$BACKAUDIT_SARIF"
  echo "exit-code=$code"
} >>"${GITHUB_OUTPUT:-/dev/null}"
cat "$summary" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
rm -f "$summary" "$said"
exit "$code"
