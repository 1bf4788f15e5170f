run_demo() { die "the demo is being written"; }
stop_demo() { :; }
