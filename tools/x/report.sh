# How ./x speaks: everything here goes to standard error.

say() { printf '==> %s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf 'x: %s\n' "$*" >&2
  exit 2
}

# Copies standard input to the log file and shows that work goes on: on a terminal the present line,
# otherwise one line every ten seconds.
show_progress() {
  local log="$1" line last=$SECONDS width=100
  if [ -t 2 ]; then width=$(($(tput cols 2>/dev/null || echo 100) - 1)); fi
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    if [ -t 2 ]; then
      printf '\r\033[K%s' "${line:0:width}" >&2
    elif [ $((SECONDS - last)) -ge 10 ]; then
      printf '    %s\n' "${line:0:width}" >&2
      last=$SECONDS
    fi
  done
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# logged LOG COMMAND...: runs the command with its output in LOG and progress on screen. On failure shows
# the lines that matter and returns the command's exit code.
logged() {
  local log="$1" code=0
  shift
  mkdir -p "$(dirname "$log")"
  printf '$ %s\n' "$*" >"$log"
  { "$@" 2>&1 </dev/null | show_progress "$log"; } || code=$?
  if [ "$code" -ne 0 ]; then
    show_errors "$log"
    printf 'x: failed (exit %s): %s\n    the whole output is in %s\n' "$code" "$*" "${log#"$TOCSIN_ROOT"/}" >&2
  fi
  return "$code"
}

# The error lines of a log with what follows them, else its end.
show_errors() {
  local found
  found=$(grep -n -A4 -E '(error:|Error:|CMake Error|undefined reference|^E: |npm (error|ERR!)|FAILED:)' "$1" |
    grep -v -E '^[0-9]+-[^ ]*(ccache|g\+\+) ' | cut -c1-240 | head -n 60 || true)
  if [ -n "$found" ]; then printf '%s\n' "$found" >&2; else tail -n 30 "$1" >&2; fi
}
