# The programs that the benchmarks need besides p2pchat: what Python would be too slow for.
BENCH_TOOLS = build/tests/bench/trip build/tests/faults/fill
