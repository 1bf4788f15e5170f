# Holds the tree to its own rules; formats it.

run_check() {
  [ $# -eq 0 ] || die "usage: ./x check"
  setup_check
  # The program whose help the quoted commands are held against: whichever build is there.
  local preset=dev
  if [ ! -x build/dev/tocsin ] && [ -x build/release/tocsin ]; then preset=release; fi
  build_preset "$preset" tocsin
  python3 tools/check --binary "build/$preset/tocsin"
}

run_fmt() {
  [ $# -eq 0 ] || die "usage: ./x fmt"
  setup_check
  git ls-files -z --cached --others --exclude-standard -- '*.cc' '*.h' |
    xargs -0 -r -n 50 sh -c 'for f in "$@"; do [ -f "$f" ] && printf "%s\0" "$f"; done' _ |
    xargs -0 -r clang-format-19 -i
  say "formatted"
}
