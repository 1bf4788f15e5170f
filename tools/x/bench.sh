# Benchmarks: bench/<NAME>.cc or bench/<NAME>/, built as the target bench_<NAME> in the release tree.

bench_names() {
  local path
  for path in bench/*.cc bench/*/main.cc; do
    [ -f "$path" ] || continue
    case "$path" in
      */main.cc) basename "$(dirname "$path")" ;;
      *) basename "$path" .cc ;;
    esac
  done | sort -u
}

# With --json the benchmark prints one JSON object and nothing else reaches standard output.
run_bench() {
  local name="${1:-}"
  if [ -z "$name" ]; then
    echo "Benchmarks: $(bench_names | paste -sd ' ')"
    return
  fi
  shift
  bench_names | grep -qx -- "$name" || die "there is no benchmark '$name'. There are: $(bench_names | paste -sd ' ')"
  if [ "$name" = alerts ]; then setup_test >&2; fi # the peer it is measured against
  build_preset release "bench_$name" tocsin >&2
  local program
  program=$(find build/release/bench -type f -executable \( -name "$name" -o -name "bench_$name" \) | head -n 1)
  [ -n "$program" ] || die "the build left no program for benchmark '$name'"
  say "running benchmark $name"
  exec "$program" "$@"
}
