# Builds and runs the tests. The last line says how many passed and failed.

run_test() {
  local preset=dev slow=no filter=''
  while [ $# -gt 0 ]; do
    case "$1" in
      --slow) slow=yes ;;
      --preset)
        [ $# -ge 2 ] || die "--preset needs a value: dev, asan or tsan"
        preset="$2"
        shift
        ;;
      -*) die "usage: ./x test [--slow] [--preset dev|asan|tsan] [FILTER]" ;;
      *) filter="$1" ;;
    esac
    shift
  done
  case "$preset" in dev | asan | tsan) ;; *) die "tests run with preset dev, asan or tsan, not '$preset'" ;; esac
  setup_test
  build_preset "$preset"
  if [ "$slow" = no ]; then
    say "running the tests"
    exec python3 tools/run_tests.py --build "build/$preset" --filter "$filter"
  fi
  run_slow_test "$preset" "$filter"
}

# Everything: the slow tests, the fuzzers for a minute each, then all tests once more under the sanitizers.
run_slow_test() {
  local preset="$1" filter="$2" runs=(--build "build/$1")
  setup_slow
  build_preset fuzz fuzzers
  if [ "$preset" != asan ]; then
    build_preset asan
    runs+=(--build build/asan)
  fi
  say "running the tests, the slow ones too"
  exec python3 tools/run_tests.py "${runs[@]}" --slow --fuzz build/fuzz/tests/fuzz --filter "$filter"
}
