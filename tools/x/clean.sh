# Removes what was built.

run_clean() {
  case "${1:-}" in
    '') rm -rf build && say "removed build/" ;;
    all)
      if [ -d .tocsin/demo ]; then stop_demo; fi
      rm -rf build .tocsin third_party/duckdb/node_modules tests/e2e/js/node_modules
      say "removed build/, .tocsin/ and the downloaded npm packages"
      ;;
    *) die "usage: ./x clean [all]" ;;
  esac
}
