# Removes what was built.

run_clean() {
  case "${1:-}" in
    '') rm -rf build && say "removed build/" ;;
    all)
      stop_demo
      rm -rf build "$DEMO_DIR" "$DEMO_DIR.log" third_party/duckdb/node_modules tests/e2e/js/node_modules
      say "removed build/, the demo's data and the downloaded npm packages"
      ;;
    *) die "usage: ./x clean [all]" ;;
  esac
}
