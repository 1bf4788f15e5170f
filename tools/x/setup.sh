# Installs what is missing: Debian packages named in tools/packages-*.txt, and npm packages held by their
# lockfiles. What is really there is looked at each time, so a second run takes a fraction of a second.

# Prints the packages of a list that are not there. A line is "package [command]": where the command is
# found on the PATH, whoever installed it, the package is not asked for.
missing_packages() {
  local list="$1" package command wanted=() installed
  while read -r package command; do
    case "$package" in '' | '#'*) continue ;; esac
    if [ -n "$command" ] && command -v "$command" >/dev/null 2>&1; then continue; fi
    wanted+=("$package")
  done <"$list"
  if [ ${#wanted[@]} -eq 0 ]; then return; fi
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
  for package in "${wanted[@]}"; do
    if ! grep -qx "$package installed" <<<"$installed"; then printf '%s\n' "$package"; fi
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages LIST...: one apt run for all that is missing.
install_packages() {
  local missing=() list log="$TOCSIN_ROOT/build/setup.log"
  mapfile -t missing < <(for list in "$@"; do missing_packages "tools/packages-$list.txt"; done | sort -u)
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  if ! command -v apt-get >/dev/null 2>&1; then
    die "Tocsin is built on Debian 12, and there is no apt-get here. Needed: ${missing[*]}"
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
    die "not root, and no sudo. As root, run: apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  logged "$log" as_root apt-get update -q
  logged "$log" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
  stop_services "${missing[@]}"
}

# Debian starts the service of what it has just installed. Tests start their own, on their own ports.
stop_services() {
  local package
  if [ ! -d /run/systemd/system ]; then return; fi
  for package in "$@"; do
    case "$package" in prometheus | prometheus-alertmanager) ;; *) continue ;; esac
    logged "$TOCSIN_ROOT/build/setup.log" as_root systemctl disable --now "$package.service"
  done
}

# install_npm FOLDER FILE...: `npm ci` unless the lockfile is the one installed and every FILE is there.
install_npm() {
  local folder="$1" stamp="$1/node_modules/.installed-lockfile" file ready=yes
  shift
  cmp -s "$folder/package-lock.json" "$stamp" || ready=no
  for file in "$@"; do [ -e "$folder/node_modules/$file" ] || ready=no; done
  if [ "$ready" = yes ]; then return; fi
  say "installing the npm packages of $folder"
  logged "$TOCSIN_ROOT/build/setup-npm.log" env -C "$folder" npm ci --ignore-scripts --no-audit --no-fund
  for file in "$@"; do
    [ -e "$folder/node_modules/$file" ] || die "npm ci left no $folder/node_modules/$file: the lockfile is wrong"
  done
  cp "$folder/package-lock.json" "$stamp"
}

setup_build() {
  install_packages build
  install_npm third_party/duckdb duckdb/src/duckdb/src/include/duckdb.h "$(duckdb_library)"
}

duckdb_library() {
  case "$(uname -m)" in
    x86_64) echo @duckdb/node-bindings-linux-x64/libduckdb.so ;;
    *) die "Tocsin is built for x86_64 so far; this machine is $(uname -m)" ;;
  esac
}

setup_test() {
  install_packages build test
  setup_build
  if [ -f tests/e2e/js/package-lock.json ]; then install_npm tests/e2e/js; fi
}

setup_check() { install_packages check; }
setup_slow() { install_packages slow; }

run_setup() {
  case "${1:-}" in
    '') install_packages build test check ;;
    all) install_packages build test check slow ;;
    *) die "usage: ./x setup [all]" ;;
  esac
  setup_test
  say "everything needed is installed"
}
