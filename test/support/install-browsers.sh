#!/usr/bin/env bash
# Makes sure that the browsers that the tests drive, and redis-server, are on this machine.
# As root on Debian or Ubuntu: installs what is missing. Elsewhere: says what to do, and the tests skip what needs it.
# With CI set, a missing one is an error. Run before `npm test`.
set -euo pipefail

# SKIP_BROWSERS=1 leaves everything as it is
[ "${SKIP_BROWSERS:-}" = 1 ] && exit 0
[ "$(uname -s)" = Linux ] || exit 0

found() {
  local path
  for path in "$@"; do
    if [ -n "$path" ] && [ -x "$path" ]; then return 0; fi
  done
  return 1
}

missing=()
found "${CHROME_PATH:-}" /usr/bin/chromium /usr/bin/google-chrome || missing+=(chromium)
found "${FIREFOX_PATH:-}" /usr/bin/firefox-esr /usr/bin/firefox || missing+=(firefox-esr)
found "${MINIBROWSER_PATH:-}" /usr/lib/*/webkit2gtk-4.1/MiniBrowser || missing+=(libwebkit2gtk-4.1-0)
command -v Xvfb >/dev/null || missing+=(xvfb)
# not a browser: what several nodes of a purge hub share
command -v redis-server >/dev/null || missing+=(redis-server)
[ ${#missing[@]} -eq 0 ] && exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "Installing for the tests: ${missing[*]} (SKIP_BROWSERS=1 leaves them out)"
  log=$(mktemp)
  if {
    apt-get update -q -o Acquire::Retries=3
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o Acquire::Retries=3 --no-install-recommends \
      "${missing[@]}" fonts-dejavu-core
  } >"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -n 20 "$log" >&2
  echo "apt-get failed, its whole output is in $log" >&2
fi

cat >&2 <<TEXT
Not found on this machine: ${missing[*]}
  Debian, Ubuntu:  sudo apt-get install ${missing[*]}
  elsewhere:       install Chrome, Firefox and redis-server, or name them: CHROME_PATH=… FIREFOX_PATH=… MINIBROWSER_PATH=…
TEXT
[ -z "${CI:-}" ] || exit 1
