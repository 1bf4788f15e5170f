# Simulated nights of on-call: random schedules, policies and faults against what must always hold.

# ./x sim                 a thousand nights
# ./x sim --seed N        one night, as it was; --verbose shows what happened in it
run_sim() {
  setup_test >&2
  build_preset dev sim >&2
  say "simulating"
  exec build/dev/tests/simulation/sim "$@"
}
