#!/usr/bin/env bash
# Usage (make test-matrix and make constraints call it, from .venv):
#   tests/matrix.sh test "2.11 3.0" [pytest arguments]   run the tests on these Airflow lines
#   tests/matrix.sh pin  "2.11 3.0" [uv arguments]       write constraints/airflow-<line>.txt
# Each line has its own environment in .matrix/<line> and its output in .matrix/<line>.log. "3.3@3.12" is line 3.3 on
# Python 3.12, with the pins of 3.3; where that Python is not installed, the output says so and the rest goes on.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
compat=apache-airflow-providers-common-compat

# The newest release of a line, the date of the packages around it (two days after it), and the Pythons that it runs on
# and that the tests were seen to pass on (Airflow 3.2 and 3.4 have 3.14, too).
release() {
  case $1 in
    2.11) echo '2.11.2  2026-03-16 >=3.11,<3.13' ;;
    3.0)  echo '3.0.6   2025-09-01 >=3.11,<3.13' ;;
    3.1)  echo '3.1.8   2026-03-14 >=3.11,<3.14' ;;
    3.2)  echo '3.2.2   2026-05-31 >=3.11,<3.14' ;;
    3.3)  echo '3.3.2   2026-09-20 >=3.11,<3.15' ;;
    3.4)  echo '3.4.0b2 2026-10-23 >=3.11,<3.14' ;;
    *)    echo "no such Airflow line: $1" >&2; return 1 ;;
  esac
}

# Old lines get the packages of their time, as their own users have them; only common-compat, whose 1.23.0 this package
# needs, the asgiref that it needs in turn, and the chinesecalendar that knows the newest year are newer.
pin() {
  printf '%s\n' "apache-airflow==$version" "$compat==1.23.0" hatchling editables |
    $uv pip compile -q - pyproject.toml --extra emulator --extra ics --group test \
      --python-version 3.11 --universal --fork-strategy fewest --no-annotate \
      --exclude-newer "$date" --exclude-newer-package "$compat=2026-11-01" --exclude-newer-package asgiref=2026-11-01 \
      --exclude-newer-package chinesecalendar=2026-11-01 \
      --custom-compile-command "make constraints LINES=$line" "$@" -o "$pins"
}

# Where to look for Pythons: first the one of .venv, then pyenv's, whose own commands run the chosen ones only.
base=$(.venv/bin/python -c 'import sys; print(sys.base_prefix)')
search=$base/bin$(printf ':%s' "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin):$PATH

has_python() {
  PATH=$search $uv python find -q --system "$python" >/dev/null 2>&1
}

# The Python of .venv where the line runs on it, else another one that is installed.
install() {
  local env=.matrix/$line
  if [[ ! $env/.installed -nt pyproject.toml || ! $env/.installed -nt $pins ]]; then
    PATH=$search $uv venv -q --clear --python "$python" "$env" &&
      $uv pip install -q --python "$env/bin/python" --constraints "$pins" --build-constraints "$pins" \
        -e '.[emulator,ics]' --group test &&
      touch "$env/.installed"
  fi
}

# A line whose tests hang fails after an hour, and the next one gets its turn.
try() {
  local log=.matrix/$line.log result=passed start=$SECONDS limit='' summary
  command -v timeout >/dev/null && limit='timeout -k 20 3600'
  { install && $limit ".matrix/$line/bin/python" -m pytest -n auto --dist loadfile --no-loadscope-reorder "$@"; } >"$log" 2>&1 || { result=FAILED; failed=1; }
  # pytest's own summary, which Airflow's exit may print behind
  summary=$(grep -E ' in [0-9.]+s' "$log" | tail -n 1 | tr -d =) || summary=' no tests '
  printf '%-8s %-7s %s %4d s %s (%s)\n' "$line" "$version" "$result" $((SECONDS - start)) "$summary" "$log"
}

action=$1 lines=$2 failed=0 missing=
shift 2
mkdir -p .matrix constraints
for line in $lines; do
  info=$(release "${line%@*}")
  read -r version date python <<<"$info"
  pins=constraints/airflow-${line%@*}.txt
  [[ $line == *@* ]] && python=${line#*@}
  case $action in
    pin) [[ $line == *@* ]] || pin "$@" ;;
    test) if has_python; then try "$@"; else missing+=" $line"; fi ;;
  esac
done
[[ -z $missing ]] || echo "not tried, because these Pythons (after the @) are not installed:$missing"
exit $failed
