# Builds a preset into build/<preset>, and runs the release binary.

# Compiled objects are shared between checkouts: paths below the root do not count.
export CCACHE_BASEDIR="$TOCSIN_ROOT" CCACHE_NOHASHDIR=yes

# build_preset PRESET [TARGET...]: configures when needed, then builds the targets (default: all).
build_preset() {
  local preset="$1" dir="$TOCSIN_ROOT/build/$1" jobs="${TOCSIN_JOBS:-$(nproc)}"
  shift
  case "$preset" in
    dev | release | asan | tsan | fuzz) ;;
    *) die "there is no preset '$preset': dev, release, asan, tsan or fuzz" ;;
  esac
  setup_build
  if [ "$preset" = fuzz ]; then setup_slow; fi
  mkdir -p "$dir"
  exec 9>"$dir/.lock"
  if ! flock -n 9; then
    say "another build of $preset is running; waiting for it"
    flock 9
  fi
  if [ ! -f "$dir/build.ninja" ]; then
    say "configuring $preset"
    logged "$dir/configure.log" cmake --preset "$preset"
  fi
  say "building $preset with $jobs jobs"
  local start=$SECONDS
  logged "$dir/build.log" ninja -C "$dir" -j "$jobs" "$@" || exit 1
  if ! grep -q 'no work to do' "$dir/build.log"; then say "built $preset in $((SECONDS - start)) s"; fi
  exec 9>&-
}

run_build() {
  [ $# -le 1 ] || die "usage: ./x build [dev|release|asan|tsan|fuzz]"
  local targets=()
  if [ "${1:-}" = fuzz ]; then targets=(fuzzers); fi
  build_preset "${1:-dev}" "${targets[@]}"
}

# The release binary, in the caller's own folder, with nothing of ours on standard output.
run_tocsin() {
  build_preset release tocsin >&2
  cd "$TOCSIN_CALLED_FROM"
  exec "$TOCSIN_ROOT/build/release/tocsin" "$@"
}
