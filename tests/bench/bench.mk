# The programs that the benchmarks need besides p2pchat: what Python would be too slow for.
BENCH_TOOLS = build/tests/bench/trip build/tests/bench/reference build/tests/bench/reference_client \
	build/tests/faults/fill
